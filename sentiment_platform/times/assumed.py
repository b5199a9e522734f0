"""How many times of an import named no clock, and what that may have cost: an hour of the wrong session is look-ahead."""

from dataclasses import dataclass
from datetime import UTC, time

from sentiment_platform.times.reading import ReadTime
from sentiment_platform.times.stated import Stated

OPENS, CLOSES = time(13, 30), time(20)
"""When New York trades in summer, in UTC."""


@dataclass(slots=True)
class AssumedClock:
    """Counts the times that were read by the stated clock because they named none. `remedy`: where a clock is stated."""

    stated: Stated
    remedy: str
    times: int = 0
    in_exchange_hours: int = 0

    def add(self, read: ReadTime | None) -> None:
        """Count a time; a day without a time of day has no clock to be wrong."""
        if read is not None and read.is_assumed and not read.day_only:
            self.times += 1
            self.in_exchange_hours += OPENS <= read.at.time() < CLOSES

    def note(self) -> str | None:
        """One sentence on what was assumed; None where every time named its clock."""
        if not self.times:
            return None
        counted = "1 time has no offset and is" if self.times == 1 else f"{self.times:,} times have no offset and are"
        share = f"{self.in_exchange_hours / self.times:.0%} of them fall between 13:30 and 20:00 UTC, when the exchange is open."
        remedy = f" If they are of another clock, say so with {self.remedy}." if self.stated.zone is UTC else ""
        return f"{counted} read as {self.stated.zone}; {share}{remedy}"
