"""SQL of the days that wait: articles that were stored and never got as far as a feature vector."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, text

from sentiment_platform.entities import ARTICLE


@dataclass(frozen=True, slots=True)
class WaitingDay:
    """A UTC day of publication, how many of its articles have no vector, and a digest of which."""

    day: date
    articles: int
    digest: str


# Quarantine is where an article ends that gets no vector: it waits for nobody. Most articles have a vector as young as themselves; one
# look at those spares a look at each article's own. Run by run and article by article through their keys (LIMIT and OFFSET keep the
# planner to it): plain joins read all news and all vectors that there ever were.
_WAITING = text("""
    WITH recent AS (SELECT DISTINCT run_id FROM platform.collection_runs WHERE finished_at >= :since AND stored > 0),
    young AS MATERIALIZED (SELECT article_id FROM platform.processed_features WHERE as_of >= :since AND article_id IS NOT NULL),
    article AS MATERIALIZED (
        SELECT found.id, found.published_at
        FROM recent
        CROSS JOIN LATERAL (
            SELECT id, published_at FROM platform.raw_data AS stored WHERE stored.run_id = recent.run_id OFFSET 0) AS found
        WHERE found.published_at < :before AND NOT EXISTS (SELECT FROM young WHERE young.article_id = found.id))
    SELECT CAST(timezone('UTC', article.published_at) AS date) AS day, count(*), md5(string_agg(article.id, '' ORDER BY article.id))
    FROM article
    LEFT JOIN LATERAL (
        SELECT true AS there FROM platform.processed_features WHERE article_id = article.id LIMIT 1) AS vector ON true
    WHERE vector.there IS NULL
        AND NOT EXISTS (
            SELECT FROM platform.quarantine AS refused
            WHERE refused.id = :prefix || article.id AND refused.released_at IS NULL)
        AND NOT EXISTS (
            SELECT FROM platform.quarantine AS refused
            WHERE refused.boundary = 'features' AND refused.released_at IS NULL
                AND refused.payload ->> 'entity' = :prefix || article.id)
    GROUP BY day ORDER BY day""").bindparams(prefix=ARTICLE)


def waiting_days(connection: Connection, *, since: datetime, before: datetime) -> list[WaitingDay]:
    """Days before `before` with articles that collections since `since` stored and that have neither vector nor place in quarantine."""
    return [WaitingDay(*row) for row in connection.execute(_WAITING, {"since": since, "before": before})]
