"""The day that a vendor means by a number or a time, at each exchange; or none."""

from datetime import date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from sentiment_platform.market.bars import read_bar, read_session
from sentiment_platform.market.calendar import CRYPTO, CURRENCIES, NEW_YORK, UNKNOWN, session_on
from sentiment_platform.market.price_files import parse_price_map, read_price_file
from sentiment_platform.times.stated import Stated, stated_clock

ZONES = {
    NEW_YORK: "America/New_York",
    "XKRX": "Asia/Seoul",
    "XTKS": "Asia/Tokyo",
    "XHKG": "Asia/Hong_Kong",
    "XLON": "Europe/London",
    "XETR": "Europe/Berlin",
    "XASX": "Australia/Sydney",
    "XNZE": "Pacific/Auckland",
    "BVMF": "America/Sao_Paulo",
    "XTAE": "Asia/Tel_Aviv",
    "XBOM": "Asia/Kolkata",
    "XBOG": "America/Bogota",
}
DAYS = [date(2025, 2, 19), date(2025, 7, 2), date(2025, 4, 2), date(2025, 10, 30)]
"""Winter and summer, and the weeks in which some clocks have been changed and others not."""


def midnights(exchange: str, day: date) -> list[datetime]:
    """Of UTC, of the exchange, and its opening."""
    session = session_on(exchange, day)
    assert session is not None
    zones = (ZoneInfo("UTC"), ZoneInfo(ZONES[exchange]))
    return [*(datetime.combine(day, time(), zone) for zone in zones), session.opens_at]


@pytest.mark.parametrize("per_second", [1, 10**3, 10**6, 10**9])
@pytest.mark.parametrize("exchange", ZONES)
def test_a_number_is_the_day_of_the_midnight_or_opening_that_it_is(exchange: str, per_second: int) -> None:
    for day in DAYS:
        for moment in midnights(exchange, day):
            number = round(moment.timestamp()) * per_second
            assert read_session(number, None, exchange) == day, moment
            assert read_session(str(number), None, exchange) == day, moment
            assert read_session(moment.astimezone(ZoneInfo("UTC")).isoformat(), None, exchange) == day, moment
            assert read_session(moment.isoformat(), None, exchange) == day, moment
            # Some minutes later it is nobody's midnight.
            assert read_session(number + 420 * per_second, None, exchange) is None, moment


@pytest.mark.parametrize(
    ("cell", "exchange", "day"),
    [
        ("2025-02-18T00:00:00.000Z", NEW_YORK, date(2025, 2, 18)),
        ("2025-02-18 16:00:00-05:00", NEW_YORK, date(2025, 2, 18)),
        ("2025-02-18 20:00:00-05:00", NEW_YORK, date(2025, 2, 18)),
        # A spreadsheet's close, on nobody's clock.
        ("2/18/2025 16:00:00", NEW_YORK, date(2025, 2, 18)),
        # Midnight of the 18th in Seoul, printed in UTC: with its zone it is that, without it may be either.
        ("2025-02-17T15:00:00Z", "XKRX", date(2025, 2, 18)),
        ("2025-02-17 15:00:00", "XKRX", None),
        ("2025-02-18 15:30:00", "XKRX", date(2025, 2, 18)),
        # Neither midnight nor opening: the end of a day in New York is midnight of the next in Moscow.
        ("2025-02-18T21:00:00Z", NEW_YORK, None),
        (1739923200 - 3 * 3600, NEW_YORK, None),
        (1739833200, NEW_YORK, None),
        # What trades always has the days of UTC, and no others.
        (1739836800, CRYPTO, date(2025, 2, 18)),
        ("2025-02-18T23:59:59.999Z", CRYPTO, date(2025, 2, 18)),
        ("2025-02-18T00:00:00+09:00", CRYPTO, None),
        (1739833200, CURRENCIES, None),
        # Nobody knows the clock of an unknown exchange.
        (1739836800, UNKNOWN, date(2025, 2, 18)),
        (1739833200, UNKNOWN, None),
        ("2025-02-18", UNKNOWN, date(2025, 2, 18)),
        # Midnight of New York is no day in London: it may be the day before on a clock further west.
        (1739854800, "XLON", None),
    ],
)
def test_what_a_moment_means_depends_on_the_exchange_and_is_none_where_it_may_mean_two_days(
    cell: object, exchange: str, day: date | None
) -> None:
    assert read_session(cell, None, exchange) == day


@pytest.mark.parametrize(
    ("zone", "cell", "exchange", "day"),
    [
        ("Asia/Seoul", 1739804400, "XLON", date(2025, 2, 18)),
        ("America/New_York", 1739912400, NEW_YORK, date(2025, 2, 18)),
        ("Asia/Seoul", "2025-02-17T15:00:00Z", NEW_YORK, date(2025, 2, 18)),
        ("Europe/London", "2025-02-18", CRYPTO, date(2025, 2, 18)),
        # The day of another clock begins before the opening that is taken for its own.
        ("Asia/Seoul", 1739804400, CRYPTO, None),
        ("UTC", 1739804400, CRYPTO, date(2025, 2, 17)),
    ],
)
def test_a_stated_clock_says_which_day_a_moment_is(zone: str, cell: object, exchange: str, day: date | None) -> None:
    assert read_session(cell, stated_clock(zone), exchange) == day


def test_a_stated_format_is_no_stated_clock(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text("session,open,high,low,close\n1739804400,1,1,1,1\n18/02/2025,1,1,1,1\n")
    stated = Stated(order="dmy", has_zone=False)
    days = [bar.session for bar in read_price_file(path, parse_price_map(""), "999990.KS", stated)]
    assert days == [date(2025, 2, 18), date(2025, 2, 18)]


def test_each_row_of_a_file_is_read_on_the_clock_of_its_own_symbol() -> None:
    cells = {"open": 1, "high": 1, "low": 1, "close": 1}
    rows = [("999990.KS", 1739804400), ("LMP", 1739854800), ("LMP.AX", 1739833200), ("BTC-USD", 1739836800)]
    sessions = [read_bar({**cells, "symbol": symbol, "session": number}, {}).session for symbol, number in rows]
    assert sessions == [date(2025, 2, 18)] * 4
