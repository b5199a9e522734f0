"""Claims about two histograms: every value is counted once, outliers do not squeeze the rest, few values have a bin each."""

import numpy as np
import pytest

from sentiment_platform.statistics.drift.histograms import BINS, two_histograms


def test_every_present_value_is_counted_once_and_missing_ones_apart() -> None:
    rng = np.random.default_rng(1)
    reference, current = rng.normal(size=800), rng.normal(1, size=300)
    current[:20] = np.nan
    current[20:23] = (np.inf, -np.inf, 1e12)
    seen = two_histograms(reference, current)
    assert (sum(seen.reference), sum(seen.current)) == (800, 280)
    assert (seen.reference_missing, seen.current_missing) == (0, 20)
    assert len(seen.edges) == BINS + 1
    assert np.all(np.diff(seen.edges) > 0)
    assert seen.edges[-1] < 10, "one value of 1e12 does not squeeze the others together"
    inner = np.histogram(reference, seen.edges)[0][1:-1]
    assert tuple(inner) == seen.reference[1:-1]


@pytest.mark.parametrize(
    ("reference", "current", "expected"),
    [
        ([0.0, 1.0, 1.0, 2.0], [2.0, 2.0], ((1, 2, 1), (0, 0, 2))),
        ([5.0, 5.0], [5.0], ((2,), (1,))),
        ([], [], ((0,), (0,))),
        ([np.nan], [3.0], ((0,), (1,))),
    ],
)
def test_few_different_values_have_a_bin_each(
    reference: list[float], current: list[float], expected: tuple[tuple[int, ...], tuple[int, ...]]
) -> None:
    seen = two_histograms(np.array(reference, dtype=float), np.array(current, dtype=float))
    assert (seen.reference, seen.current) == expected
    assert all(low < high for low, high in zip(seen.edges, seen.edges[1:], strict=False))


def test_a_flag_with_rare_other_values_shows_its_whole_range() -> None:
    mostly = np.concatenate([np.zeros(10_000), np.arange(1, 31)])
    seen = two_histograms(mostly, np.zeros(10))
    assert (seen.edges[0], seen.edges[-1]) == (0.0, 30.0)
    assert sum(seen.reference) == mostly.size
