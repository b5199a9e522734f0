"""From items to rows: the contract, identity, quarantine and the arithmetic, in the caller's transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlalchemy import Connection

from sentiment_platform.news.identity import Identity, identify, identify_document
from sentiment_platform.news.items import RawItem
from sentiment_platform.news.language import detected_language
from sentiment_platform.news.quality import MAX_FUTURE, Refusal, judge
from sentiment_platform.news.quarantine import refused_item
from sentiment_platform.news.resolution import resolve
from sentiment_platform.store.articles import NewArticle, count_retimed, insert_articles, insert_sightings
from sentiment_platform.store.collection_reports import CollectionReport, Outcome
from sentiment_platform.store.quarantine import held_ids, insert_quarantine
from sentiment_platform.store.wordings import insert_revisions, known_articles


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What became of some items; adds up with `+`. `retimed`: duplicates that tell another time than what is stored, which stays.
    `note`: what a person should read of these very items; a sum has none.
    """

    fetched: int = 0
    stored: int = 0
    duplicate: int = 0
    quarantined: int = 0
    retimed: int = 0
    note: str | None = None

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            fetched=self.fetched + other.fetched,
            stored=self.stored + other.stored,
            duplicate=self.duplicate + other.duplicate,
            quarantined=self.quarantined + other.quarantined,
            retimed=self.retimed + other.retimed,
        )

    def report(self, source: str, run_id: str, outcome: Outcome, detail: str | None, now: datetime) -> CollectionReport:
        """The report of a collection that ended with this tally."""
        return CollectionReport(
            source=source,
            run_id=run_id,
            fetched=self.fetched,
            stored=self.stored,
            duplicate=self.duplicate,
            quarantined=self.quarantined,
            outcome=outcome,
            detail=detail,
            finished_at=now,
        )


def store_items(
    connection: Connection,
    items: Sequence[RawItem],
    *,
    run_id: str,
    now: datetime,
    archived: bool = False,
    tell_refusal: Callable[[Refusal], None] = lambda _: None,
) -> Tally:
    """Judge, store, link or quarantine every item of one document, in the caller's transaction. The same items twice change nothing.

    `archived` items count as available since their publication, live ones not before `now`; `available_at` has the rule.
    """
    judgement = judge(items, now)
    for refusal in judgement.refused:
        tell_refusal(refusal)
    refused = [refused_item(one, run_id, now, archived=archived) for one in judgement.refused]
    insert_quarantine(connection, refused)
    held = held_ids(connection, [one.id for one in refused])
    named = identify_document(judgement.accepted)
    articles = [
        article_of(item, run_id, now, archived=archived, names=names)
        for item, names in zip(judgement.accepted, named.identities, strict=True)
    ]
    stored, reworded, retimed = store_articles(connection, articles)
    noted = sum(bool(article.notes) for article in articles)
    notes = (named.note, f"reworded: {reworded}" if reworded else None, f"with a note on a field: {noted}" if noted else None)
    note = "; ".join(filter(None, notes)) or None
    # What the database did not keep is missing from the sum, and that is what the check of the accounts looks for.
    return Tally(
        fetched=len(items),
        stored=stored,
        duplicate=len(articles) - stored,
        quarantined=sum(one.id in held for one in refused),
        retimed=retimed,
        note=note,
    )


def store_articles(connection: Connection, articles: Sequence[NewArticle]) -> tuple[int, int, int]:
    """Store articles that are new, link sightings, keep other wordings; returns how many were new, as articles and as wordings, and how
    many sightings tell another time than their article.
    """
    resolution = resolve(articles, known_articles(connection, articles))
    stored = insert_articles(connection, resolution.articles)
    insert_sightings(connection, resolution.sightings)
    return stored, insert_revisions(connection, resolution.revisions), count_retimed(connection, resolution.sightings)


def available_at(published_at: datetime, now: datetime, *, archived: bool, day_only: bool) -> datetime:
    """The first moment at which an item can have been known for certain; joins that build training data go by it.

    Live: when it was fetched, whatever a clock that runs ahead says; what waited in quarantine until its time had come, at that time.
    From an archive: its publication; where the archive names only a day, the end of that day, because nobody knows at which hour it
    came out. What is fetched before then is known from now on.
    """
    if not archived:
        return published_at if published_at > now + MAX_FUTURE else now
    if not day_only:
        return published_at
    # Another clock's day may be the one on which it is set back.
    is_utc = published_at.time() == time()
    return min(published_at + timedelta(hours=24 if is_utc else 25), max(published_at, now))


def article_of(item: RawItem, run_id: str, fetched_at: datetime, *, archived: bool, names: Identity | None = None) -> NewArticle:
    """The row of an item that keeps the contract; `fetched_at` is when it came, whenever it is admitted. `names`: by default its own.

    It was published when it was there at the latest: the time that a clock ahead of ours claims stays in `published_text` alone.
    """
    if item.title is None or item.published_at is None:
        raise AssertionError(f"the contract let an item without title or time pass: {item}")
    names = names or identify(item)
    known_at = available_at(item.published_at, fetched_at, archived=archived, day_only=item.day_only)
    return NewArticle(
        id=names.article_id,
        source=item.source,
        external_id=names.external_id,
        url=item.url,
        canonical_url=names.canonical_url,
        outlet=item.outlet,
        title=item.title,
        summary=item.summary,
        language=item.language or detected_language(item.title, item.summary),
        language_detected=item.language is None,
        tickers=item.tickers,
        notes=item.notes,
        published_at=min(item.published_at, known_at),
        published_text=item.published_text,
        day_only=item.day_only,
        fetched_at=fetched_at,
        available_at=known_at,
        content_hash=names.content_hash,
        run_id=run_id,
    )
