import numpy as np
import pytest
from scipy.stats import fisher_exact

from sentiment_platform.statistics.fisher import larger_share_p


def test_the_chance_of_a_larger_share_equals_scipys_exact_test() -> None:
    rng = np.random.default_rng(3)
    for _ in range(200):
        n, other = (int(size) for size in rng.integers(1, 400, 2))
        hits, other_hits = int(rng.integers(0, n + 1)), int(rng.integers(0, other + 1))
        expected = fisher_exact([[hits, n - hits], [other_hits, other - other_hits]], alternative="greater").pvalue
        assert larger_share_p(hits, n, other_hits, other) == pytest.approx(expected, rel=1e-6, abs=1e-12)
