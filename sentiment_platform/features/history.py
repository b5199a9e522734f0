"""From the database to the history that a schema version's context is computed from; nothing later than asked, nothing too short."""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from sentiment_platform.features.context import ArticleHistory
from sentiment_platform.features.rolling import PRICE_LOOKBACK, RollingHistory
from sentiment_platform.features.schema import V1, FeatureSchema
from sentiment_platform.store.feature_inputs import articles_available, refused_items
from sentiment_platform.store.market import bars_as_of, bars_between
from sentiment_platform.store.splits import questions_open


def load_history(
    connection: Connection, schema: FeatureSchema, start: datetime, end: datetime, *, fetched_until: datetime | None = None
) -> ArticleHistory:
    """What answers questions about moments in [start, end] under `schema`.

    Args:
        fetched_until: leave out what was fetched later. Without it an archive that was imported later counts as known from its
            publication on, which is what training wants; with it the answer is the one that was given then.
    """
    history = RollingHistory if set(schema.names) - set(V1.names) else ArticleHistory
    articles = articles_available(connection, start - history.lookback, end, fetched_until=fetched_until)
    if history is ArticleHistory:
        return ArticleHistory(articles)
    refused = refused_items(connection, start - history.lookback, end)
    first = (start - PRICE_LOOKBACK - timedelta(days=1)).date()
    last = end.date()
    bars = bars_between(connection, first, last) if fetched_until is None else bars_as_of(connection, first, last, fetched_until)
    closes = [bar for bar in bars if bar.available_at <= end]
    return RollingHistory(articles, refused, closes, questions_open(connection, at=fetched_until))
