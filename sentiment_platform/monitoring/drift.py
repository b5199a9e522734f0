"""Has what the model is asked, or what it answers, moved away from what it was made from? Measured, judged and stored.

The tests are `statistics.drift`, the samples `samples`, the word for it all `severity`; what follows from it is `decision`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import msgspec
import numpy as np
from sqlalchemy import Connection, Engine

from sentiment_platform.monitoring.samples import Sample, read_samples, read_served
from sentiment_platform.monitoring.severity import PREDICTED_LABEL, SCORES, Severity, severity_of
from sentiment_platform.served.champion import watched_version
from sentiment_platform.statistics.drift.by_feature import KS_THRESHOLD, MIN_ROWS, PSI_THRESHOLD, FeatureDrift, drift_by_feature
from sentiment_platform.statistics.drift.histograms import two_histograms
from sentiment_platform.statistics.significance import holm
from sentiment_platform.store.drift import DriftRow, StoredDistribution, newest_drift_rows, write_distributions, write_drift_rows
from sentiment_platform.store.predictions import ServedPrediction

WINDOW = timedelta(days=7)
ALPHA = 0.05


@dataclass(frozen=True, kw_only=True)
class DriftReport:
    """All tests of one window against one version's training set.

    Attributes:
        report_id: digest of version, predictions and thresholds: the same inputs are the same report; empty where `note` is set.
        missing: feature -> share of missing values in the reference and in what was served.
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
    missing: Mapping[str, tuple[float, float]]
    note: str = ""
    new: bool = field(default=False, compare=False)

    @property
    def drifted(self) -> tuple[str, ...]:
        """Subjects that at least one test names, in the order of the report."""
        return tuple(dict.fromkeys(row.feature for row in self.rows if row.drifted))

    @property
    def tested(self) -> int:
        """Subjects that at least one test could judge."""
        return len({row.feature for row in self.rows if row.statistic is not None})


def measure_drift(engine: Engine, now: datetime, window: timedelta = WINDOW) -> DriftReport:
    """Compare the predictions served in `window` before `now` with what the watched version was made from; store the rows.

    A window with few predictions is widened (`samples.read_served`). Measuring the same predictions again writes nothing.
    """
    with engine.begin() as connection:
        version = watched_version(connection)
        if isinstance(version, str):
            return _nothing("", version)
        served = read_served(connection, version.manifest.feature_schema.name, now, window)
        if not served:
            return _nothing(version.version, f"No prediction with the features of {version.version} has arrived yet.")
        samples = read_samples(connection, version, served)
        rows = judge(samples)
        report = DriftReport(
            report_id=_report_id(version.version, version.training_set, served),
            version=version.version,
            window_start=min(row.predicted_at for row in served),
            window_end=max(row.predicted_at for row in served),
            texts=len(served),
            severity=severity_of(rows),
            rows=rows,
            missing={
                s.subject: (_missing_share(s.reference), _missing_share(s.current)) for s in samples if s.subject not in SCORES
            },
        )
        added = write_drift_rows(connection, _to_store(report, {sample.subject: sample.part for sample in samples}))
        write_distributions(connection, [_distribution(report.report_id, sample) for sample in samples])
    return replace(report, new=added > 0)


def read_drift(connection: Connection, version: str) -> DriftReport:
    """The report about `version` that was stored last, without its shares of missing values."""
    stored = newest_drift_rows(connection, version)
    if not stored:
        return _nothing(version, f"There is no drift report on {version} yet.")
    rows = tuple(_row(row) for row in stored)
    first = stored[0]
    return DriftReport(
        report_id=first.report_id,
        version=version,
        window_start=first.window_start,
        window_end=first.window_end,
        texts=max(row.n_current for row in rows),
        severity=severity_of(rows),
        rows=rows,
        missing={},
    )


def judge(samples: Sequence[Sample], alpha: float = ALPHA) -> tuple[FeatureDrift, ...]:
    """KS and PSI of every subject on the values that are present, "drifted" decided over all tests of the report together.

    Missing values are left out of both tests: whether a context feature is there is up to the caller and to how an example was
    labelled, and the model masks it. Their shares stand beside the report. The predicted label, a category, has PSI only.
    """
    rows = [row for sample in samples for row in _tests(sample)]
    adjusted = iter(holm([row.p_value for row in rows if row.p_value is not None]))
    judged: list[FeatureDrift] = []
    for row in rows:
        if row.statistic is None or row.p_value is None:
            judged.append(row)
            continue
        # The same rule as drift_by_feature, but adjusted over features and scores alike, which are samples of different sizes.
        p = float(next(adjusted))
        judged.append(msgspec.structs.replace(row, adjusted_p=p, drifted=row.statistic >= row.threshold and p < alpha))
    return tuple(judged)


def _tests(sample: Sample) -> list[FeatureDrift]:
    sides = [values[~np.isnan(values)][:, np.newaxis] for values in (sample.reference, sample.current)]
    rows = drift_by_feature(sides[0], sides[1], [sample.subject])
    if sample.subject == PREDICTED_LABEL:
        rows = tuple(row for row in rows if row.test == "psi")
    where = _absent(sample, len(sides[0]), len(sides[1]))
    return [msgspec.structs.replace(row, not_testable=where) if where and row.statistic is None else row for row in rows]


def _absent(sample: Sample, reference: int, current: int) -> str | None:
    if sample.reference.size == 0:
        return f"no {sample.part} part of this version is stored here"
    if sample.reference.size >= MIN_ROWS and reference == 0:
        return "missing in every row of the reference"
    if sample.current.size >= MIN_ROWS and current == 0:
        return "missing in everything served"
    return None


def _missing_share(values: Any) -> float:
    return float(np.isnan(values).mean()) if values.size else 0.0


def _report_id(version: str, training_set: str, served: Sequence[ServedPrediction]) -> str:
    content = [version, training_set, ALPHA, KS_THRESHOLD, PSI_THRESHOLD, MIN_ROWS, sorted(row.id for row in served)]
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
        missing={},
        note=note,
    )


def _to_store(report: DriftReport, parts: Mapping[str, str]) -> list[DriftRow]:
    if report.window_start is None or report.window_end is None:
        return []
    return [
        DriftRow(
            report_id=report.report_id,
            subject=row.feature,
            test=row.test,
            window_start=report.window_start,
            window_end=report.window_end,
            reference=f"{report.version}:{parts[row.feature]}",
            n_reference=row.n_reference,
            n_current=row.n_current,
            statistic=row.statistic,
            p_value=row.p_value,
            adjusted_p_value=row.adjusted_p,
            effect_size=row.effect_size,
            threshold=row.threshold,
            drifted=row.drifted,
        )
        for row in report.rows
    ]


def _distribution(report_id: str, sample: Sample) -> StoredDistribution:
    seen = two_histograms(sample.reference, sample.current)
    return StoredDistribution(
        report_id=report_id,
        subject=sample.subject,
        edges=list(seen.edges),
        reference=list(seen.reference),
        current=list(seen.current),
        reference_missing=seen.reference_missing,
        current_missing=seen.current_missing,
    )


def _row(stored: DriftRow) -> FeatureDrift:
    return FeatureDrift(
        feature=stored.subject,
        test=stored.test,
        statistic=stored.statistic,
        p_value=stored.p_value,
        adjusted_p=stored.adjusted_p_value,
        effect_size=stored.effect_size,
        threshold=stored.threshold,
        drifted=stored.drifted,
        n_reference=stored.n_reference,
        n_current=stored.n_current,
        not_testable=None if stored.statistic is not None else "too few values",
    )
