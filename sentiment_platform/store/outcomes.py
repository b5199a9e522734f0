"""SQL of outcomes: what symbols did after articles. How that is computed is `market.outcomes`."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, any_, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from sentiment_platform.store.tables import Outcome, RawData

_KEY = ("article_id", "symbol", "horizon_sessions")


@dataclass(frozen=True, slots=True)
class ArticleTime:
    """An article as far as outcomes look at it."""

    id: str
    symbols: tuple[str, ...]
    available_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRecord:
    """One row of `outcomes`: the returns (0.01 is one percent), or the reason why there are none."""

    article_id: str
    symbol: str
    horizon_sessions: int
    rule: str
    reason: str | None = None
    entry_at: datetime | None = None
    available_at: datetime | None = None
    symbol_return: float | None = None
    market_return: float | None = None
    adjusted_return: float | None = None
    label: str | None = None
    market: str | None = None


def articles_with_symbols(
    connection: Connection, start: datetime, end: datetime, pending: Collection[str], *, rule: str, of_former: int
) -> list[ArticleTime]:
    """Articles with start <= published_at < end that name a symbol, those of any day with an outcome for a reason of `pending`, and at
    most `of_former` with an outcome of another rule."""
    waits = select(Outcome.article_id).where(Outcome.reason.in_(pending))
    former = (
        select(Outcome.article_id)
        .join(RawData, RawData.id == Outcome.article_id)
        .where(or_(Outcome.rule < rule, Outcome.rule > rule), Outcome.symbol == any_(RawData.tickers))
        .order_by(Outcome.article_id)
        .limit(of_former)
    )
    in_span = and_(RawData.published_at >= start, RawData.published_at < end)
    query = (
        select(RawData.id, RawData.tickers, RawData.available_at)
        .where(or_(in_span, RawData.id.in_(waits), RawData.id.in_(former)), func.cardinality(RawData.tickers) > 0)
        .order_by(RawData.id)
    )
    return [ArticleTime(row.id, tuple(row.tickers), row.available_at) for row in connection.execute(query)]


def write_outcomes(connection: Connection, records: Sequence[OutcomeRecord]) -> int:
    """Insert or replace by (article, symbol, horizon); an unchanged row is not touched.

    Returns:
        How many rows were new or changed.
    """
    changed = 0
    statement = insert(Outcome)
    values = [name for name in OutcomeRecord.__dataclass_fields__ if name not in _KEY]
    statement = statement.on_conflict_do_update(
        index_elements=_KEY,
        set_={name: statement.excluded[name] for name in values} | {"computed_at": func.now()},
        where=or_(*(getattr(Outcome, name).is_distinct_from(statement.excluded[name]) for name in values)),
    ).returning(Outcome.article_id)
    for start in range(0, len(records), 1000):
        rows = [asdict(record) for record in records[start : start + 1000]]
        changed += len(connection.execute(statement.values(rows)).all())
    return changed


def outcome_counts(connection: Connection) -> list[tuple[int, str, int]]:
    """(horizon in sessions, label or reason, rows), sorted."""
    fate = func.coalesce(Outcome.label, Outcome.reason)
    query = select(Outcome.horizon_sessions, fate, func.count()).group_by(Outcome.horizon_sessions, fate)
    return [(row[0], row[1], row[2]) for row in connection.execute(query.order_by(Outcome.horizon_sessions, fate))]


def outcomes_that_look_ahead(connection: Connection, now: datetime) -> int:
    """Outcomes that were entered before their article was available, that end before they begin, or that are not over yet."""
    wrong = or_(Outcome.entry_at <= RawData.available_at, Outcome.available_at <= Outcome.entry_at, Outcome.available_at > now)
    query = select(func.count()).select_from(Outcome).join(RawData, RawData.id == Outcome.article_id)
    return connection.execute(query.where(Outcome.adjusted_return.is_not(None), wrong)).scalar_one()
