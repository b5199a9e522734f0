"""Articles in, vectors out: PostgreSQL first, then Redis. The asset, the replay and a test call the same functions.

A pass goes through its days in pieces, so that a range of months needs no more memory than a busy week.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Engine

from sentiment_platform.entities import article_entity, source_entity, split_entity, story_entity, ticker_entity
from sentiment_platform.features.compute import COMPUTE
from sentiment_platform.features.context import ArticleHistory, ContextValues
from sentiment_platform.features.contract import judge, quarantined
from sentiment_platform.features.history import load_history
from sentiment_platform.features.online import OnlineRow, write
from sentiment_platform.features.schema import FeatureSchema
from sentiment_platform.store.articles import Article, articles_between
from sentiment_platform.store.feature_inputs import articles_by_day
from sentiment_platform.store.quarantine import insert_quarantine, release_vectors
from sentiment_platform.store.vectors import FeatureRow, FirstVector, features_as_of, first_vectors, write_features

PIECE = 5_000
"""Articles at which a piece is closed; it holds whole days."""
LIVE = timedelta(days=1)
"""A vector that was first computed so soon after its article was available is one that could be served."""
ONLINE_DAYS = timedelta(days=7)
"""Vectors of older articles are read offline: a backfill of months must not push what requests ask for out of a small Redis."""


@dataclass(frozen=True, slots=True)
class FeatureReport:
    """What one pass did: articles = vectors written + refused. `digest` names the vectors, so an unchanged pass shows as unchanged."""

    articles: int
    refused: int
    online_written: int
    missing_share: float
    digest: str


def compute_rows(articles: Iterable[Article], history: ArticleHistory, schema: FeatureSchema) -> Iterator[FeatureRow]:
    """One vector for each article, as of the moment it became available; not yet held against the contract."""
    compute = COMPUTE[schema.version]
    for article in articles:
        values = compute(article.title, history.context(article))
        yield FeatureRow(
            entity=article_entity(article.id),
            schema_version=schema.version,
            as_of=article.available_at,
            article_id=article.id,
            values=values,
        )


def as_served(row: FeatureRow, stood: Mapping[str, FirstVector], schema: FeatureSchema) -> FeatureRow:
    """`row` with the context that was first computed for it, where that was done while its news was live.

    What was answered then rested on it, and training has to read the same: an archive that comes later knows more of that day than
    anybody did. Vectors that were first computed long afterwards served nobody, and count whatever has come in since.
    """
    first = stood.get(row.entity)
    if first is None or not is_live(row, first):
        return row
    kept = zip(schema.features, first.values, row.values, strict=True)
    return replace(row, values=tuple(then if feature.group == "context" else now for feature, then, now in kept))


def is_live(row: FeatureRow, first: FirstVector) -> bool:
    """Whether a row was first computed while its news could be asked about."""
    return first.computed_at - row.as_of <= LIVE


def run(
    engine: Engine, redis: Any, schema: FeatureSchema, start: datetime, end: datetime, now: datetime, *, run_id: str
) -> FeatureReport:
    """Compute the vectors of articles published in [start, end), store them offline, then online.

    The second time writes the same rows; Redis takes only what is newer than what it has.
    """
    articles = refused = online = missing = 0
    digest = sha256()
    with engine.connect() as connection:
        days = articles_by_day(connection, start, end)
    for first, last in _pieces(days, start, end):
        with engine.connect() as connection:
            ours = articles_between(connection, first, last)
            known_at = [article.available_at for article in ours]
            history = load_history(connection, schema, min(known_at), max(known_at))
            stood = first_vectors(connection, schema.version, [(article_entity(a.id), a.available_at) for a in ours])
        judged = judge([as_served(row, stood, schema) for row in compute_rows(ours, history, schema)], schema)
        by_entity = {article_entity(article.id): article for article in ours}
        with engine.begin() as connection:
            rows = write_features(connection, judged.accepted, now)
            release_vectors(connection, schema.version, [row.entity for row in rows], now)
            insert_quarantine(
                connection, [quarantined(v, schema, by_entity[v.row.entity].source, run_id, now) for v in judged.refused]
            )
        fresh = [row for row in rows if row.as_of >= now - ONLINE_DAYS]
        online += write(redis, schema.version, (online_row(schema, row.entity, row) for row in fresh), now)
        stories = (online_row(schema, story_entity(by_entity[row.entity].title), row) for row in fresh)
        write(redis, schema.version, stories, now)
        articles += len(ours)
        refused += len(judged.refused)
        missing += sum(row.values.count(None) for row in rows)
        for row in sorted(rows, key=lambda row: row.entity):
            digest.update(repr((row.entity, row.as_of.timestamp(), row.values)).encode())
    missing_share = missing / max(1, (articles - refused) * len(schema.names))
    return FeatureReport(articles, refused, online, missing_share, digest.hexdigest())


def online_row(schema: FeatureSchema, entity: str, row: FeatureRow) -> OnlineRow:
    """What of a stored row stands online under `entity`: a whole vector, or what its ticker, outlet or story has of it."""
    kind = split_entity(entity)[0]
    names = schema.names if kind == "article" else schema.names_of(kind)
    values = row.values if kind == "article" else [row.values[schema.names.index(name)] for name in names]
    return OnlineRow(entity, dict(zip(names, values, strict=True)), row.as_of, row.revision or 1)


def _pieces(days: Sequence[tuple[date, int]], start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Consecutive windows of whole days with about `PIECE` articles each, without the days that have none."""
    first: datetime | None = None
    articles = 0
    for day, count in days:
        midnight = datetime.combine(day, time(), UTC)
        first = first or midnight
        articles += count
        if articles >= PIECE:
            yield max(first, start), min(midnight + timedelta(days=1), end)
            first, articles = None, 0
    if first is not None:
        yield max(first, start), end


def refresh_context(engine: Engine, redis: Any, schema: FeatureSchema, now: datetime) -> int:
    """Write what is known of each ticker and outlet right now, for requests that name one; returns the entities written.

    PostgreSQL gets a row only where values changed, so its `as_of` says since when they hold; Redis is told that they still do.
    """
    with engine.begin() as connection:
        # A day more than needed: who falls silent is told so once, before its values expire.
        history = load_history(connection, schema, now - timedelta(days=1), now)
        context_values = {ticker_entity(ticker): history.ticker_values(ticker, now) for ticker in history.tickers()}
        context_values |= {source_entity(outlet): history.source_values(outlet, now) for outlet in history.outlets()}
        rows = write_context(connection, schema, context_values, now)
    write(redis, schema.version, (online_row(schema, row.entity, row) for row in rows), now)
    return len(context_values)


def write_context(
    connection: Connection, schema: FeatureSchema, context_values: dict[str, ContextValues], now: datetime
) -> list[FeatureRow]:
    """Store the values of tickers and outlets that differ from their newest row; returns the row that now holds for each."""
    kept = features_as_of(connection, schema.version, sorted(context_values), now)
    vectors = {entity: tuple(values.get(name) for name in schema.names) for entity, values in context_values.items()}
    changed = [
        FeatureRow(entity=entity, schema_version=schema.version, as_of=now, article_id=None, values=vector)
        for entity, vector in vectors.items()
        if entity not in kept or kept[entity].values != vector
    ]
    kept |= {row.entity: row for row in write_features(connection, changed, now)}
    return list(kept.values())
