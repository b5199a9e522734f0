"""Between the rows of a report and the rows of its tables: tests, and both distributions of each subject."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sentiment_platform.monitoring.samples import Sample
from sentiment_platform.statistics.drift.by_feature import FeatureDrift
from sentiment_platform.statistics.drift.histograms import two_histograms
from sentiment_platform.store.drift import DriftRow, StoredDistribution


def rows_to_store(
    rows: Sequence[FeatureDrift],
    *,
    report_id: str,
    reference: Mapping[str, str],
    window: tuple[datetime, datetime],
    windows_moved: Mapping[str, int] | None = None,
) -> list[DriftRow]:
    """The rows of a report; `reference` says by subject what it was compared with."""
    return [
        DriftRow(
            report_id=report_id,
            subject=row.feature,
            test=row.test,
            window_start=window[0],
            window_end=window[1],
            reference=reference[row.feature],
            n_reference=row.n_reference,
            n_current=row.n_current,
            statistic=row.statistic,
            p_value=row.p_value,
            adjusted_p_value=row.adjusted_p,
            effect_size=row.effect_size,
            threshold=row.threshold,
            drifted=row.drifted,
            windows_moved=None if windows_moved is None else windows_moved[row.feature],
        )
        for row in rows
    ]


def row_of(stored: DriftRow) -> FeatureDrift:
    """The test of a stored row; why it could not be made is not stored."""
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


def distribution_of(report_id: str, sample: Sample) -> StoredDistribution:
    """Both sides of a sample over the same bins."""
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
