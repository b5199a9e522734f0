"""KS and PSI of two plain samples, sorted here and given to the functions that a report over many features calls."""

import numpy as np

from sentiment_platform.statistics.arrays import Floats
from sentiment_platform.statistics.drift.ks import KsResult, ks_of_sorted
from sentiment_platform.statistics.drift.psi import PsiResult, psi_of_sorted


def ks_of(reference: Floats, current: Floats) -> KsResult:
    """Of samples (n,) and (m,) in any order, without NaN."""
    return ks_of_sorted(np.sort(reference), np.sort(current))


def psi_of(reference: Floats, current: Floats) -> PsiResult:
    """Of samples (n,) and (m,) in any order; NaN is missing."""
    present = [np.sort(sample[~np.isnan(sample)]) for sample in (reference, current)]
    missing = [int(np.isnan(sample).sum()) for sample in (reference, current)]
    return psi_of_sorted(present[0], present[1], missing[0], missing[1])
