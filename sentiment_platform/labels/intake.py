"""Whether what training is about to take in is sound: labels as they were read, and the news of the newest days. Free of I/O.

The checks of collection stop their own run; training is another run, and asks here. What was fixed and left quarantine counts no more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sentiment_platform.news.evaluation import QuarantineShare
from sentiment_platform.news.profiles import SchemaDrift, evaluate_schema
from sentiment_platform.store.label_sets import ImportedFile
from sentiment_platform.store.profiles import SourceProfile
from sentiment_platform.store.quarantine import DayOfNews

NEWEST = timedelta(days=7)
"""As far back as news is looked at: training is asked for at least once a week."""


@dataclass(frozen=True, slots=True)
class Intake:
    """Label set -> what was refused of its newest file; UTC day -> what is refused of the news that came then; and how its fields
    differ from before.
    """

    files: Mapping[str, QuarantineShare]
    days: Mapping[str, QuarantineShare]
    drift: SchemaDrift

    @property
    def unsound(self) -> tuple[str, ...]:
        """Every fault in words."""
        refusals = [
            f"{kind} {name}: {share.quarantined:,} of {share.fetched:,} refused"
            for kind, shares in (("label set", self.files), ("news of", self.days))
            for name, share in shares.items()
            if not share.is_low
        ]
        return (*refusals, *(f"{jump.source}, {jump.day}: {jump.field} {jump.detail}" for jump in self.drift.jumps))

    @property
    def is_alarming(self) -> bool:
        """Whether a large part of a file or of a day is refused, or a source no longer delivers what it used to."""
        return self.drift.is_alarming or any(share.is_alarming for share in (*self.files.values(), *self.days.values()))


def evaluate_intake(
    files: Sequence[ImportedFile], days: Sequence[DayOfNews], profiles: Sequence[SourceProfile], now: datetime
) -> Intake:
    """Judge the newest of the `files` of each set (in the order of their import), the `days`, and the `profiles` of NEWEST."""
    newest = {file.label_set: QuarantineShare(file.rows_read, sum(file.refused.values())) for file in files}
    shares = {
        day.day.isoformat(): QuarantineShare(day.stored + day.waiting_items, day.waiting_items + day.waiting_articles)
        for day in days
    }
    today = now.astimezone(UTC).date()
    return Intake(newest, shares, evaluate_schema(profiles, today - NEWEST, today + timedelta(days=1)))
