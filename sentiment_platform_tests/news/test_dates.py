from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from sentiment_platform.news.dates import PublicationTime, parse_instant, parse_time


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Wed, 05 Nov 2025 14:21:36 -0500", datetime(2025, 11, 5, 19, 21, 36, tzinfo=UTC)),
        ("Sun, 08 Mar 2026 22:16 GMT", datetime(2026, 3, 8, 22, 16, tzinfo=UTC)),
        ("Mon, 06 Jan 2025 10:00:00 EST", datetime(2025, 1, 6, 15, tzinfo=UTC)),
        ("Mon, 06 Jan 2025 10:00:00", datetime(2025, 1, 6, 10, tzinfo=UTC)),
        ("2026-03-15T00:48:24.900Z", datetime(2026, 3, 15, 0, 48, 24, 900000, tzinfo=UTC)),
        ("2026-03-15 00:48:24+02:00", datetime(2026, 3, 14, 22, 48, 24, tzinfo=UTC)),
        ("2026-03-15T00:48:24", datetime(2026, 3, 15, 0, 48, 24, tzinfo=UTC)),
        ("2020-07-18", datetime(2020, 7, 18, tzinfo=UTC)),
        ("Jul 18 2020", datetime(2020, 7, 18, tzinfo=UTC)),
        ("July 18, 2020", datetime(2020, 7, 18, tzinfo=UTC)),
        ("18-Jul-20", datetime(2020, 7, 18, tzinfo=UTC)),
        (" 7:51  PM ET Fri, 17 July 2020", datetime(2020, 7, 17, 23, 51, tzinfo=UTC)),
        ("7:51 PM ET Fri, 17 January 2020", datetime(2020, 1, 18, 0, 51, tzinfo=UTC)),
        ("7:24  PM ET Fri, 28 Feb 2020", datetime(2020, 2, 29, 0, 24, tzinfo=UTC)),
        ("1595030400", datetime(2020, 7, 18, tzinfo=UTC)),
        ("1595030400000", datetime(2020, 7, 18, tzinfo=UTC)),
    ],
)
def test_a_publication_time_is_read_into_utc(text: str, expected: datetime) -> None:
    assert parse_instant(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2020",
        "2020-13-40",
        "Wed, 45 Nov 2025 14:21:36 GMT",
        "Mon, 06 Jan 2025 10:00:00 CEST",
        "9" * 40,
        "0001-01-01T00:00:00+14:00",
    ],
)
def test_what_cannot_be_read_for_certain_is_not_guessed(text: str) -> None:
    assert parse_instant(text) is None


NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-03-09T01:59:59", datetime(2025, 3, 9, 6, 59, 59, tzinfo=UTC)),
        ("2025-03-09T03:00:00", datetime(2025, 3, 9, 7, tzinfo=UTC)),
        ("2025-11-02T00:59:59", datetime(2025, 11, 2, 4, 59, 59, tzinfo=UTC)),
        ("2025-11-02T02:00:00", datetime(2025, 11, 2, 7, tzinfo=UTC)),
        ("2025-11-02T01:30:00-04:00", datetime(2025, 11, 2, 5, 30, tzinfo=UTC)),
    ],
)
def test_a_naive_time_of_a_zone_is_read_by_the_clock_of_that_day(text: str, expected: datetime) -> None:
    assert parse_time(text, NEW_YORK) == PublicationTime(expected)


def test_a_time_of_day_that_happens_twice_or_never_is_read_as_the_later_moment() -> None:
    assert parse_time("2025-11-02T01:30:00", NEW_YORK) == PublicationTime(datetime(2025, 11, 2, 6, 30, tzinfo=UTC))
    assert parse_time("2025-03-09T02:30:00", NEW_YORK) == PublicationTime(datetime(2025, 3, 9, 7, 30, tzinfo=UTC))
    assert parse_instant("1:30 AM ET Sun, 2 November 2025") == datetime(2025, 11, 2, 6, 30, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2020-07-18", "Jul 18 2020", "18-Jul-20", "July 18, 2020"])
def test_a_day_without_a_time_of_day_is_known_as_such(text: str) -> None:
    assert parse_time(text) == PublicationTime(datetime(2020, 7, 18, tzinfo=UTC), day_only=True)


@pytest.mark.parametrize("text", ["2020-07-18T00:00:00Z", "2020-07-18 00:00", "1595030400", "20200718T000000"])
def test_midnight_is_a_time_of_day(text: str) -> None:
    assert parse_time(text) == PublicationTime(datetime(2020, 7, 18, tzinfo=UTC))
