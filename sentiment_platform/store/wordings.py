"""SQL of what is known of articles under the names that a source uses, and of their other wordings. The caller owns the transaction."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import Connection, text

from sentiment_platform.store.articles import NewArticle

_NEWEST = 20
"""Articles of one name that are looked at: a source that uses one name for everything has ever more of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownArticle:
    """A stored article. `titles`: its first wording and those that came later; `external_id`: the name under which it was looked for,
    None where its time or id led to it.
    """

    id: str
    source: str
    external_id: str | None
    outlet: str | None
    titles: tuple[str, ...]
    tickers: tuple[str, ...]
    published_at: datetime
    run_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """Another wording of a stored article, about to be written; `wording` is its name among those of the article."""

    article_id: str
    wording: str
    title: str
    summary: str | None
    published_at: datetime
    available_at: datetime
    run_id: str


@dataclass(frozen=True, slots=True)
class Wording:
    """How an article was told from `available_at` on; the first `wording` is empty."""

    wording: str
    title: str
    available_at: datetime


# Three questions about the same items: what stands under their names, what of their sources is of their times, what has their ids.
_KNOWN = text(f"""
    WITH came AS MATERIALIZED (
        SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS (id text, source text, external_id text, published_at timestamptz)),
    matched AS (
        SELECT newest.article_id AS id, named.external_id
        FROM (SELECT DISTINCT source, external_id FROM came) AS named
        CROSS JOIN LATERAL (
            SELECT article_id FROM platform.sightings AS seen
            WHERE seen.source = named.source AND seen.external_id = named.external_id
            ORDER BY seen.first_seen_at DESC, seen.article_id LIMIT {_NEWEST}) AS newest
        UNION ALL
        SELECT stored.id, NULL
        FROM (SELECT DISTINCT source, published_at FROM came) AS timed
        JOIN platform.raw_data AS stored USING (source, published_at)
        UNION ALL
        SELECT id, NULL FROM platform.raw_data JOIN (SELECT DISTINCT id FROM came) AS same USING (id))
    SELECT DISTINCT ON (stored.id, matched.external_id)
        stored.id, matched.external_id, stored.source, stored.outlet, stored.tickers, stored.published_at, stored.run_id,
        stored.title || ARRAY(SELECT title FROM platform.article_revisions WHERE article_id = stored.id) AS titles
    FROM matched JOIN platform.raw_data AS stored USING (id)""")  # noqa: S608  the part is a constant
_INSERT_REVISIONS = text("""
    INSERT INTO platform.article_revisions (article_id, wording, title, summary, published_at, available_at, run_id)
    SELECT article_id, wording, title, summary, published_at, available_at, run_id
    FROM json_populate_recordset(NULL::platform.article_revisions, CAST(:rows AS json))
    ON CONFLICT DO NOTHING""")


def known_articles(connection: Connection, articles: Collection[NewArticle]) -> list[KnownArticle]:
    """What is stored under the names of `articles`, under their ids and, of their sources, at their times."""
    if not articles:
        return []
    names = ("id", "source", "external_id", "published_at")
    rows = msgspec.json.encode([{name: getattr(article, name) for name in names} for article in articles]).decode()
    known = connection.execute(_KNOWN, {"rows": rows}).mappings()
    return [KnownArticle(**dict(row, titles=tuple(row["titles"]), tickers=tuple(row["tickers"]))) for row in known]


def insert_revisions(connection: Connection, revisions: Collection[Revision]) -> int:
    """Store wordings that their articles do not have yet; returns how many were new."""
    if not revisions:
        return 0
    ordered = sorted(revisions, key=lambda revision: (revision.article_id, revision.wording))
    return connection.execute(_INSERT_REVISIONS, {"rows": msgspec.json.encode(ordered).decode()}).rowcount


_CORRECTIONS = text("""
    SELECT article_id, wording, title, available_at FROM platform.article_revisions WHERE article_id = ANY(:ids)
    ORDER BY article_id, available_at, wording""")


def corrections_of(connection: Connection, article_ids: Collection[str]) -> dict[str, list[Wording]]:
    """Article -> its wordings after the first, oldest first; articles that were told once are left out."""
    corrections: dict[str, list[Wording]] = {}
    for article_id, *wording in connection.execute(_CORRECTIONS, {"ids": list(article_ids)}):
        corrections.setdefault(article_id, []).append(Wording(*wording))
    return corrections
