"""Bars into the database: judged, stored or kept in quarantine, and what a span of days then holds."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any, cast

from sqlalchemy import Connection, Engine

from sentiment_platform.errors import PlatformError, SettingsError
from sentiment_platform.fetching.errors import SourceBusyError, SourceUnreachableError
from sentiment_platform.fetching.politeness import PoliteClient
from sentiment_platform.market.bars import RawBar
from sentiment_platform.market.calendar import final_at, newest_final_day
from sentiment_platform.market.gathering import BOUNDARY, gather
from sentiment_platform.market.json_source import PriceRequest, PriceSource, fetch_bars, price_client, read_catalogue
from sentiment_platform.market.quality import JudgedBars, RefusedBar, judge_bars
from sentiment_platform.market.splits import accept_moves
from sentiment_platform.market.symbol_exchange import exchange_of
from sentiment_platform.settings import Settings
from sentiment_platform.store.market import Bar, WrittenBars, bars_between, write_bars
from sentiment_platform.store.payloads import payload_id, storable
from sentiment_platform.store.quarantine import QuarantinedItem, insert_quarantine, refused_row, release
from sentiment_platform.store.splits import READ_AS, RULE, Question, waiting_bars, write_questions
from sentiment_platform.symbols import symbols

MAX_SILENT = 3


@dataclass(frozen=True, slots=True)
class StoredPrices:
    """What became of the bars of one source and symbol, or of one file; `failure` where nothing could be had."""

    name: str
    fetched: int = 0
    refused: int = 0
    written: WrittenBars = field(default_factory=WrittenBars)
    failure: str = ""


@dataclass(frozen=True, slots=True)
class LevelReport:
    """What the levels of the symbols say: the open `questions`, gaps that the volume tells to be real (`news`), and how many bars that
    had waited for an answer were stored (`released`).
    """

    questions: tuple[Question, ...]
    news: tuple[str, ...]
    released: int


@dataclass(frozen=True, slots=True)
class PricesOfDays:
    """What was fetched for a span of days (nothing where no source is configured) and what is stored of it.

    `note` says why nothing was fetched. `digest` names the stored prices: the same bars give the same digest.
    """

    fetched: tuple[StoredPrices, ...]
    bars: tuple[Bar, ...]
    note: str
    digest: str


def store_bars(
    connection: Connection,
    bars: Sequence[RawBar],
    *,
    source: str,
    run_id: str,
    now: datetime,
    accept_jumps: bool = False,
    accepted_by: str = "",
    symbols: Collection[str] = (),
    tell_refusal: Callable[[RefusedBar], None] = lambda _: None,
    tell_levels: Callable[[LevelReport], None] = lambda _: None,
) -> StoredPrices:
    """Judge and store bars under the name of their source; storing them again changes nothing. `tell_refusal` is told each refusal.

    A bar that was refused before and is not any more leaves quarantine. Bars of the same symbols that wait for an answer about a split are
    judged again with them, those of `symbols` also where none is given. With `accept_jumps` the moves are noted as real, by whom.
    """
    gathered = gather(connection, bars, source, symbols)
    judged = judge_bars(gathered.bars, now, {}, accept_jumps=accept_jumps, known=gathered.known, source=source)
    accept_moves(connection, judged.accepted_moves, by=accepted_by, now=now)
    write_questions(connection, source, gathered.known.keys(), judged.questions, now)
    given = {id(bar.payload) for bar in bars}
    refused = [refusal for refusal in judged.refused if id(refusal.bar.payload) in given]
    for refusal in refused:
        tell_refusal(refusal)
    insert_quarantine(connection, [_quarantined(refusal, source, run_id, now) for refusal in refused])
    freed = [
        row
        for bar in judged.accepted
        if bar.symbol and bar.session
        for row in gathered.waiting.get((bar.symbol, bar.session), ())
    ]
    release(connection, [*freed, *(payload_id(BOUNDARY, source, _payload(bar)) for bar in judged.accepted)], now)
    written = write_bars(connection, _bars(judged, source, run_id, now))
    tell_levels(LevelReport(judged.questions, judged.news, len(set(freed))))
    return StoredPrices(source, len(bars), len(refused), written)


def judge_again(connection: Connection, symbol: str, *, run_id: str, now: datetime) -> list[tuple[StoredPrices, LevelReport]]:
    """After an answer about `symbol`: the bars that waited for it, by source, and what became of them."""
    sources = {source for _, source, _ in waiting_bars(connection, BOUNDARY, [symbol])}
    sources |= {bar.source for bar in bars_between(connection, date.min, date.max, [symbol])}
    reports: list[LevelReport] = []
    stored = [
        store_bars(connection, [], source=source, run_id=run_id, now=now, symbols=[symbol], tell_levels=reports.append)
        for source in sorted(sources)
    ]
    return list(zip(stored, reports, strict=True))


def collect_prices(
    engine: Engine,
    settings: Settings,
    first: date,
    last: date,
    *,
    run_id: str,
    now: datetime,
    catalogue: Mapping[str, PriceSource] | None = None,
    client: PoliteClient | None = None,
) -> PricesOfDays:
    """Fetch the sessions of first <= day <= last that are over for every configured symbol, and read what is stored of these days.

    A symbol that cannot be had is reported and does not stop the others, unless the vendor is busy or does not answer MAX_SILENT
    symbols in a row. Without a source, a key or symbols nothing is fetched. `catalogue` and `client` replace those that are shipped.
    """
    sources = read_catalogue() if catalogue is None else catalogue
    wanted = price_symbols(settings.price_symbols)
    note = _why_off(settings, wanted, sources)
    closed = {symbol: newest_final_day(exchange_of(symbol), first, last, now) for symbol in wanted}
    fetched: list[StoredPrices] = []
    if not note:
        source, silent, given_up = sources[settings.price_source], 0, ""
        client = client or price_client(settings.contact, allow_private_hosts=settings.allow_private_hosts == "yes")
        for symbol, newest in closed.items():
            if newest is None:
                continue
            if given_up:
                fetched.append(StoredPrices(symbol, failure=given_up))
                continue
            try:
                raw = fetch_bars(source, PriceRequest(symbol, first, newest), settings.price_key, client, now)
            except PlatformError as error:
                fetched.append(StoredPrices(symbol, failure=str(error)))
                silent = silent + 1 if isinstance(error, SourceUnreachableError) else 0
                if isinstance(error, SourceBusyError) or silent == MAX_SILENT:
                    given_up = (
                        f"not asked: {settings.price_source} gave no answer for {symbol}. The next run asks for these days again."
                    )
                continue
            silent = 0
            # A vendor that answers with more than was asked for must not smuggle in a day that is not over.
            raw = [bar for bar in raw if bar.session is None or first <= bar.session <= newest]
            with engine.begin() as connection:
                stored = store_bars(connection, raw, source=settings.price_source, run_id=run_id, now=now)
            fetched.append(StoredPrices(symbol, stored.fetched, stored.refused, stored.written))
    with engine.connect() as connection:
        bars = tuple(bars_between(connection, first, last))
    return PricesOfDays(tuple(fetched), bars, note, _digest(bars))


def price_symbols(setting: str) -> tuple[str, ...]:
    """The symbols of the setting SENTIMENT_PRICE_SYMBOLS, each once, in their order.

    Raises:
        SettingsError: one of them is no symbol.
    """
    known, left_out = symbols(setting)
    if left_out:
        raise SettingsError(
            f"SENTIMENT_PRICE_SYMBOLS names {left_out[0]!r}, which is no symbol.", remedy="Write it like LMP,LMP-B,005930.KS."
        )
    return known


def _why_off(settings: Settings, wanted: Sequence[str], known: Mapping[str, PriceSource]) -> str:
    if not settings.price_source:
        return "no price source is configured (SENTIMENT_PRICE_SOURCE)"
    if settings.price_source not in known:
        raise SettingsError(
            f"SENTIMENT_PRICE_SOURCE={settings.price_source!r} is not in the catalogue.", remedy=f"Use one of {', '.join(known)}."
        )
    if not settings.price_key:
        return f"{settings.price_source} is off: it has no key (SENTIMENT_PRICE_KEY)"
    return "" if wanted else f"{settings.price_source} is off: no symbols are named (SENTIMENT_PRICE_SYMBOLS)"


def _bars(judged: JudgedBars, source: str, run_id: str, now: datetime) -> list[Bar]:
    made: dict[tuple[str, date], Bar] = {}
    for bar in judged.accepted:
        # That symbol, session and prices are there is what the contract has seen to.
        session, symbol = cast(date, bar.session), cast(str, bar.symbol)
        made[symbol, session] = Bar(
            symbol=symbol,
            session=session,
            open=cast(float, bar.open),
            high=cast(float, bar.high),
            low=cast(float, bar.low),
            close=cast(float, bar.close),
            volume=None if bar.volume is None else round(bar.volume),
            source=source,
            available_at=cast(datetime, final_at(exchange_of(symbol), session)),
            fetched_at=now,
            run_id=run_id,
        )
    return list(made.values())


def _quarantined(refused: RefusedBar, source: str, run_id: str, now: datetime) -> QuarantinedItem:
    payload = _payload(refused.bar)
    if refused.rule == RULE:
        payload = storable({**payload, READ_AS: _read_as(refused.bar)})
    return refused_row(BOUNDARY, source, payload, rule=refused.rule, detail=refused.detail, run_id=run_id, now=now)


def _read_as(bar: RawBar) -> dict[str, Any]:
    return {name: getattr(bar, name) for name in ("symbol", "session", "open", "high", "low", "close", "volume")}


def _payload(bar: RawBar) -> dict[str, Any]:
    # A file of one symbol need not name it.
    return storable({"symbol": bar.symbol, **bar.payload})


def _digest(bars: Sequence[Bar]) -> str:
    rows = [[bar.symbol, bar.session.isoformat(), bar.open, bar.high, bar.low, bar.close, bar.volume, bar.source] for bar in bars]
    return sha256(json.dumps(rows).encode()).hexdigest()


def range_of(start: datetime, end: datetime) -> tuple[date, date]:
    """The first and last day of a half-open window of UTC days."""
    return start.astimezone(UTC).date(), (end - timedelta(days=1)).astimezone(UTC).date()
