"""Nothing before the news, on the clock of each exchange."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_platform.exchanges import EXCHANGES
from sentiment_platform.market.calendar import (
    CRYPTO,
    CURRENCIES,
    NEW_YORK,
    UNKNOWN,
    Session,
    exchange_zone,
    final_at,
    session_on,
    trading_days,
)
from sentiment_platform.market.outcomes import HORIZONS, MARGIN, Prices, compute_outcomes
from sentiment_platform.market.symbol_exchange import exchange_of
from sentiment_platform.store.market import Bar
from sentiment_platform.store.outcomes import ArticleTime, OutcomeRecord

NOW = datetime(2026, 11, 1, tzinfo=UTC)
SPAN = (date(2025, 1, 1), date(2026, 10, 30))
SYMBOLS = [
    *(f"GLOW.{one.suffix}" if one.suffix else "GLOW" for one in EXCHANGES if one.calendar),
    "BTC-USD",
    "EURUSD=X",
]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def bar(symbol: str, session: date, opened: float, closed: float) -> Bar:
    final = final_at(exchange_of(symbol), session)
    assert final is not None
    return Bar(
        symbol=symbol,
        session=session,
        open=opened,
        high=max(opened, closed),
        low=min(opened, closed),
        close=closed,
        volume=None,
        source="made",
        available_at=final,
        fetched_at=final,
        run_id="r",
    )


def others_of(symbol: str) -> list[str]:
    if symbol == "BTC-USD":
        return ["ETH-USD", "XRP-USD", "SOL-USD"]
    if symbol == "EURUSD=X":
        return ["GBPUSD=X", "USDJPY=X", "USDCHF=X"]
    return [symbol.replace("GLOW", other) for other in ("AAA", "BBB", "CCC")]


def series(symbol: str, days: Sequence[date]) -> list[Bar]:
    """Opens at 100, 101, ...: every price says which session it is of; the market stands still."""
    own = [bar(symbol, day, 100.0 + n, 110.0 + n) for n, day in enumerate(days)]
    return own + [bar(other, day, 50.0, 50.0) for other in others_of(symbol) for day in days]


def outcomes(symbol: str, moment: datetime, bars: Sequence[Bar], now: datetime = NOW, market: str = "") -> list[OutcomeRecord]:
    span = moment.date(), (moment + MARGIN).date()
    return compute_outcomes([ArticleTime("a", (symbol,), moment)], Prices(bars, now, market), span, now)


@pytest.mark.parametrize(
    ("symbol", "exchange"),
    [
        ("999990.KS", "XKRX"),
        ("999990.KQ", "XKRX"),
        ("9999.T", "XTKS"),
        ("0999.HK", "XHKG"),
        ("LMP.L", "XLON"),
        ("LMP-B.ST", "XSTO"),
        ("G&L.NS", "XBOM"),
        ("LMP", NEW_YORK),
        ("LMP-B", NEW_YORK),
        ("LMP-PA", NEW_YORK),
        ("LMP-WS", NEW_YORK),
        ("BTC-USD", CRYPTO),
        ("SOL-USDT", CRYPTO),
        ("EURUSD=X", CURRENCIES),
        ("USD=X", CURRENCIES),
        ("^GSPC", NEW_YORK),
        ("^N225", "XTKS"),
        ("^TA125.TA", "XTAE"),
        # Nobody says where these are traded, and New York would be a guess.
        ("LMP.QQ", UNKNOWN),
        ("LMP.MU", UNKNOWN),
        ("005930", UNKNOWN),
        ("LAMPY4", UNKNOWN),
        ("LAMPWORKS", UNKNOWN),
        ("ES=F", UNKNOWN),
        ("^LAMP", UNKNOWN),
        ("", UNKNOWN),
    ],
)
def test_a_suffix_or_the_form_of_a_symbol_says_where_it_trades(symbol: str, exchange: str) -> None:
    assert exchange_of(symbol) == exchange


@pytest.mark.parametrize(
    ("exchange", "day", "opens", "closes"),
    [
        # New York has a holiday, Seoul and London have none.
        ("XKRX", "2025-02-17", "2025-02-17T00:00Z", "2025-02-17T06:30Z"),
        ("XLON", "2025-02-17", "2025-02-17T08:00Z", "2025-02-17T16:30Z"),
        (NEW_YORK, "2025-02-17", None, None),
        # Tokyo trades half an hour longer since 5 November 2024, and breaks at noon.
        ("XTKS", "2024-11-01", "2024-11-01T00:00Z", "2024-11-01T06:00Z"),
        ("XTKS", "2024-11-05", "2024-11-05T00:00Z", "2024-11-05T06:30Z"),
        ("XTKS", "2025-02-24", None, None),
        # The half day before the New Year of the moon, and the day itself.
        ("XHKG", "2025-01-28", "2025-01-28T01:30Z", "2025-01-28T04:00Z"),
        ("XHKG", "2025-01-29", None, None),
        # Clocks change in London on 30 March, in Sydney, the other way, on 6 April.
        ("XLON", "2025-03-28", "2025-03-28T08:00Z", "2025-03-28T16:30Z"),
        ("XLON", "2025-03-31", "2025-03-31T07:00Z", "2025-03-31T15:30Z"),
        ("XASX", "2025-04-04", "2025-04-03T23:00Z", "2025-04-04T05:00Z"),
        ("XASX", "2025-04-07", "2025-04-07T00:00Z", "2025-04-07T06:00Z"),
        # Sundays: Riyadh always, Tel Aviv until January 2026 and Fridays since.
        ("XSAU", "2025-02-16", "2025-02-16T07:00Z", "2025-02-16T12:00Z"),
        ("XTAE", "2025-02-16", "2025-02-16T07:59Z", "2025-02-16T13:40Z"),
        ("XTAE", "2025-02-14", None, None),
        ("XTAE", "2026-02-15", None, None),
        ("XTAE", "2026-02-13", "2026-02-13T07:59Z", "2026-02-13T11:50Z"),
        # Easter of the orthodox, and a Saturday on which Mumbai traded.
        ("ASEX", "2024-05-02", "2024-05-02T07:00Z", "2024-05-02T14:20Z"),
        ("ASEX", "2024-05-06", None, None),
        ("XBSE", "2024-05-03", None, None),
        ("XBOM", "2025-02-01", "2025-02-01T03:45Z", "2025-02-01T10:00Z"),
        # Hours that the package has too narrow: Mexico follows New York's summer, the floor in Frankfurt opens at eight.
        ("XMEX", "2025-07-01", "2025-07-01T13:30Z", "2025-07-01T21:00Z"),
        ("XMEX", "2025-12-01", "2025-12-01T14:30Z", "2025-12-01T21:00Z"),
        ("XFRA", "2025-07-01", "2025-07-01T06:00Z", "2025-07-01T20:00Z"),
        (CRYPTO, "2025-02-15", "2025-02-15T00:00Z", "2025-02-16T00:00Z"),
        (CURRENCIES, "2025-12-25", "2025-12-25T00:00Z", "2025-12-26T00:00Z"),
        (UNKNOWN, "2025-02-18", None, None),
    ],
)
def test_sessions_are_those_of_the_exchange(exchange: str, day: str, opens: str | None, closes: str | None) -> None:
    session = session_on(exchange, date.fromisoformat(day))
    expected = Session(date.fromisoformat(day), at(opens), at(closes)) if opens and closes else None
    assert session == expected


def test_what_no_calendar_knows_is_final_when_its_date_is_over_everywhere() -> None:
    assert final_at(UNKNOWN, date(2025, 12, 25)) == at("2025-12-26T12:00Z")
    # The holidays of Riyadh are known from 2021 on: before, nobody knows whether it traded.
    assert final_at("XSAU", date(2020, 6, 1)) == at("2020-06-02T12:00Z")
    days = trading_days(date(2020, 12, 1), date(2021, 2, 1), "XSAU")
    assert days.first_open_after(at("2020-12-20T12:00Z")) is None
    assert days.sessions[0].day == date(2021, 1, 3)
    assert final_at(NEW_YORK, date(2025, 12, 25)) is None


@pytest.mark.parametrize(
    ("symbol", "moment", "entry", "exit_"),
    [
        # During the session in Seoul: the bar of that day opened five hours before the news.
        ("999990.KS", "2025-02-18T05:00Z", "2025-02-19T00:00Z", "2025-02-19T06:30Z"),
        ("999990.KS", "2025-02-17T23:59Z", "2025-02-18T00:00Z", "2025-02-18T06:30Z"),
        ("9999.T", "2025-02-21T07:00Z", "2025-02-25T00:00Z", "2025-02-25T06:30Z"),
        ("0999.HK", "2025-01-28T02:00Z", "2025-02-03T01:30Z", "2025-02-03T08:00Z"),
        ("LMP.L", "2025-03-28T17:00Z", "2025-03-31T07:00Z", "2025-03-31T15:30Z"),
        ("LMP.AX", "2025-04-03T22:30Z", "2025-04-03T23:00Z", "2025-04-04T05:00Z"),
        ("LMP", "2025-02-14T22:00Z", "2025-02-18T14:30Z", "2025-02-18T21:00Z"),
        ("BTC-USD", "2025-02-15T13:00Z", "2025-02-16T00:00Z", "2025-02-17T00:00Z"),
    ],
)
def test_the_return_begins_with_the_next_opening_of_the_symbols_own_exchange(
    symbol: str, moment: str, entry: str, exit_: str
) -> None:
    days = [one.day for one in trading_days(date(2025, 1, 20), date(2025, 4, 30), exchange_of(symbol)).sessions]
    base = symbol.partition(".")
    named = [f"{other}{base[1]}{base[2]}" for other in ("AAA", "BBB", "CCC")] if symbol != "BTC-USD" else others_of(symbol)
    bars = [bar(symbol, day, 100.0 + n, 110.0 + n) for n, day in enumerate(days)]
    bars += [bar(other, day, 50.0, 50.0) for other in named for day in days]
    (one, _) = outcomes(symbol, at(moment), bars)
    assert (one.entry_at, one.available_at, one.market) == (at(entry), at(exit_), "mean of 3 others")
    zone = exchange_zone(exchange_of(symbol))
    n = days.index(at(entry).astimezone(zone).date())
    assert one.symbol_return == pytest.approx((110.0 + n) / (100.0 + n) - 1)
    # Before the session is over there is nothing.
    assert outcomes(symbol, at(moment), bars, now=at(exit_) - timedelta(seconds=1))[0].reason == "horizon_not_over"


def test_a_symbol_whose_exchange_nobody_knows_has_the_reason_and_no_outcome() -> None:
    days = [date(2025, 2, 17) + timedelta(days=n) for n in range(10)]
    bars = [bar(symbol, day, 10.0, 11.0) for symbol in ("GLOW.QQ", "AAA.QQ", "BBB.QQ", "CCC.QQ") for day in days]
    assert [one.reason for one in outcomes("GLOW.QQ", at("2025-02-18T05:00Z"), bars)] == ["exchange_unknown"] * 2
    # Where the exchange is known and its calendar of that time is not, it is no better.
    assert [one.reason for one in outcomes("GLOW.SR", at("2020-06-01T05:00Z"), [])] == ["exchange_unknown"] * 2


def test_other_exchanges_are_no_market_and_each_may_have_a_symbol_of_its_own() -> None:
    days = [one.day for one in trading_days(date(2025, 2, 18), date(2025, 3, 5), "XKRX").sessions]
    american = [bar(symbol, day, 50.0, 55.0) for symbol in ("AAA", "BBB", "CCC", "SPY") for day in days]
    seoul = [bar("GLOW.KS", day, 100.0, 110.0) for day in days]
    moment = at("2025-02-18T05:00Z")
    assert [one.reason for one in outcomes("GLOW.KS", moment, [*seoul, *american])] == ["market_unknown"] * 2
    fund = [bar("FUND.KS", day, 100.0, 102.0) for day in days]
    one, _ = outcomes("GLOW.KS", moment, [*seoul, *american, *fund], market="SPY,FUND.KS")
    assert (one.market, one.market_return) == ("FUND.KS", pytest.approx(0.02))
    assert outcomes("AAA", moment, american, market="SPY,FUND.KS")[0].market == "SPY"


def test_currencies_are_not_missing_at_weekends_and_count_where_they_are_quoted() -> None:
    week = [date(2025, 2, 10) + timedelta(days=n) for n in range(14)]
    weekdays = [day for day in week if day.weekday() < 5]
    friday = at("2025-02-14T20:00Z")
    assert outcomes("EURUSD=X", friday, series("EURUSD=X", weekdays))[0].entry_at == at("2025-02-17T00:00Z")
    assert outcomes("EURUSD=X", friday, series("EURUSD=X", week))[0].entry_at == at("2025-02-15T00:00Z")
    assert outcomes("BTC-USD", friday, series("BTC-USD", weekdays))[0].reason == "entry_price_missing"


def sessions_of(symbol: str) -> list[Session]:
    return list(trading_days(*SPAN, exchange_of(symbol)).sessions)


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_before_during_and_after_a_session_of_every_suffix_nothing_begins_before_the_news(symbol: str) -> None:
    first, second, *_ = span = sessions_of(symbol)[40:56]
    bars = series(symbol, [one.day for one in span])
    hour = timedelta(hours=1)
    for moment, entry in (
        (first.opens_at - hour, first),
        (first.opens_at, second),
        (first.opens_at + hour, second),
        (min(first.closes_at, second.opens_at - hour), second),
    ):
        for one, horizon in zip(outcomes(symbol, moment, bars), HORIZONS, strict=True):
            assert one.entry_at == entry.opens_at > moment
            n = span.index(entry)
            assert one.symbol_return == pytest.approx((110.0 + n + horizon - 1) / (100.0 + n) - 1)
            assert one.available_at == span[n + horizon - 1].closes_at
    # The date of a session is the exchange's own.
    zone = exchange_zone(exchange_of(symbol))
    assert all(one.opens_at.astimezone(zone).date() == one.day for one in span)


MOMENTS = st.datetimes(datetime(2025, 2, 1), datetime(2026, 9, 1)).map(lambda moment: moment.replace(tzinfo=UTC))


def begun_before(symbol: str, moment: datetime, clock: str) -> bool:
    """Whether the bar that a clock says to enter with had opened, at its own exchange, when the news came."""
    entry = trading_days(*SPAN, clock).first_open_after(moment)
    own = session_on(exchange_of(symbol), entry.day) if entry else None
    return own is not None and own.opens_at <= moment


@settings(max_examples=300, deadline=None)
@given(symbol=st.sampled_from(SYMBOLS), moment=MOMENTS)
def test_no_outcome_of_any_exchange_at_any_time_begins_before_the_news(symbol: str, moment: datetime) -> None:
    near = [one for one in sessions_of(symbol) if abs((one.day - moment.date()).days) < 25]
    for one in outcomes(symbol, moment, series(symbol, [session.day for session in near])):
        assert one.reason is None
        assert one.entry_at == min(session.opens_at for session in near if session.opens_at > moment)
        assert one.entry_at is not None
        assert one.entry_at > moment
    assert not begun_before(symbol, moment, exchange_of(symbol))


def test_the_property_sees_the_clock_of_new_york() -> None:
    hours = [at("2025-03-03T00:30Z") + timedelta(hours=n) for n in range(24 * 5)]
    before = {symbol: sum(begun_before(symbol, hour, NEW_YORK) for hour in hours) for symbol in SYMBOLS}
    assert before["GLOW"] == 0
    assert min(before[symbol] for symbol in ("GLOW.KS", "GLOW.T", "GLOW.HK", "GLOW.L", "BTC-USD")) > 5
