"""The interval that row F.8 shows for the mean of several seeds."""

import numpy as np
import pytest

from sentiment_platform.models.family import Integers
from sentiment_platform.statistics.significance import paired_bootstrap
from sentiment_platform_tests.benchmarks.transformer import mean_macro_f1_lost

LABELS: Integers = np.random.default_rng(20260101).integers(3, size=900)


def guesses(share_right: float) -> Integers:
    """The same ones for the same share."""
    rng = np.random.default_rng(round(share_right * 100))
    return np.where(rng.random(len(LABELS)) < share_right, LABELS, rng.integers(3, size=len(LABELS)))


def test_with_one_seed_the_loss_and_its_interval_are_those_of_the_paired_bootstrap() -> None:
    plain, fast = guesses(0.8), guesses(0.7)
    lost = mean_macro_f1_lost(LABELS, [(plain, fast)])
    paired = paired_bootstrap(LABELS, np.eye(3)[fast], np.eye(3)[plain], seed=1).difference
    assert lost.value == pytest.approx(paired.value, abs=1e-12)
    assert (lost.low, lost.high) == pytest.approx((paired.low, paired.high), abs=0.005)
    assert lost.low > 0.005, "ten points are seen as a loss"


def test_the_same_answers_three_times_are_no_more_certain_than_once() -> None:
    pair = guesses(0.8), guesses(0.7)
    once, thrice = mean_macro_f1_lost(LABELS, [pair]), mean_macro_f1_lost(LABELS, [pair] * 3)
    assert (thrice.low, thrice.high) == pytest.approx((once.low, once.high), abs=1e-12)


def test_seeds_that_differ_in_opposite_directions_lose_nothing_on_average() -> None:
    better, worse = guesses(0.8), guesses(0.7)
    lost = mean_macro_f1_lost(LABELS, [(better, worse), (worse, better)])
    assert lost.value == pytest.approx(0.0, abs=1e-12)


def test_an_interval_over_seeds_that_disagree_is_wider_than_one_over_seeds_that_agree() -> None:
    better, worse = guesses(0.8), guesses(0.7)
    agreeing = mean_macro_f1_lost(LABELS, [(better, worse)] * 8)
    disagreeing = mean_macro_f1_lost(LABELS, [(better, worse), (worse, better)] * 4)
    assert disagreeing.high - disagreeing.low > 1.5 * (agreeing.high - agreeing.low)
