"""The same training from several seeds: the mean figure, and how far it could be off by the texts that happened to be in the test part."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from sentiment_platform.models.evaluation.evaluation import Evaluation
from sentiment_platform.models.family import Integers
from sentiment_platform.statistics.estimate import Estimate
from sentiment_platform.statistics.metrics import predicted_classes, ratios
from sentiment_platform.statistics.resampling import bootstrap_counts, percentile_estimate

SEEDS = (1, 2, 3)
BOOTSTRAP_SEED = 20260101

MetricName = Literal["macro_f1", "accuracy"]


def mean_of_seeds(labels: Integers, found: Sequence[Evaluation], metric: MetricName = "macro_f1") -> Estimate:
    """Mean of a metric over evaluations of the same texts, with the 95 % bootstrap interval of that mean.

    A resampled text brings the answers of all seeds with it: their errors are not independent.
    """
    cells = labels.copy()
    for one in found:
        cells = cells * 3 + predicted_classes(one.probabilities)
    shape = (3,) * (len(found) + 1)
    counts = np.bincount(cells, minlength=3 ** len(shape)).reshape(shape).astype(np.int64)

    def mean(tables: Any) -> Any:
        lead = tables.ndim - len(shape)
        others = [tuple(lead + 1 + other for other in range(len(found)) if other != seed) for seed in range(len(found))]
        return np.mean([getattr(ratios(tables.sum(axis=axes)), metric) for axes in others], axis=0)

    samples = mean(bootstrap_counts(counts, seed=BOOTSTRAP_SEED))
    return percentile_estimate(float(mean(counts.astype(np.float64))), samples, n=labels.size)


def seed_documents(found: Sequence[Evaluation]) -> list[dict[str, Any]]:
    """One entry a seed: every figure with its interval."""
    return [
        {
            "macro_f1": with_interval(one.report.macro_f1),
            "accuracy": with_interval(one.report.accuracy),
            "ece": round(one.calibration.ece, 4),
            "f1": {row.label: round(row.f1.value, 4) for row in one.report.classes},
        }
        for one in found
    ]


def with_interval(estimate: Estimate) -> list[float]:
    """Value, lower and upper end."""
    return [round(value, 4) for value in (estimate.value, estimate.low, estimate.high)]
