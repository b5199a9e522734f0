"""SQL of the sentiment of articles: which articles there are to score, what versions said of them, and samples of that.

What readers of news make of it is read in `store.scored_news`. The caller owns the transaction.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import Connection, and_, func, select, text

from sentiment_platform.entities import ARTICLE
from sentiment_platform.store.tables import ArticleRevision, ArticleSentiment, RawData
from sentiment_platform.text.sentiment import Label


@dataclass(frozen=True, slots=True)
class ArticleText:
    """What is scored: one wording of an article's headline, known from `available_at` on; the first `wording` is empty."""

    id: str
    wording: str
    title: str
    published_at: datetime
    available_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRow:
    """One row of `article_sentiment`, as `store.tables.sentiment` describes it."""

    article_id: str
    version: str
    family: str
    manifest_digest: str
    negative: float
    neutral: float
    positive: float
    label: Label
    text_hash: str
    characters: int
    characters_read: int
    available_at: datetime
    scored_at: datetime
    wording: str = ""


_ADMITTED = """
    FROM platform.raw_data AS article
    WHERE article.published_at >= :start AND article.published_at < :end
        AND :prefix || article.id NOT IN (
            SELECT id FROM platform.quarantine WHERE boundary = 'articles' AND released_at IS NULL)"""
_COUNT = text(f"SELECT count(*) {_ADMITTED}").bindparams(prefix=ARTICLE)
# A correction belongs to the day of its article and to the day on which it was known, so that the next collection scores it.
_PAGE = text(f"""
    (SELECT article.id, '' AS wording, article.title, article.published_at, article.available_at {_ADMITTED}
        AND (article.published_at, article.id, '') > (coalesce(CAST(:after_at AS timestamptz), '-infinity'), :after_id, :after_wording)
    ORDER BY article.published_at, article.id LIMIT :limit)
    UNION ALL
    (SELECT article.id, told.wording, told.title, article.published_at, greatest(told.available_at, article.available_at)
    FROM platform.article_revisions AS told JOIN platform.raw_data AS article ON article.id = told.article_id
    WHERE (article.published_at >= :start AND article.published_at < :end OR told.available_at >= :start AND told.available_at < :end)
        AND (article.published_at, article.id, told.wording)
            > (coalesce(CAST(:after_at AS timestamptz), '-infinity'), :after_id, :after_wording)
        AND :prefix || article.id NOT IN (
            SELECT id FROM platform.quarantine WHERE boundary = 'articles' AND released_at IS NULL)
    ORDER BY article.published_at, article.id, told.wording LIMIT :limit)
    ORDER BY published_at, id, wording LIMIT :limit""").bindparams(prefix=ARTICLE)  # noqa: S608  the part is a constant


def count_articles(connection: Connection, start: datetime, end: datetime) -> int:
    """Admitted articles with start <= published_at < end."""
    return connection.execute(_COUNT, {"start": start, "end": end}).scalar_one()


def articles_after(
    connection: Connection, start: datetime, end: datetime, last: ArticleText | None, limit: int
) -> list[ArticleText]:
    """The next `limit` texts after `last`, the oldest article first: every wording of the admitted articles with
    start <= published_at < end, and the corrections that became known in that time.
    """
    window = {"start": start, "end": end, "limit": limit}
    place = {
        "after_at": last.published_at if last else None,
        "after_id": last.id if last else "",
        "after_wording": last.wording if last else "",
    }
    return [ArticleText(*row) for row in connection.execute(_PAGE, window | place)]


@dataclass(frozen=True, slots=True)
class ScoredText:
    """What a stored score belongs to."""

    text_hash: str
    manifest_digest: str


def texts_scored(
    connection: Connection, article_ids: Collection[str], versions: Collection[str]
) -> dict[tuple[str, str, str], ScoredText]:
    """(article, wording, version) -> what was scored, where something is stored."""
    table = ArticleSentiment
    query = select(table.article_id, table.wording, table.version, table.text_hash, table.manifest_digest).where(
        table.article_id.in_(article_ids), table.version.in_(versions)
    )
    return {(row[0], row[1], row[2]): ScoredText(row[3], row[4]) for row in connection.execute(query)}


# In the order of the key, so that two runs over the same articles wait for each other instead of locking each other out.
_UPSERT = text("""
    INSERT INTO platform.article_sentiment AS kept (
        article_id, version, wording, family, manifest_digest, negative, neutral, positive, label,
        text_hash, characters, characters_read, available_at, scored_at)
    SELECT
        article_id, version, wording, family, manifest_digest, negative, neutral, positive, label,
        text_hash, characters, characters_read, available_at, scored_at
    FROM json_populate_recordset(NULL::platform.article_sentiment, CAST(:rows AS json))
    ON CONFLICT (article_id, version, wording) DO UPDATE SET
        manifest_digest = excluded.manifest_digest, negative = excluded.negative, neutral = excluded.neutral,
        positive = excluded.positive, label = excluded.label, text_hash = excluded.text_hash,
        characters = excluded.characters, characters_read = excluded.characters_read,
        available_at = excluded.available_at, scored_at = excluded.scored_at
    WHERE (kept.text_hash, kept.manifest_digest) IS DISTINCT FROM (excluded.text_hash, excluded.manifest_digest)""")


def write_scores(connection: Connection, rows: Collection[ScoreRow]) -> int:
    """Insert, or replace where the text or the manifest is another one; returns the rows written. The same rows twice change nothing."""
    if not rows:
        return 0
    ordered = sorted(rows, key=lambda row: (row.article_id, row.version, row.wording))
    return connection.execute(_UPSERT, {"rows": msgspec.json.encode(ordered).decode()}).rowcount


# Version by version through the index: of every version that there is, the time of its newest score.
_SCORED_LAST = text("""
    SELECT DISTINCT ON (registered.family) registered.version
    FROM platform.model_versions AS registered CROSS JOIN LATERAL (
        SELECT scored_at FROM platform.article_sentiment AS score
        WHERE score.version = registered.version ORDER BY scored_at DESC LIMIT 1) AS newest
    ORDER BY registered.family, newest.scored_at DESC, registered.version DESC""")


def versions_scored_last(connection: Connection) -> list[str]:
    """Of each family, the registered version that scored an article last."""
    return list(connection.execute(_SCORED_LAST).scalars())


@dataclass(frozen=True, slots=True)
class StoredScore:
    """A row of `article_sentiment` with the headline in its wording, and the symbols of the article as they stand now."""

    row: ScoreRow
    title: str
    symbols: list[str]


def newest_scores(connection: Connection, version: str, limit: int) -> list[StoredScore]:
    """The `limit` rows that `version` scored last; of one moment, in the order of the articles' ids."""
    table = ArticleSentiment
    names = tuple(ScoreRow.__dataclass_fields__)
    query = (
        select(func.coalesce(ArticleRevision.title, RawData.title), RawData.tickers, *[getattr(table, name) for name in names])
        .join(RawData, RawData.id == table.article_id)
        .outerjoin(
            ArticleRevision, and_(ArticleRevision.article_id == table.article_id, ArticleRevision.wording == table.wording)
        )
        .where(table.version == version)
        .order_by(table.scored_at.desc(), table.article_id, table.wording)
        .limit(limit)
    )
    return [StoredScore(ScoreRow(**dict(zip(names, row[2:], strict=True))), row[0], row[1]) for row in connection.execute(query)]
