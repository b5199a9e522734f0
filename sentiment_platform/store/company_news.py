"""SQL of companies in the news: what a window of days says of each symbol. Nothing is written here.

A story counts once for a symbol, at its first article that names it, with the score of that article; so a wire story that forty outlets
carry moves a company as one. The score is that of the wording that was known at the end of the window: a correction counts from its time
on, and windows that ended before keep what they said.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from sentiment_platform.entities import ARTICLE
from sentiment_platform.store.deployments import LAST_NAMED, latest_deployment

MIN_STORIES = 5
"""Scored stories below which a company has counts and no mean."""


@dataclass(frozen=True, slots=True)
class LabelCounts:
    """Scored stories by label."""

    negative: int
    neutral: int
    positive: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyNews:
    """A symbol over a window: its stories, those among them that the family scored, their mean sentiment and labels.

    `mean_before` is that of the window of the same length before; both means are None below `MIN_STORIES` scored stories.
    """

    symbol: str
    stories: int
    scored: int
    labels: LabelCounts
    mean: float | None
    mean_before: float | None

    @property
    def too_few(self) -> bool:
        """Whether there are too few scored stories for a mean."""
        return self.scored < MIN_STORIES

    @property
    def change(self) -> float | None:
        """The mean less that of the window before, where both are known."""
        return None if self.mean is None or self.mean_before is None else self.mean - self.mean_before


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyWindow:
    """Companies over (since, until], most stories first, by the scores of `family`; None where nothing is deployed or chosen."""

    since: datetime
    until: datetime
    family: str | None
    companies: tuple[CompanyNews, ...]


_COMPANIES = text(f"""
    WITH {LAST_NAMED}, refused AS (SELECT id FROM platform.quarantine WHERE boundary = 'articles' AND released_at IS NULL),
    named AS (
        SELECT DISTINCT ON (symbol, story_id) symbol, story_id, id, available_at
        FROM (
            SELECT unnest(article.tickers) AS symbol, coalesce(story.story_id, article.id) AS story_id, article.id, article.available_at
            FROM platform.raw_data AS article LEFT JOIN platform.story_clusters AS story ON story.article_id = article.id
            WHERE article.available_at > :before AND article.available_at <= :until AND :prefix || article.id NOT IN (SELECT id FROM refused)) AS mention
        ORDER BY symbol, story_id, available_at, id),
    told_before AS (
        SELECT DISTINCT ours.story_id, unnest(earlier.tickers) AS symbol
        FROM (SELECT DISTINCT story_id FROM named) AS ours
        JOIN platform.story_clusters AS other ON other.story_id = ours.story_id
        JOIN platform.raw_data AS earlier ON earlier.id = other.article_id
        WHERE earlier.available_at <= :before AND :prefix || earlier.id NOT IN (SELECT id FROM refused)),
    first_named AS (
        SELECT * FROM named WHERE NOT EXISTS (
            SELECT 1 FROM told_before WHERE told_before.story_id = named.story_id AND told_before.symbol = named.symbol)),
    told AS (
        SELECT DISTINCT ON (revision.article_id) revision.article_id, revision.wording
        FROM platform.article_revisions AS revision JOIN first_named ON first_named.id = revision.article_id
        WHERE revision.available_at <= CASE WHEN first_named.available_at > :since THEN CAST(:until AS timestamptz) ELSE :since END
        ORDER BY revision.article_id, revision.available_at DESC, revision.wording DESC),
    score AS (
        SELECT DISTINCT ON (article_id) article_id, label, positive - negative AS sentiment
        FROM platform.article_sentiment AS stored LEFT JOIN last_named USING (version) LEFT JOIN told USING (article_id)
        WHERE family = :family AND article_id IN (SELECT id FROM first_named) AND stored.wording = coalesce(told.wording, '')
        ORDER BY article_id, last_named.revision DESC NULLS LAST, scored_at DESC, version DESC),
    scored AS (
        SELECT first_named.symbol, first_named.available_at > :since AS now, score.label, score.sentiment
        FROM first_named LEFT JOIN score ON score.article_id = first_named.id)
    SELECT symbol, count(*) FILTER (WHERE now), count(sentiment) FILTER (WHERE now),
        count(*) FILTER (WHERE now AND label = 'negative'), count(*) FILTER (WHERE now AND label = 'neutral'),
        count(*) FILTER (WHERE now AND label = 'positive'), avg(sentiment) FILTER (WHERE now),
        count(sentiment) FILTER (WHERE NOT now), avg(sentiment) FILTER (WHERE NOT now)
    FROM scored GROUP BY symbol HAVING count(*) FILTER (WHERE now) > 0
    ORDER BY 2 DESC, symbol LIMIT :limit""").bindparams(prefix=ARTICLE)  # noqa: S608  the part is a constant


def companies(
    connection: Connection, until: datetime, window: timedelta, *, family: str | None = None, limit: int = 100
) -> CompanyWindow:
    """Every symbol that a story of (until - window, until] names, by the time at which its first article became available.

    Args:
        family: whose scores; by default those of the deployed default family.
    """
    if family is None and (deployed := latest_deployment(connection)) is not None:
        family = deployed.default_family
    since = until - window
    asked = {"since": since, "until": until, "before": since - window, "family": family, "limit": limit}
    rows = connection.execute(_COMPANIES, asked).all()
    return CompanyWindow(
        since=since,
        until=until,
        family=family,
        companies=tuple(
            CompanyNews(
                symbol=row[0],
                stories=row[1],
                scored=row[2],
                labels=LabelCounts(row[3], row[4], row[5]),
                mean=row[6] if row[2] >= MIN_STORIES else None,
                mean_before=row[8] if row[7] >= MIN_STORIES else None,
            )
            for row in rows
        ),
    )


def newest_news(connection: Connection) -> datetime | None:
    """When the newest article became available."""
    return connection.execute(text("SELECT max(available_at) FROM platform.raw_data")).scalar()
