"""The mean over seeds and its interval."""

import numpy as np
import pytest

from sentiment_platform.models.evaluation.evaluation import Evaluation
from sentiment_platform.statistics.calibration import calibration_report
from sentiment_platform.statistics.metrics import classification_report
from sentiment_platform_tests.benchmarks.seeds import mean_of_seeds

N = 900


def _evaluation(labels: np.ndarray, right: float, seed: int) -> Evaluation:
    rng = np.random.default_rng(seed)
    said = np.where(rng.random(labels.size) < right, labels, (labels + 1) % 3)
    probabilities = 0.1 + 0.7 * np.eye(3)[said]
    report = classification_report(labels, probabilities, seed=1)
    return Evaluation(probabilities, report, calibration_report(labels, probabilities, seed=1))


def _labels() -> np.ndarray:
    return np.random.default_rng(0).integers(3, size=N)


@pytest.mark.parametrize("metric", ["macro_f1", "accuracy"])
def test_the_mean_of_seeds_is_the_mean_of_their_reports(metric: str) -> None:
    labels = _labels()
    found = [_evaluation(labels, right, seed) for seed, right in enumerate((0.7, 0.8, 0.9))]
    estimate = mean_of_seeds(labels, found, metric)  # type: ignore[arg-type]
    expected = np.mean([getattr(one.report, metric).value for one in found])
    assert estimate.value == pytest.approx(expected, abs=1e-12)
    assert estimate.low < estimate.value < estimate.high
    assert estimate.n == N


def test_seeds_that_answer_alike_are_no_more_evidence_than_one_of_them() -> None:
    labels = _labels()
    one = _evaluation(labels, 0.8, 0)
    alone, thrice = mean_of_seeds(labels, [one]), mean_of_seeds(labels, [one, one, one])
    assert alone.low == pytest.approx(one.report.macro_f1.low, abs=0.01)
    assert thrice.high - thrice.low == pytest.approx(alone.high - alone.low, rel=0.15)


def test_seeds_that_err_on_different_texts_narrow_the_interval() -> None:
    labels = _labels()
    apart = mean_of_seeds(labels, [_evaluation(labels, 0.8, seed) for seed in range(3)])
    alone = mean_of_seeds(labels, [_evaluation(labels, 0.8, 0)])
    assert apart.high - apart.low < 0.75 * (alone.high - alone.low)
