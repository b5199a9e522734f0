"""Two samples of one number over the same bins, for whoever wants to see a drift. The tests beside it have bins of their own."""

from dataclasses import dataclass

import numpy as np

from sentiment_platform.statistics.arrays import Floats

BINS = 20
CORE = 0.005
"""Share at either end of both samples together that the outermost bins take in: one odd value would else squeeze all others together."""


@dataclass(frozen=True, kw_only=True)
class TwoHistograms:
    """`reference[i]` and `current[i]` count the values from `edges[i]` on, below `edges[i + 1]`; the outer bins take all that lies beyond."""

    edges: tuple[float, ...]
    reference: tuple[int, ...]
    current: tuple[int, ...]
    reference_missing: int
    current_missing: int


def two_histograms(reference: Floats, current: Floats, bins: int = BINS) -> TwoHistograms:
    """Of samples (n,) and (m,); NaN is missing. Where there are no more than `bins` different values, each has a bin of its own."""
    sides = [values[~np.isnan(values)] for values in (reference, current)]
    edges = _edges(np.concatenate(sides), bins)
    counts = [np.bincount(np.searchsorted(edges[1:-1], side, side="right"), minlength=len(edges) - 1) for side in sides]
    return TwoHistograms(
        edges=tuple(float(edge) for edge in edges),
        reference=tuple(int(count) for count in counts[0]),
        current=tuple(int(count) for count in counts[1]),
        reference_missing=int(reference.size - sides[0].size),
        current_missing=int(current.size - sides[1].size),
    )


def _edges(values: Floats, bins: int) -> Floats:
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        return np.array([0.0, 1.0])
    different = np.unique(finite)
    if different.size <= bins:
        between = (different[1:] + different[:-1]) / 2
        half = float(np.diff(different).min()) / 2 if different.size > 1 else 0.5
        return np.concatenate([[different[0] - half], between, [different[-1] + half]])
    low, high = np.quantile(finite, [CORE, 1 - CORE])
    # Nearly all values may be one and the same: then the whole range is shown.
    return np.linspace(*((low, high) if low < high else (different[0], different[-1])), bins + 1)
