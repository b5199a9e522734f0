"""Made rows of a scorer that is too sure, for tests of the head."""

import numpy as np

from sentiment_platform.statistics.softmax_regression import softmax

K = 6
NAMES = tuple(f"feature_{i}" for i in range(K))


def rows(n, seed, weight=0.8):
    """An overconfident scorer, and features (correlated among themselves) that say something it does not know."""
    rng = np.random.default_rng(seed)
    honest = rng.normal(size=(n, 3))
    features = rng.normal(size=(n, K))
    features[:, 3:] += features[:, :3]
    effect = np.random.default_rng(99).normal(size=(K, 3)) * weight
    y = (rng.random((n, 1)) > np.cumsum(softmax(honest + features @ effect), axis=1)).sum(axis=1).clip(0, 2)
    return 3.0 * honest, 50.0 + 10.0 * features, y
