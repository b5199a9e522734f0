"""Do annotators agree? Krippendorff's alpha for nominal values, and the share of items on which two annotators say the same.

Source: Krippendorff, "Computing Krippendorff's Alpha-Reliability", 2011, sections A to C.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np


@dataclass(frozen=True, slots=True)
class PairAgreement:
    """Two annotators: on how many items both spoke, and the share (0 to 1) of these on which they said the same."""

    first: str
    second: str
    items: int
    share: float


def krippendorff_alpha(units: Sequence[Sequence[Hashable]]) -> float | None:
    """Alpha of nominal values; `units` holds for each item what was said of it, in any order, missing words left out.

    1 is perfect agreement, 0 what chance would give, below 0 systematic disagreement. None where alpha is not defined: no item
    has two words, or all words are the same one, so that there is nothing on which to disagree.
    """
    pairable = [unit for unit in units if len(unit) >= 2]
    values = {value: position for position, value in enumerate(dict.fromkeys(value for unit in pairable for value in unit))}
    if len(values) < 2:
        return None
    coincidences = np.zeros((len(values), len(values)))
    for unit in pairable:
        counts = np.bincount([values[value] for value in unit], minlength=len(values)).astype(np.float64)
        coincidences += (np.outer(counts, counts) - np.diag(counts)) / (len(unit) - 1)
    totals = coincidences.sum(axis=1)
    n = totals.sum()
    observed = coincidences.sum() - np.trace(coincidences)
    expected = (n * n - (totals**2).sum()) / (n - 1)
    return float(1.0 - observed / expected)


def pairwise_agreement(said: Mapping[str, Mapping[str, Hashable]]) -> list[PairAgreement]:
    """For each two annotators with an item in common, by their names; `said` is annotator -> item -> value."""
    pairs: list[PairAgreement] = []
    for first, second in combinations(sorted(said), 2):
        one, two = said[first], said[second]
        common = one.keys() & two.keys()
        if common:
            same = sum(one[item] == two[item] for item in common)
            pairs.append(PairAgreement(first, second, len(common), same / len(common)))
    return pairs
