"""Out of quarantine after a fix: items are judged again under today's rules, with the time at which they were fetched.

What keeps the contract now is stored as if it had been good then (`available_at` is what it would have been) and leaves quarantine;
the rest stays. Running it again finds nothing left to do.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import Connection, Engine

from sentiment_platform.news.admission import Tally, article_of, store_articles
from sentiment_platform.news.optional_fields import with_usable_fields
from sentiment_platform.news.quality import judge
from sentiment_platform.news.quarantine import unpack
from sentiment_platform.store.articles import NewArticle
from sentiment_platform.store.collection_reports import CollectionReport, record_collection
from sentiment_platform.store.quarantine import QuarantinedItem, release, waiting_items

BATCH_ROWS = 2_000


@dataclass(frozen=True, slots=True)
class Replayed:
    """A report for each source (fetched = tried, quarantined = stays refused), and the days whose articles are to be made again."""

    reports: tuple[CollectionReport, ...]
    days: tuple[date, ...]


def replay(
    engine: Engine, *, source: str | None = None, rule: str | None = None, run_id: str, now: datetime, dry_run: bool = False
) -> Replayed:
    """Re-admit what waits in quarantine of raw news.

    Every batch is one transaction, so an interrupted replay is finished by running it again. With `dry_run` nothing is written and
    `stored` counts what would be admitted, duplicates included.
    """
    tallies: defaultdict[str, Tally] = defaultdict(Tally)
    days: set[date] = set()
    after = ""
    while True:
        with engine.begin() as connection:
            rows = waiting_items(connection, "raw_news", source=source, rule=rule, after=after, limit=BATCH_ROWS)
            by_source: defaultdict[str, list[QuarantinedItem]] = defaultdict(list)
            for row in rows:
                by_source[row.source].append(row)
            for name, waiting in by_source.items():
                tally, admitted = _admit(connection, waiting, run_id, now, dry_run=dry_run)
                tallies[name] += tally
                days |= admitted
        if not rows:
            break
        after = rows[-1].id
    detail = f"rule {rule}" if rule else None
    reports = tuple(tallies[name].report(name, run_id, "replayed", detail, now) for name in sorted(tallies))
    if not dry_run:
        with engine.begin() as connection:
            for report in reports:
                record_collection(connection, report)
    return Replayed(reports, tuple(sorted(days)))


def _admit(
    connection: Connection, waiting: list[QuarantinedItem], run_id: str, now: datetime, *, dry_run: bool
) -> tuple[Tally, set[date]]:
    # With usable fields before they are judged: what is accepted is then the very object that its row is found by.
    unpacked = {
        row.id: (row, (with_usable_fields(content[0]), content[1])) for row in waiting if (content := unpack(row)) is not None
    }
    by_item = {id(item): row for row, (item, _) in unpacked.values()}
    accepted = judge([item for _, (item, _) in unpacked.values()], now).accepted
    good = [by_item[id(item)].id for item in accepted]
    days = {item.published_at.astimezone(UTC).date() for item in accepted if item.published_at is not None}
    refused = len(waiting) - len(good)
    if dry_run:
        return Tally(fetched=len(waiting), stored=len(good), quarantined=refused), days
    articles: list[NewArticle] = []
    for row, (item, archived) in (unpacked[row_id] for row_id in good):
        articles.append(article_of(item, run_id, row.fetched_at, archived=archived))
    stored, *_ = store_articles(connection, articles)
    release(connection, good, now)
    return Tally(fetched=len(waiting), stored=stored, duplicate=len(good) - stored, quarantined=refused), days
