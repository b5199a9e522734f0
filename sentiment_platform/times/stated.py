"""What a source, an import or an entry says of its times: their clock, and how their days are written."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from sentiment_platform.times.shapes import Order
from sentiment_platform.times.zones import zone_of

ORDERS: dict[str, Order] = {
    "day-first": "dmy",
    "month-first": "mdy",
    "year-first": "ymd",
    "dmy": "dmy",
    "mdy": "mdy",
    "ymd": "ymd",
}
_SAMPLE = datetime(2024, 7, 13, 21, 31, 5, tzinfo=UTC)
_OF_THE_CLOCK = ("%H", "%I", "%M", "%S", "%T", "%R")
_OF_THE_MACHINE = ("%Z", "%c", "%x", "%X", "%s")


@dataclass(frozen=True, slots=True)
class Stated:
    """`zone`: of times that name none. `order`: of days in three numbers. `pattern`: strptime's codes; then nothing else is read.
    `has_zone`: somebody stated the zone; else it is assumed."""

    zone: tzinfo = UTC
    order: Order | None = None
    pattern: str = ""
    has_zone: bool = field(default=True, compare=False)

    @property
    def is_day_only(self) -> bool:
        """Whether the pattern has no time of day."""
        return not any(code in self.pattern for code in _OF_THE_CLOCK)

    def by_pattern(self, text: str) -> datetime | None:
        """`text` by the pattern, without zone where the pattern has none; None where it does not fit."""
        try:
            return datetime.strptime(text, self.pattern)  # noqa: DTZ007  the stated zone follows
        except ValueError:
            return None


def stated_clock(zone: str = "UTC", date_format: str = "") -> Stated:
    """From the words of a person: an IANA name, and strptime's codes or the name of an order (`day-first`, `mdy`).

    Raises:
        ValueError: no such zone, or a format that does not name a day.
    """
    clock = zone_of(zone)
    written = date_format.strip()
    if written.lower() in ORDERS:
        return Stated(clock, ORDERS[written.lower()])
    if written and not _names_a_day(written):
        raise ValueError(f"{date_format!r} is no format of dates; write it like %d/%m/%Y %H:%M, or as day-first or month-first")
    return Stated(clock, pattern=written)


def _names_a_day(pattern: str) -> bool:
    """Whether a day survives being written and read; codes that ask the machine for its own zone or language do not count."""
    if any(code in pattern for code in _OF_THE_MACHINE) or not any(code in pattern for code in ("%Y", "%y", "%G")):
        return False
    try:
        return datetime.strptime(_SAMPLE.strftime(pattern), pattern).date() == _SAMPLE.date()  # noqa: DTZ007  only the day counts
    except ValueError:
        return False
