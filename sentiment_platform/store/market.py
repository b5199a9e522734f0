"""SQL of prices: daily bars by symbol and session, and their revisions. What makes a bar valid is `market.quality`."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from math import isclose

from sqlalchemy import Connection, bindparam, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from sentiment_platform.store.tables import MarketPrice, PriceRevision, Quarantine

_PRICES = ("open", "high", "low", "close")
_VALUES = (*_PRICES, "volume")
_ROUNDING = 1e-9
"""Relative difference below which two prices are one: the same number after a journey through text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One symbol's day: adjusted prices in the symbol's currency, `session` the exchange's date, times aware UTC."""

    symbol: str
    session: date
    open: float
    high: float
    low: float
    close: float
    volume: int | None
    source: str
    available_at: datetime
    fetched_at: datetime
    run_id: str


@dataclass(frozen=True, slots=True)
class WrittenBars:
    """What became of the bars given: each is in exactly one count."""

    new: int = 0
    revised: int = 0
    unchanged: int = 0
    of_another_source: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What there is of a symbol; `revised` counts the bars that changed after they were first stored."""

    symbol: str
    source: str
    first: date
    last: date
    bars: int
    revised: int


def lock_prices(connection: Connection) -> None:
    """One writer at a time until the transaction ends: two that revise one bar would both keep it under the same revision number."""
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtext("platform.market_prices"))))


def write_bars(connection: Connection, bars: Collection[Bar]) -> WrittenBars:
    """Store bars by (symbol, session). A bar that its source changed is replaced and its former word kept as a revision; a close of the
    session that is known better than before is no revision.

    A bar that another source brought is left alone: two sources adjust differently, and a series that alternates between them has
    returns that never happened.
    """
    if not bars:
        return WrittenBars()
    lock_prices(connection)
    known = _known(connection, bars)
    new: list[Bar] = []
    revised: list[Bar] = []
    closes: list[dict[str, object]] = []
    unchanged = foreign = 0
    for bar in bars:
        before = known.get((bar.symbol, bar.session))
        if before is None:
            new.append(bar)
        elif before.source != bar.source:
            foreign += 1
        elif _same(before, bar):
            unchanged += 1
            if before.available_at != bar.available_at:
                closes.append({"of": bar.symbol, "on": bar.session, "at": bar.available_at})
        else:
            revised.append(bar)
    if new:
        connection.execute(insert(MarketPrice), [{**asdict(bar), "revision": 0} for bar in new])
    if closes:
        known_better = update(MarketPrice).where(MarketPrice.symbol == bindparam("of"), MarketPrice.session == bindparam("on"))
        connection.execute(known_better.values(available_at=bindparam("at")), closes)
    for bar in revised:
        before = known[bar.symbol, bar.session]
        kept = ("symbol", "session", "revision", *_VALUES, "fetched_at", "run_id")
        connection.execute(insert(PriceRevision).values({name: getattr(before, name) for name in kept}))
        statement = insert(MarketPrice).values({**asdict(bar), "revision": before.revision + 1})
        changed = {name: statement.excluded[name] for name in (*_VALUES, "available_at", "fetched_at", "run_id", "revision")}
        connection.execute(statement.on_conflict_do_update(index_elements=["symbol", "session"], set_=changed))
    return WrittenBars(len(new), len(revised), unchanged, foreign)


@dataclass(frozen=True, slots=True, kw_only=True)
class _StoredBar(Bar):
    revision: int


def _known(connection: Connection, bars: Collection[Bar]) -> dict[tuple[str, date], _StoredBar]:
    table = MarketPrice
    query = select(*[getattr(table, name) for name in _StoredBar.__dataclass_fields__]).where(
        table.symbol.in_(sorted({bar.symbol for bar in bars})),
        table.session.between(min(bar.session for bar in bars), max(bar.session for bar in bars)),
    )
    return {(row["symbol"], row["session"]): _StoredBar(**row) for row in connection.execute(query).mappings()}


def _same(one: Bar, other: Bar) -> bool:
    return one.volume == other.volume and all(
        isclose(getattr(one, name), getattr(other, name), rel_tol=_ROUNDING) for name in _PRICES
    )


def bars_between(connection: Connection, first: date, last: date, symbols: Sequence[str] | None = None) -> list[Bar]:
    """Bars with first <= session <= last by symbol and session; of all symbols or of these."""
    query = select(*[getattr(MarketPrice, name) for name in Bar.__dataclass_fields__])
    query = query.where(MarketPrice.session.between(first, last)).order_by(MarketPrice.symbol, MarketPrice.session)
    if symbols is not None:
        query = query.where(MarketPrice.symbol.in_(symbols))
    return [Bar(**row) for row in connection.execute(query).mappings()]


_AS_OF = text("""
    SELECT bar.symbol, bar.session, known.open, known.high, known.low, known.close, known.volume, bar.source, bar.available_at,
        known.fetched_at, known.run_id
    FROM platform.market_prices AS bar
    CROSS JOIN LATERAL (
        SELECT open, high, low, close, volume, fetched_at, run_id, revision FROM platform.price_revisions AS former
        WHERE former.symbol = bar.symbol AND former.session = bar.session AND former.fetched_at <= :fetched
        UNION ALL
        SELECT bar.open, bar.high, bar.low, bar.close, bar.volume, bar.fetched_at, bar.run_id, bar.revision
        WHERE bar.fetched_at <= :fetched
        ORDER BY revision DESC LIMIT 1) AS known
    WHERE bar.session BETWEEN :first AND :last
    ORDER BY bar.symbol, bar.session""")


def bars_as_of(connection: Connection, first: date, last: date, fetched_until: datetime) -> list[Bar]:
    """Bars with first <= session <= last as they had been fetched by then: each as it was before it was revised later."""
    rows = connection.execute(_AS_OF, {"first": first, "last": last, "fetched": fetched_until})
    return [Bar(**row) for row in rows.mappings()]


def coverage(connection: Connection) -> list[Coverage]:
    """What there is, by symbol and source."""
    table = MarketPrice
    query = (
        select(
            table.symbol,
            table.source,
            func.min(table.session).label("first"),
            func.max(table.session).label("last"),
            func.count().label("bars"),
            func.count().filter(table.revision > 0).label("revised"),
        )
        .group_by(table.symbol, table.source)
        .order_by(table.symbol, table.source)
    )
    return [Coverage(**row) for row in connection.execute(query).mappings()]


def arrivals_since(connection: Connection, boundary: str, since: datetime) -> tuple[int, dict[str, int]]:
    """Bars stored or revised since then, and the refused ones of the same time by rule, which nobody has released."""
    stored = connection.execute(select(func.count()).where(MarketPrice.fetched_at >= since)).scalar_one()
    query = (
        select(Quarantine.rule, func.count())
        .where(Quarantine.boundary == boundary, Quarantine.fetched_at >= since, Quarantine.released_at.is_(None))
        .group_by(Quarantine.rule)
        .order_by(Quarantine.rule)
    )
    return stored, {row[0]: row[1] for row in connection.execute(query)}
