"""Articles in, vectors out: PostgreSQL first, then Redis. The asset, the replay and a test call the same function."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Engine

from sentiment_platform.features.compute import COMPUTE
from sentiment_platform.features.context import LOOKBACK, ArticleHistory
from sentiment_platform.features.online import write
from sentiment_platform.features.schema import FeatureSchema
from sentiment_platform.store.features import FeatureRow, write_features
from sentiment_platform.store.news import Article, articles_between
from sentiment_platform.text.normalise import text_key

BATCH = 2000


@dataclass(frozen=True, slots=True)
class FeatureReport:
    """What one pass did; `digest` names the vectors written, so an unchanged pass shows as unchanged."""

    articles: int
    online_written: int
    missing_share: float
    digest: str


def story_entity(title: str) -> str:
    """The online entity under which a request finds how widely its story runs."""
    return f"story:{sha256(text_key(title).encode()).hexdigest()[:32]}"


def compute_rows(articles: Iterable[Article], history: ArticleHistory, schema: FeatureSchema) -> Iterator[FeatureRow]:
    """One validated vector for each article, as of the moment it became available."""
    compute = COMPUTE[schema.version]
    for article in articles:
        values = compute(article.title, history.context(article))
        schema.validate(values)
        yield FeatureRow(f"article:{article.id}", schema.version, article.available_at, article.id, values)


def run(engine: Engine, redis: Any, schema: FeatureSchema, start: datetime, end: datetime, now: datetime) -> FeatureReport:
    """Compute the vectors of articles published in [start, end), store them offline, then online.

    The second time writes the same rows; Redis takes only what is newer than what it has.
    """
    with engine.connect() as connection:
        known = articles_between(connection, start - LOOKBACK, end)
        ours = [article for article in known if article.published_at >= start]
        # What we got late has a context that reaches beyond the window, up to the moment we got it.
        newest = max((article.available_at for article in ours), default=end)
        if newest > end:
            known += articles_between(connection, end, newest)
    rows = list(compute_rows(ours, ArticleHistory(known), schema))
    with engine.begin() as connection:
        for first in range(0, len(rows), BATCH):
            write_features(connection, rows[first : first + BATCH])
    online = write(
        redis, schema.version, ((row.entity, dict(zip(schema.names, row.values, strict=True)), row.as_of) for row in rows), now
    )
    titles = {article.id: article.title for article in known}
    stories = (
        (
            story_entity(titles[row.article_id or ""]),
            {"story_outlets": row.values[schema.names.index("story_outlets")]},
            row.as_of,
        )
        for row in rows
    )
    write(redis, schema.version, stories, now)
    digest = sha256(
        repr([(row.entity, row.as_of, row.values) for row in sorted(rows, key=lambda row: row.entity)]).encode()
    ).hexdigest()
    missing = sum(value is None for row in rows for value in row.values)
    return FeatureReport(len(rows), online, missing / max(1, len(rows) * len(schema.names)), digest)


def refresh_context(engine: Engine, redis: Any, schema: FeatureSchema, now: datetime) -> int:
    """Write how busy each ticker and outlet is right now, for requests that name one; returns the entities written."""
    with engine.connect() as connection:
        history = ArticleHistory(articles_between(connection, now - LOOKBACK, now))
    rows = [
        (f"ticker:{ticker}", {"ticker_articles_1d": history.ticker_articles(ticker, now)}, now) for ticker in history.tickers()
    ]
    rows += [
        (f"source:{outlet}", {"source_articles_7d": history.source_articles(outlet, now)}, now) for outlet in history.outlets()
    ]
    write(redis, schema.version, rows, now)
    return len(rows)
