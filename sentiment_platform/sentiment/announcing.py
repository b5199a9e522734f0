"""Scored articles as public events."""

from datetime import datetime

from sqlalchemy import Engine

from sentiment_platform.events import MOST_AT_ONCE, ArticleScored, publish
from sentiment_platform.sentiment.scoring import ScoredDays
from sentiment_platform.store.article_sentiment import StoredScore, newest_scores


def announce_scores(engine: Engine, redis_url: str, scored: ScoredDays, now: datetime) -> int:
    """Tell of what one pass scored, the newest articles where it was many, with a best effort; returns how many events were told."""
    told: list[StoredScore] = []
    with engine.connect() as connection:
        for tally in scored.tallies:
            told += newest_scores(connection, tally.version, min(tally.scored, MOST_AT_ONCE)) if tally.scored else []
    told.sort(key=lambda score: (score.row.available_at, score.row.article_id))
    return publish(redis_url, [_event(score, now) for score in told])


def _event(score: StoredScore, now: datetime) -> ArticleScored:
    row = score.row
    return ArticleScored(
        at=now,
        article_id=row.article_id,
        headline=score.title,
        symbols=score.symbols,
        available_at=row.available_at,
        version=row.version,
        label=row.label,
        sentiment=row.positive - row.negative,
    )
