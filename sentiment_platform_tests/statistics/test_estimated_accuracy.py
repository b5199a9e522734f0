"""Claims about accuracy without labels, and about its trend with labels."""

import numpy as np
import pytest

from sentiment_platform.errors import PermanentError
from sentiment_platform.statistics.estimated_accuracy import EstimatedAccuracy, estimated_accuracy
from sentiment_platform.statistics.trend import Trend, accuracy_trend

RUNS = 60


def answers(n: int, generator: np.random.Generator, *, overconfident: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Labels drawn from probabilities, and what the model says: those probabilities, sharpened where it is overconfident."""
    true = generator.dirichlet((0.5, 0.7, 0.5), size=n)
    labels = (generator.random((n, 1)) > true.cumsum(axis=1)[:, :2]).sum(axis=1)
    said = true**overconfident
    return labels, said / said.sum(axis=1, keepdims=True)


def window(seed: int, overconfident: float) -> tuple[EstimatedAccuracy, float]:
    generator = np.random.default_rng(seed)
    labels, labelled = answers(600, generator, overconfident=overconfident)
    truth, asked = answers(1000, generator, overconfident=overconfident)
    return estimated_accuracy(asked, labels, labelled, seed=seed), float((asked.argmax(axis=1) == truth).mean())


def test_of_a_calibrated_model_the_estimate_is_within_three_points_of_the_truth() -> None:
    windows = [window(seed, 1.0) for seed in range(RUNS)]
    assert np.mean([abs(estimate.value - truth) <= 0.03 for estimate, truth in windows]) >= 0.9
    assert np.mean([estimate.is_reliable for estimate, _ in windows]) >= 0.8


@pytest.mark.parametrize("overconfident", [1.8, 0.5])
def test_of_a_miscalibrated_model_it_says_that_it_is_not_reliable(overconfident: float) -> None:
    windows = [window(seed, overconfident) for seed in range(RUNS)]
    assert np.mean([estimate.is_reliable for estimate, _ in windows]) <= 0.05
    assert all(estimate.why_not.startswith("not reliable: ") for estimate, _ in windows if not estimate.is_reliable)


def test_with_few_labels_calibration_is_not_judged() -> None:
    labels, labelled = answers(50, np.random.default_rng(1))
    assert "50 labels, 200 are needed" in estimated_accuracy(labelled, labels, labelled).why_not


def trend(seed: int, a_day: float, days: int = 14, labelled: int = 400, restless: float = 0.0) -> Trend:
    """Of an accuracy that moves by `a_day`, and from day to day by as much as `restless` by chance."""
    generator = np.random.default_rng(seed)
    shares = 0.85 + a_day * np.arange(days) + restless * generator.standard_normal(days)
    right = [int(generator.binomial(labelled, min(share, 1.0))) for share in shares]
    found = accuracy_trend(range(days), right, [labelled] * days)
    assert found is not None
    return found


def test_half_a_point_a_day_is_found_within_fourteen_days() -> None:
    assert np.mean([trend(seed, -0.005).direction == "falls" for seed in range(600)]) >= 0.9
    assert np.mean([trend(seed, -0.005, days=24, labelled=100).direction == "falls" for seed in range(200)]) >= 0.9
    assert trend(1, -0.005).slope == pytest.approx(-0.005, abs=0.004)


@pytest.mark.parametrize("labelled", [100, 400])
def test_of_series_without_a_trend_one_in_twenty_is_called_one_at_most(labelled: int) -> None:
    assert np.mean([trend(seed, 0.0, labelled=labelled).direction != "steady" for seed in range(500)]) <= 0.05


def test_days_that_are_restless_for_other_reasons_make_no_trend_either() -> None:
    assert np.mean([trend(seed, 0.0, restless=0.04).direction != "steady" for seed in range(500)]) <= 0.05


def test_days_without_labels_say_nothing_and_few_days_have_no_trend() -> None:
    assert accuracy_trend(range(4), [8] * 4, [10] * 4) is None
    assert accuracy_trend(range(9), [8] * 4 + [0] * 5, [10] * 4 + [0] * 5) is None
    with pytest.raises(PermanentError, match="right <= labelled"):
        accuracy_trend([1.0], [2], [1])
