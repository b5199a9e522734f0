"""Is what is asked, and what is answered, different from the weeks before? Measured, judged and stored.

The spans are `windows`, the rule is `judging`, the word for it all `severity`; what follows from it is `decision`. How far traffic is
from what a version was trained on is another question: `fit`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine

from sentiment_platform.monitoring.fit import tell_fit
from sentiment_platform.monitoring.judging import ALPHA, PERSISTS, judge, lasting, telling_words
from sentiment_platform.monitoring.samples import change_samples
from sentiment_platform.monitoring.severity import CLOCK, SCORES, Severity, severity_of
from sentiment_platform.monitoring.stored_reports import distribution_of, row_of, rows_to_store
from sentiment_platform.monitoring.windows import MIN_TEXTS, WINDOW, Traffic, read_traffic, read_traffic_by_number
from sentiment_platform.served.champion import watched_version
from sentiment_platform.statistics.drift.by_feature import KS_THRESHOLD, PSI_THRESHOLD, FeatureDrift
from sentiment_platform.statistics.drift.texts import AUC_THRESHOLD
from sentiment_platform.store.drift import EARLIER, StoredDistribution, newest_drift_rows, write_distributions, write_drift_rows


@dataclass(frozen=True, kw_only=True)
class DriftReport:
    """All tests of the newest window against earlier traffic; a subject has drifted where it moved in that window and in another.

    Attributes:
        report_id: digest of version, predictions and thresholds: the same inputs are the same report; empty where `note` is set.
        windows_moved: subject -> in how many of the windows it moved.
        missing: feature -> share of missing values in the reference and in what was served.
        words: by which the texts of the window differ most.
        distributions: of every subject, both samples over the same bins; empty where the report was read.
        note: why nothing was measured.
        new: whether this measurement was the first to store it.
    """

    report_id: str
    version: str
    window_start: datetime | None
    window_end: datetime | None
    texts: int
    severity: Severity
    rows: tuple[FeatureDrift, ...]
    windows_moved: Mapping[str, int]
    missing: Mapping[str, tuple[float, float]]
    words: tuple[str, ...] = ()
    distributions: tuple[StoredDistribution, ...] = ()
    note: str = ""
    new: bool = field(default=False, compare=False)

    @property
    def drifted(self) -> tuple[str, ...]:
        """Subjects that at least one test names, in the order of the report."""
        return tuple(dict.fromkeys(row.feature for row in self.rows if row.drifted))

    @property
    def moved(self) -> tuple[str, ...]:
        """Subjects that moved in the newest window for the first time: nobody is alarmed before another window says so."""
        beyond = (row for row in self.rows if row.adjusted_p is not None and row.adjusted_p < ALPHA)
        names = dict.fromkeys(row.feature for row in beyond if row.statistic is not None and row.statistic >= row.threshold)
        return tuple(name for name in names if name not in self.drifted)

    @property
    def tested(self) -> int:
        """Subjects that at least one test could judge."""
        return len({row.feature for row in self.rows if row.statistic is not None and row.feature not in CLOCK})


def measure_drift(
    engine: Engine, now: datetime, window: timedelta = WINDOW, *, texts_per_window: int | None = None
) -> DriftReport:
    """Compare the three newest windows before `now` with the weeks before them; store the rows. Tell a version's fit once.

    Measuring the same predictions again writes nothing.

    Args:
        texts_per_window: cut windows by so many stories instead of by time; they are then judged however few they are.
    """
    with engine.begin() as connection:
        version = watched_version(connection)
        if isinstance(version, str):
            return _nothing("", version)
        schema, tag = version.manifest.feature_schema.name, version.version
        traffic = (
            read_traffic(connection, schema, tag, now, window)
            if texts_per_window is None
            else read_traffic_by_number(connection, schema, tag, now, texts_per_window)
        )
        newest = traffic.windows[0]
        if not newest:
            return _nothing(tag, f"Nobody asked {tag} anything in the {window.days} days before {now:%Y-%m-%d %H:%M} UTC.")
        tell_fit(connection, version, newest)
        min_texts = MIN_TEXTS if texts_per_window is None else texts_per_window
        compared = [change_samples(version, traffic.earlier, served) for served in traffic.windows]
        rows, windows_moved = lasting([judge(samples, texts, min_rows=min_texts) for samples, texts in compared])
        samples, texts = compared[0]
        report_id = _report_id(tag, traffic, min_texts)
        report = DriftReport(
            report_id=report_id,
            version=tag,
            window_start=min(row.predicted_at for row in newest),
            window_end=max(row.predicted_at for row in newest),
            texts=len(newest),
            severity=severity_of(rows),
            rows=rows,
            windows_moved=windows_moved,
            missing={
                s.subject: (_missing_share(s.reference), _missing_share(s.current)) for s in samples if s.subject not in SCORES
            },
            words=telling_words(texts, min_texts),
            distributions=tuple(distribution_of(report_id, sample) for sample in samples),
        )
        added = write_drift_rows(connection, _to_store(report))
        write_distributions(connection, report.distributions)
    return replace(report, new=added > 0)


def read_drift(connection: Connection, version: str, now: datetime, window: timedelta = WINDOW) -> DriftReport:
    """The newest report on `version`, without what is not stored of it; none where its window ended more than a window before `now`."""
    stored = newest_drift_rows(connection, version)
    if not stored:
        return _nothing(version, f"There is no drift report on {version} yet.")
    first = stored[0]
    if first.window_end <= now - window:
        return _nothing(version, f"The newest drift report on {version} is of {first.window_end:%Y-%m-%d}: nobody asked since.")
    rows = tuple(row_of(row) for row in stored)
    return DriftReport(
        report_id=first.report_id,
        version=version,
        window_start=first.window_start,
        window_end=first.window_end,
        texts=max(row.n_current for row in rows),
        severity=severity_of(rows),
        rows=rows,
        windows_moved={row.subject: row.windows_moved or 0 for row in stored},
        missing={},
    )


def _missing_share(values: Any) -> float:
    return float(np.isnan(values).mean()) if values.size else 0.0


def _report_id(version: str, traffic: Traffic, min_texts: int) -> str:
    spans = [sorted(row.id for row in rows) for rows in (*traffic.windows, traffic.earlier)]
    content = [version, ALPHA, KS_THRESHOLD, PSI_THRESHOLD, AUC_THRESHOLD, PERSISTS, min_texts, spans]
    return sha256(json.dumps(content).encode()).hexdigest()[:32]


def _nothing(version: str, note: str) -> DriftReport:
    return DriftReport(
        report_id="",
        version=version,
        window_start=None,
        window_end=None,
        texts=0,
        severity="none",
        rows=(),
        windows_moved={},
        missing={},
        note=note,
    )


def _to_store(report: DriftReport) -> Sequence[Any]:
    if report.window_start is None or report.window_end is None:
        return []
    return rows_to_store(
        report.rows,
        report_id=report.report_id,
        reference={row.feature: f"{report.version}:{EARLIER}" for row in report.rows},
        window=(report.window_start, report.window_end),
        windows_moved=report.windows_moved,
    )
