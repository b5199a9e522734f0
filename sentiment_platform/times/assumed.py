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
        counted = "1 time has" if self.times == 1 else f"{self.times:,} times have"
        share = self.in_exchange_hours / self.times
        read = f"{counted} no offset and read as {self.stated.zone}; {share:.0%} of them between 13:30 and 20:00 UTC, the exchange's hours."
        return f"{read} If they are another clock's, say so with {self.remedy}." if self.stated.zone is UTC else read
