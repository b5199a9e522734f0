import csv
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from sentiment_platform.market.calendar import trading_days
from sentiment_platform.market.outcome_contract import judge_outcomes
from sentiment_platform.market.outcomes import (
    HORIZONS,
    MARGIN,
    OUTCOME_RULE,
    PENDING,
    REASONS,
    Prices,
    compute_outcomes,
    outcome_label,
    update_outcomes,
)
from sentiment_platform.market.price_files import parse_price_map, read_price_file
from sentiment_platform.market.prices import store_bars
from sentiment_platform.store.articles import insert_articles
from sentiment_platform.store.market import Bar, bars_between, write_bars
from sentiment_platform.store.outcomes import ArticleTime, OutcomeRecord, outcomes_that_look_ahead
from sentiment_platform.store.quarantine import quarantined_items
from sentiment_platform_tests.market.making import sessions, stored
from sentiment_platform_tests.store.articles import article

NOW = datetime(2026, 1, 31, tzinfo=UTC)
SPAN_OF_DAYS = (date(2025, 11, 3), date(2026, 1, 30))
DAYS = trading_days(*SPAN_OF_DAYS)
SPAN = sessions("2025-11-03", "2026-01-16")
OTHERS = ("AAA", "BBB", "CCC")
COLUMNS = parse_price_map("session=ds,symbol=ticker")
SPAN_OF_FILES = (date(2025, 9, 1), date(2026, 1, 31))


def bars(symbol: str, drift: float, span: Sequence[date] = SPAN) -> list[Bar]:
    """Opens at 100, 101, ... and closes `drift` higher: every price says which one it is."""
    return [stored(symbol, day, 100.0 + n, 100.0 + n + drift) for n, day in enumerate(span)]


MARKET = [bar for symbol in OTHERS for bar in bars(symbol, 0.0)]
ALL = [*bars("EXM", 2.0), *MARKET]


def known(moment: str, symbol: str = "EXM") -> ArticleTime:
    return ArticleTime("a", (symbol,), datetime.fromisoformat(moment).replace(tzinfo=UTC))


def outcomes(of: ArticleTime, given: Sequence[Bar] = ALL, now: datetime = NOW, market: str = "") -> list[OutcomeRecord]:
    return compute_outcomes([of], Prices(given, now, market), SPAN_OF_DAYS, now)


@pytest.mark.parametrize(
    ("moment", "entry"),
    [
        ("2025-11-24T13:00", date(2025, 11, 24)),  # before the opening: the same morning
        ("2025-11-24T14:30", date(2025, 11, 25)),  # at the opening it is too late
        ("2025-11-24T18:00", date(2025, 11, 25)),  # during trading: the next opening is the next price we have
        ("2025-11-24T23:00", date(2025, 11, 25)),  # after the close
        ("2025-11-26T22:00", date(2025, 11, 28)),  # a holiday between
        ("2025-11-28T18:30", date(2025, 12, 1)),  # after an early close, then a weekend
    ],
)
def test_the_return_begins_with_the_first_opening_after_the_article_was_known(moment: str, entry: date) -> None:
    one, five = outcomes(known(moment))
    n = SPAN.index(entry)
    session = DAYS.on(entry)
    assert session is not None
    for found, horizon in ((one, 1), (five, 5)):
        own = (100.0 + n + horizon - 1 + 2.0) / (100.0 + n) - 1
        market = (100.0 + n + horizon - 1) / (100.0 + n) - 1
        assert found.horizon_sessions == horizon
        assert found.entry_at == session.opens_at
        assert found.symbol_return == pytest.approx(own)
        assert found.market_return == pytest.approx(market)
        assert found.adjusted_return == pytest.approx(own - market)
        assert found.market == "mean of 3 others"
    last = DAYS.on(SPAN[n + 4])
    assert last is not None
    assert five.available_at == last.closes_at


MOMENTS = st.datetimes(datetime(2025, 11, 10), datetime(2026, 1, 20)).map(lambda at: at.replace(tzinfo=UTC))


@settings(max_examples=200, deadline=None)
@given(moment=MOMENTS, cut=MOMENTS, factor=st.floats(0.1, 10.0))
def test_prices_after_the_horizon_and_prices_known_with_the_article_change_nothing(
    moment: datetime, cut: datetime, factor: float
) -> None:
    of = ArticleTime("a", ("EXM",), moment)
    for before in outcomes(of):
        if before.available_at is None or before.entry_at is None:
            continue
        # Whatever happens after the end, and whatever was traded up to the article, the day it came out on included.
        other = [
            replace(bar, open=bar.open * factor, close=bar.close * factor)
            if bar.available_at > before.available_at or _opens(bar) <= moment
            else bar
            for bar in ALL
        ]
        assert before in outcomes(of, other)
        # And at any time at which it was over, it was what it is now.
        if cut >= before.available_at:
            assert before in outcomes(of, [bar for bar in ALL if bar.available_at <= cut], now=cut)
        else:
            assert PENDING in {
                found.reason for found in outcomes(of, now=cut) if found.horizon_sessions == before.horizon_sessions
            }


def _opens(bar: Bar) -> datetime:
    session = DAYS.on(bar.session)
    assert session is not None
    return session.opens_at


def test_the_property_sees_a_price_that_does_enter() -> None:
    (before, _) = outcomes(known("2025-11-24T13:00"))
    for part in ("open", "close"):
        changed = [
            replace(bar, **{part: 1.0}) if (bar.symbol, bar.session) == ("EXM", date(2025, 11, 24)) else bar for bar in ALL
        ]
        assert before not in outcomes(known("2025-11-24T13:00"), changed)


def without(symbol: str, day: date) -> list[Bar]:
    return [bar for bar in ALL if (bar.symbol, bar.session) != (symbol, day)]


@pytest.mark.parametrize(
    ("given", "reasons"),
    [
        (without("EXM", date(2025, 11, 24)), ["entry_price_missing"] * 2),
        (without("EXM", date(2025, 12, 1)), [None, "exit_price_missing"]),
        (without("EXM", date(2025, 11, 25)), [None, None]),
        (without("AAA", date(2025, 11, 24)), ["market_unknown"] * 2),
        (MARKET, ["symbol_without_prices"] * 2),
        ([replace(b, source="new") if b.session > date(2025, 11, 26) else b for b in ALL], [None, "two_sources"]),
    ],
)
def test_what_is_missing_is_a_reason_and_never_a_guess(given: list[Bar], reasons: list[str | None]) -> None:
    found = outcomes(known("2025-11-24T13:00"), given)
    assert [one.reason for one in found] == reasons
    for one in found:
        values = (one.symbol_return, one.market_return, one.adjusted_return, one.label, one.available_at)
        assert all(value is None for value in values) == (one.reason is not None)
        assert one.reason is None or one.reason in REASONS


def test_a_horizon_that_is_not_over_has_no_outcome_yet() -> None:
    closes = datetime(2025, 11, 24, 21, tzinfo=UTC)
    assert [one.reason for one in outcomes(known("2025-11-24T13:00"), now=closes - timedelta(seconds=1))] == [PENDING, PENDING]
    assert [one.reason for one in outcomes(known("2025-11-24T13:00"), now=closes)] == [None, PENDING]
    assert [one.reason for one in outcomes(known("2026-01-30T22:00"))] == [PENDING, PENDING]


def test_a_symbol_of_the_market_takes_the_place_of_the_mean_and_must_have_prices() -> None:
    given = [*bars("EXM", 2.0), *bars("FUND", 1.0)]
    found = outcomes(known("2025-11-24T13:00"), given, market="FUND")
    n = SPAN.index(date(2025, 11, 24))
    assert (found[0].market_return, found[0].market) == (pytest.approx(1 / (100 + n)), "FUND")
    assert [one.reason for one in outcomes(known("2025-11-24T13:00"), ALL, market="FUND")] == ["market_unknown"] * 2


def test_an_article_of_two_symbols_has_an_outcome_for_each() -> None:
    found = outcomes(ArticleTime("a", ("EXM", "AAA", "EXM"), datetime(2025, 11, 24, 13, tzinfo=UTC)))
    assert [(one.symbol, one.horizon_sessions) for one in found] == [(s, h) for s in ("AAA", "EXM") for h in HORIZONS]


def test_the_direction_is_neutral_within_the_band() -> None:
    assert [outcome_label(value, 1) for value in (-0.0051, -0.005, 0.0, 0.005, 0.0051)] == [
        "negative",
        "neutral",
        "neutral",
        "neutral",
        "positive",
    ]
    assert outcome_label(0.0099, 5) == "neutral"


def test_the_longest_horizon_fits_into_the_margin_at_any_time_of_any_year() -> None:
    days = trading_days(date(2015, 1, 1), date(2026, 12, 31))
    longest = max(HORIZONS)
    for session in days.sessions[: -2 * longest]:
        entry = days.first_open_after(session.closes_at)
        exit_ = days.later(entry, longest - 1) if entry else None
        assert exit_ is not None
        assert exit_.closes_at.date() <= session.closes_at.date() + MARGIN


def test_outcomes_are_stored_once_and_follow_a_revised_price(engine: Engine) -> None:
    hours = (datetime(2025, 11, 24, 13, tzinfo=UTC) - datetime(2025, 1, 6, 12, tzinfo=UTC)) / timedelta(hours=1)
    start, end = datetime(2025, 11, 24, tzinfo=UTC), datetime(2025, 11, 25, tzinfo=UTC)
    with engine.begin() as connection:
        insert_articles(connection, [article(1, hours=hours), replace(article(2, hours=hours), tickers=())])
        write_bars(connection, ALL)
    first = update_outcomes(engine, start, end, NOW, run_id="run")
    again = update_outcomes(engine, start, end, NOW, run_id="run")
    assert (len(first.records), first.changed, again.changed, again.digest) == (2, 2, 0, first.digest)
    with engine.begin() as connection:
        write_bars(connection, [replace(bar, close=bar.close + 1, fetched_at=NOW) for bar in ALL if bar.symbol == "EXM"])
    revised = update_outcomes(engine, start, end, NOW, run_id="run")
    assert (revised.changed, revised.digest != first.digest) == (2, True)
    with engine.begin() as connection:
        assert outcomes_that_look_ahead(connection, NOW) == 0
        # The control: an outcome entered when the article was not yet known is found.
        connection.execute(text("UPDATE platform.outcomes SET entry_at = '2025-11-24T12:59Z' WHERE horizon_sessions = 1"))
        assert outcomes_that_look_ahead(connection, NOW) == 1


def test_outcomes_of_a_former_rule_are_computed_again_whatever_days_are_asked_for(engine: Engine) -> None:
    hours = (datetime(2025, 11, 24, 13, tzinfo=UTC) - datetime(2025, 1, 6, 12, tzinfo=UTC)) / timedelta(hours=1)
    start, end = datetime(2025, 11, 24, tzinfo=UTC), datetime(2025, 11, 25, tzinfo=UTC)
    with engine.begin() as connection:
        insert_articles(connection, [article(1, hours=hours)])
        write_bars(connection, ALL)
    update_outcomes(engine, start, end, NOW, run_id="run")
    with engine.begin() as connection:
        connection.execute(text("UPDATE platform.outcomes SET rule = 'outcome-v1', entry_at = '2025-11-24T12:59Z'"))
    later = datetime(2026, 1, 20, tzinfo=UTC)
    assert update_outcomes(engine, later, later + timedelta(days=1), NOW, run_id="run").changed == 2
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT DISTINCT rule, entry_at FROM platform.outcomes")).all()
    assert [tuple(row) for row in rows] == [(OUTCOME_RULE, datetime(2025, 11, 24, 14, 30, tzinfo=UTC))]
    assert update_outcomes(engine, later, later + timedelta(days=1), NOW, run_id="run").records == ()


def test_a_later_sighting_with_other_tickers_changes_no_outcome(engine: Engine) -> None:
    hours = (datetime(2025, 11, 24, 13, tzinfo=UTC) - datetime(2025, 1, 6, 12, tzinfo=UTC)) / timedelta(hours=1)
    start, end = datetime(2025, 11, 24, tzinfo=UTC), datetime(2025, 11, 25, tzinfo=UTC)
    one = article(1, hours=hours)
    with engine.begin() as connection:
        insert_articles(connection, [one])
        write_bars(connection, ALL)
    before = update_outcomes(engine, start, end, NOW, run_id="run")
    at = one.fetched_at + timedelta(minutes=15)
    again = replace(one, source="other", external_id="x", tickers=("AAA",), fetched_at=at, available_at=at, run_id="later")
    with engine.begin() as connection:
        assert insert_articles(connection, [again]) == 0
    after = update_outcomes(engine, start, end, NOW, run_id="run")
    assert (after.changed, after.records) == (0, before.records)


def test_an_outcome_that_cannot_be_is_in_quarantine_until_its_prices_are_right(engine: Engine) -> None:
    hours = (datetime(2025, 11, 24, 13, tzinfo=UTC) - datetime(2025, 1, 6, 12, tzinfo=UTC)) / timedelta(hours=1)
    start, end = datetime(2025, 11, 24, tzinfo=UTC), datetime(2025, 11, 25, tzinfo=UTC)
    # From almost nothing to far too much: more than a number holds.
    wrong = [
        replace(bar, open=1e-300, close=1e300) if (bar.symbol, bar.session) == ("EXM", date(2025, 11, 24)) else bar for bar in ALL
    ]
    with engine.begin() as connection:
        insert_articles(connection, [article(1, hours=hours)])
        write_bars(connection, wrong)
    for _ in range(2):
        found = update_outcomes(engine, start, end, NOW, run_id="run")
        assert (len(found.records), found.refused) == (1, 1)
    with engine.connect() as connection:
        (kept,) = quarantined_items(connection)
    assert (kept.boundary, kept.rule, kept.run_id) == ("outcomes", "returns_are_possible", "run")
    assert (kept.payload["symbol"], kept.payload["horizon_sessions"], kept.payload["symbol_return"]) == ("EXM", 1, "Infinity")
    with engine.begin() as connection:
        write_bars(connection, [replace(bar, fetched_at=NOW) for bar in ALL if bar.symbol == "EXM"])
    found = update_outcomes(engine, start, end, NOW, run_id="fixed")
    assert (len(found.records), found.refused) == (2, 0)
    with engine.connect() as connection:
        assert quarantined_items(connection) == []


SOUND = outcomes(known("2025-11-24T13:00"))[0]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"reason": "market_unknown"}, "returns_or_a_reason"),
        ({"market_return": None}, "returns_or_a_reason"),
        ({"symbol_return": -1.0}, "returns_are_possible"),
        ({"adjusted_return": 0.5}, "adjusted_is_the_difference"),
        ({"label": "bullish"}, "direction_is_known"),
        ({"available_at": SOUND.entry_at}, "horizon_lies_ahead"),
    ],
)
def test_an_outcome_is_filed_under_the_rule_that_it_breaks(change: dict[str, object], rule: str) -> None:
    without = replace(SOUND, **dict.fromkeys(("entry_at", "available_at", "label"), None), reason=PENDING)
    without = replace(without, symbol_return=None, market_return=None, adjusted_return=None)
    assert judge_outcomes([SOUND, without]) == ([SOUND, without], {})
    kept, broken = judge_outcomes([SOUND, replace(SOUND, **change), without])
    assert (kept, broken[1][0]) == ([SOUND, without], rule)


@pytest.mark.shared_data
def test_returns_after_real_articles_are_those_that_the_price_files_say(engine: Engine, shared_data: Path) -> None:
    """Against a second way: the clock of New York and the rows of the files, no calendar of exchanges."""
    opens: dict[str, dict[str, float]] = {}
    closes: dict[str, dict[str, float]] = {}
    for path in sorted((shared_data / "dated/mag7/prices").glob("*.csv")):
        with engine.begin() as connection:
            store_bars(connection, list(read_price_file(path, COLUMNS)), source="files", run_id="r", now=NOW)
        with path.open() as file:
            rows = list(csv.DictReader(file))
        opens[path.stem] = {row["ds"]: float(row["open"]) for row in rows}
        closes[path.stem] = {row["ds"]: float(row["close"]) for row in rows}
    days = sorted(opens["AAPL"])
    with (shared_data / "dated/mag7/training_news/AAPL.csv").open() as file:
        moments = sorted({parsedate_to_datetime(row["date"]).astimezone(UTC) for row in csv.DictReader(file)})
    with engine.connect() as connection:
        prices = Prices(bars_between(connection, *SPAN_OF_FILES), NOW)
    found = compute_outcomes([ArticleTime(str(n), ("AAPL",), at) for n, at in enumerate(moments)], prices, SPAN_OF_FILES, NOW)
    assert len(found) == 2 * len(moments)
    compared = 0
    for one in found:
        local = moments[int(one.article_id)].astimezone(ZoneInfo("America/New_York"))
        entry = bisect_left(days, local.date().isoformat() if local.time() < time(9, 30) else f"{local.date()}~")
        exit_ = entry + one.horizon_sessions - 1
        if exit_ >= len(days):
            assert one.reason in ("entry_price_missing", "exit_price_missing")
            continue
        returns = {symbol: closes[symbol][days[exit_]] / opens[symbol][days[entry]] - 1 for symbol in opens}
        others = [value for symbol, value in returns.items() if symbol != "AAPL"]
        assert one.adjusted_return == pytest.approx(returns["AAPL"] - sum(others) / 6, abs=1e-12)
        compared += 1
    assert compared > 300
