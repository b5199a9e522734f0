"""What was told of a version's fit, read and put into words: for its pages, and for serving, which loads no tests."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from sentiment_platform.monitoring.severity import TEXT
from sentiment_platform.store.drift import DriftRow, fit_rows


@dataclass(frozen=True)
class Fit:
    """The one comparison of traffic with the training set of a version; `rows` is empty where there is none."""

    version: str
    told_at: datetime | None
    texts: int
    rows: tuple[DriftRow, ...]

    @property
    def differs(self) -> list[str]:
        """Subjects that differ, in the order of their names."""
        return list(dict.fromkeys(row.subject for row in self.rows if row.drifted))

    @property
    def words(self) -> str:
        """The fit in one or two sentences."""
        if self.told_at is None:
            return f"How {self.version} fits what is asked is told once enough was asked, where its training set is stored."
        if not self.differs:
            return f"What is asked of {self.version} is like what it was trained on ({self.texts:,} stories)."
        area = next((row.statistic for row in self.rows if row.subject == TEXT and row.drifted), None)
        texts = "" if area is None else f" The texts can be told apart with an area of {area:.2f}, where chance has 0.5."
        return (
            f"What is asked of {self.version} differs from what it was trained on ({self.texts:,} stories): {', '.join(self.differs)}."
            f"{texts} This is told once and is no alarm."
        )


def read_fit(connection: Connection, version: str) -> Fit:
    """What was told of `version`."""
    stored = fit_rows(connection, version)
    if not stored:
        return Fit(version, None, 0, ())
    return Fit(version, stored[0].created_at, max(row.n_current for row in stored), tuple(stored))
