import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import pytest

from sentiment_platform.market.calendar import TradingDays, trading_days


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture(scope="module")
def days() -> TradingDays:
    return trading_days(date(2024, 11, 1), date(2026, 1, 31))


@pytest.mark.parametrize(
    ("day", "opens", "closes"),
    [
        # The clocks of New York change on 9 March and 2 November 2025, those of Europe on other days.
        (date(2025, 3, 7), "14:30", "21:00"),
        (date(2025, 3, 10), "13:30", "20:00"),
        (date(2025, 10, 31), "13:30", "20:00"),
        (date(2025, 11, 3), "14:30", "21:00"),
        # The day after Thanksgiving and the day before Independence Day end at one o'clock in New York.
        (date(2025, 11, 28), "14:30", "18:00"),
        (date(2025, 7, 3), "13:30", "17:00"),
    ],
)
def test_sessions_open_and_close_by_the_clock_of_the_exchange(days: TradingDays, day: date, opens: str, closes: str) -> None:
    session = days.on(day)
    assert session is not None
    assert (f"{session.opens_at:%H:%M}", f"{session.closes_at:%H:%M}") == (opens, closes)
    assert session.opens_at.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "day",
    [
        date(2025, 1, 1),
        date(2025, 1, 9),  # a day of mourning, known only since shortly before
        date(2025, 4, 18),
        date(2025, 7, 4),
        date(2025, 11, 27),
        date(2025, 12, 25),
        date(2025, 11, 29),
        date(2025, 11, 30),
    ],
)
def test_nothing_is_traded_on_holidays_and_weekends(days: TradingDays, day: date) -> None:
    assert days.on(day) is None


@pytest.mark.parametrize(
    ("moment", "session"),
    [
        ("2025-11-26T14:29:59", date(2025, 11, 26)),  # before the opening: the same day
        ("2025-11-26T14:30:00", date(2025, 11, 28)),  # at the opening it is too late for it, and the 27th is a holiday
        ("2025-11-26T16:00:00", date(2025, 11, 28)),
        ("2025-11-28T18:00:00", date(2025, 12, 1)),  # a Friday's early close: Monday
        ("2025-12-31T21:00:00", date(2026, 1, 2)),
    ],
)
def test_what_is_known_at_a_moment_can_be_traded_from_the_next_opening(days: TradingDays, moment: str, session: date) -> None:
    found = days.first_open_after(at(moment))
    assert found is not None
    assert found.day == session


def test_sessions_are_counted_and_the_end_of_the_span_is_no_session(days: TradingDays) -> None:
    first = days.on(date(2025, 11, 26))
    assert first is not None
    assert [s.day if s else None for s in (days.later(first, n) for n in (0, 1, 2))] == [
        date(2025, 11, 26),
        date(2025, 11, 28),
        date(2025, 12, 1),
    ]
    assert days.later(first, 10_000) is None
    assert days.first_open_after(at("2026-02-01")) is None
    closed = days.last_closed(at("2025-11-28T17:59:59"))
    assert closed is not None
    assert closed.day == date(2025, 11, 26)
    assert days.last_closed(at("2020-01-01")) is None
    assert trading_days(date(2025, 11, 29), date(2025, 11, 30)).sessions == ()


def test_importing_the_calendar_loads_neither_pandas_nor_the_package_that_knows_it() -> None:
    program = (
        "import sys; from datetime import date; from sentiment_platform.market import calendar, prices, quality\n"
        "loaded = lambda: sorted({'pandas', 'exchange_calendars', 'polars', 'pandera', 'dagster'} & set(sys.modules))\n"
        "before = loaded(); calendar.trading_days(date(2025, 1, 1), date(2025, 2, 1)); print(before, loaded())"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert found.stdout.strip() == "[] ['exchange_calendars', 'pandas']"
