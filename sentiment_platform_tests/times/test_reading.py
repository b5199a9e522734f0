from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sentiment_platform.times.reading import ReadTime, read_time
from sentiment_platform.times.stated import Stated, stated_clock
from sentiment_platform_tests.times.spellings import ASSUMED, DAYS, NAMED, UNKNOWN, expected, instant

NEW_YORK = Stated(ZoneInfo("America/New_York"))


def test_the_table_is_long_enough_to_mean_something() -> None:
    assert len(expected()) >= 280
    assert len(UNKNOWN) >= 40


@pytest.mark.parametrize("text", NAMED)
def test_a_time_that_names_its_clock_is_that_instant_whatever_the_source_states(text: str) -> None:
    assert read_time(text) == read_time(text, NEW_YORK) == read_time(f"  {text.upper()} ")
    read = read_time(text)
    assert read is not None
    assert (read.at, read.day_only, read.is_assumed) == (instant(NAMED[text]), False, False)


@pytest.mark.parametrize("text", ASSUMED)
def test_a_time_without_a_clock_is_on_the_stated_one_and_says_so(text: str) -> None:
    written = instant(ASSUMED[text])
    assert read_time(text) == ReadTime(written, written.date(), is_assumed=True)
    assert read_time(text, NEW_YORK) == ReadTime(written + timedelta(hours=4), written.date(), is_assumed=True)


@pytest.mark.parametrize("text", DAYS)
def test_a_day_has_no_time_of_day(text: str) -> None:
    day = date.fromisoformat(DAYS[text])
    assert read_time(text) == ReadTime(instant(DAYS[text]), day, day_only=True, is_assumed=True)
    assert read_time(text, NEW_YORK) == ReadTime(instant(DAYS[text]) + timedelta(hours=4), day, day_only=True, is_assumed=True)


@pytest.mark.parametrize("text", UNKNOWN)
def test_what_is_not_known_for_certain_is_unknown(text: str) -> None:
    assert read_time(text) is None
    assert read_time(text, NEW_YORK) is None


@pytest.mark.parametrize(
    ("name", "zone", "utc"),
    [
        ("IST", "Europe/Dublin", "2024-07-02T09:00"),
        ("IST", "Asia/Jerusalem", "2024-07-02T08:00"),
        ("CST", "Asia/Shanghai", "2024-07-02T02:00"),
        ("PST", "Asia/Manila", "2024-07-02T02:00"),
        ("AST", "America/Halifax", "2024-07-02T14:00"),
    ],
)
def test_a_source_whose_own_clock_has_that_name_means_its_own(name: str, zone: str, utc: str) -> None:
    read = read_time(f"Tue, 02 Jul 2024 10:00:00 {name}", stated_clock(zone))
    assert read is not None
    assert read.at == instant(utc)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2025-03-09 01:59:59", "2025-03-09T06:59:59"),
        ("2025-03-09 02:30:00", "2025-03-09T07:30"),  # never happened
        ("2025-03-09 03:00:00", "2025-03-09T07:00"),
        ("2025-11-02 00:59:59", "2025-11-02T04:59:59"),
        ("2025-11-02 01:30:00", "2025-11-02T06:30"),  # happened twice: the later, which is never before the news
        ("2025-11-02 02:00:00", "2025-11-02T07:00"),
        ("2025-11-02 01:30:00 -0400", "2025-11-02T05:30"),
        ("2025-11-02 01:30:00 EDT", "2025-11-02T05:30"),
    ],
)
def test_both_clock_changes_of_a_year_on_a_stated_clock(text: str, utc: str) -> None:
    read = read_time(text, NEW_YORK)
    assert read is not None
    assert read.at == instant(utc)


@pytest.mark.parametrize(
    ("date_format", "text", "utc"),
    [
        ("day-first", "7/8/2024 10:00", "2024-08-07T10:00"),
        ("month-first", "7/8/2024 10:00", "2024-07-08T10:00"),
        ("dmy", "07.08.24", "2024-08-07T00:00"),
        ("ymd", "24-08-07", "2024-08-07T00:00"),
        ("dmy", "2024-08-07", "2024-08-07T00:00"),
        ("dmy", "7/13/2024", None),
        ("%d/%m/%Y %H:%M", "07/08/2024 10:00", "2024-08-07T10:00"),
        ("%d/%m/%Y %H:%M", "2024-08-07T10:00", None),
        ("%Y%j", "2024220", "2024-08-07T00:00"),
        ("%d-%m-%Y %I:%M %p %z", "07-08-2024 10:00 PM +0200", "2024-08-07T20:00"),
    ],
)
def test_a_stated_format_decides_what_reads_two_ways(date_format: str, text: str, utc: str | None) -> None:
    read = read_time(text, stated_clock(date_format=date_format))
    assert (read.at if read else None) == (instant(utc) if utc else None)


def test_a_format_without_a_time_of_day_gives_days() -> None:
    read = read_time("07/08/2024", stated_clock("America/New_York", "%d/%m/%Y"))
    assert read == ReadTime(datetime(2024, 8, 7, 4, tzinfo=UTC), date(2024, 8, 7), day_only=True, is_assumed=True)


@pytest.mark.parametrize("date_format", ["%H:%M", "%m/%d", "%d %Z %Y", "%c", "european", "%Q", "%"])
def test_a_format_that_names_no_day_is_refused_with_examples(date_format: str) -> None:
    with pytest.raises(ValueError, match="day-first"):
        stated_clock(date_format=date_format)


@pytest.mark.parametrize("zone", ["", "EST5", "Mars/Olympus", "+01:00", "../../etc/passwd"])
def test_a_zone_that_is_none_is_refused_with_an_example(zone: str) -> None:
    with pytest.raises(ValueError, match="America/New_York"):
        stated_clock(zone)


def test_typed_values_are_read_like_texts() -> None:
    naive, aware = datetime(2024, 7, 2, 10), datetime(2024, 7, 2, 10, tzinfo=ZoneInfo("Asia/Tokyo"))
    assert read_time(naive, NEW_YORK) == ReadTime(datetime(2024, 7, 2, 14, tzinfo=UTC), date(2024, 7, 2), is_assumed=True)
    assert read_time(aware, NEW_YORK) == ReadTime(datetime(2024, 7, 2, 1, tzinfo=UTC), date(2024, 7, 2))
    assert read_time(date(2024, 7, 2)) == ReadTime(
        datetime(2024, 7, 2, tzinfo=UTC), date(2024, 7, 2), day_only=True, is_assumed=True
    )
    assert read_time(1719914400) == read_time(1719914400.0) == ReadTime(datetime(2024, 7, 2, 10, tzinfo=UTC))
    assert read_time(20240702) == read_time("20240702")
    assert [read_time(value) for value in (None, True, float("nan"), float("inf"), [], {}, 10**5000)] == [None] * 7


SCRAPS = st.sampled_from(
    [*expected(), *"0123456789:-+/. TZ,()[]", "GMT", "UTC+", "am", "Jul", "de ", "e+", "\u5e74", "\u0660", "\u00b2"]
)


@settings(max_examples=500, deadline=None)
@given(
    st.one_of(
        st.text(max_size=120), st.lists(SCRAPS, max_size=8).map("".join), st.integers(), st.floats(), st.datetimes(), st.dates()
    )
)
@example("\u00b2024-07-02")
@example("9" * 100)
@example("1.0e+99")
@example("31 \u0661 2024")
def test_no_input_raises_and_what_is_read_is_a_sane_instant(value: object) -> None:
    for stated in (Stated(), NEW_YORK, stated_clock("Pacific/Apia", "dmy"), stated_clock(date_format="%Y%m%d %H%M")):
        read = read_time(value, stated)
        assert read is None or (read.at.tzinfo is UTC and 1900 <= read.at.year <= 2099)
