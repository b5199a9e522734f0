"""The ratio of a split: how it is written, and which one a change of level suggests.

`2:1` are two new shares for one old, so a price is halved; `1:10` is a consolidation, and a price is ten times what it was.
"""

import re
from dataclasses import dataclass
from math import exp, log

from sentiment_platform.market.errors import SplitError

LARGEST = 100_000
_WRITTEN = re.compile(r"\s*(\d{1,6})\s*(?::|/|-?\s*for\s*-?)\s*(\d{1,6})\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Ratio:
    """So many new shares for so many old ones."""

    new: int
    old: int

    @property
    def factor(self) -> float:
        """New shares for one old: by it prices before the split are divided, and volumes multiplied."""
        return self.new / self.old

    def __str__(self) -> str:
        return f"{self.new}:{self.old}"


def parse_ratio(written: str) -> Ratio:
    """`2:1`, `3/2`, `3-for-2`, `1 for 10`.

    Raises:
        SplitError: no ratio of two whole numbers from 1 on, or one of equal numbers.
    """
    parts = _WRITTEN.fullmatch(written)
    new, old = (int(parts[1]), int(parts[2])) if parts else (0, 0)
    if not (1 <= new <= LARGEST and 1 <= old <= LARGEST) or new == old:
        raise SplitError(
            f"{written!r} is no ratio of a split.",
            remedy="Write new shares to old ones: 2:1 halves the earlier prices, 1:10 multiplies them by ten.",
        )
    return Ratio(new, old)


_USUAL = (Ratio(2, 1), Ratio(3, 1), Ratio(4, 1), Ratio(5, 1), Ratio(10, 1), Ratio(20, 1), Ratio(3, 2), Ratio(4, 3), Ratio(5, 4))
_OTHERS = (
    *(Ratio(n, 1) for n in (6, 7, 8, 9, 12, 15, 25, 30, 40, 50, 75, 100, 200, 500, 1000)),
    *(Ratio(*pair) for pair in ((6, 5), (7, 5), (8, 5), (5, 3), (5, 2), (7, 2), (9, 2), (11, 10))),
)
_RARER = 0.01
"""A rarer ratio must be nearer by so much (in logarithms) than a usual one to be named: the day itself moved too."""


def nearest_ratio(shift: float) -> Ratio:
    """The split that a change of level suggests; `shift` is the logarithm of the new level over the old."""
    forward = abs(shift)
    away = {ratio: abs(log(ratio.factor) - forward) for ratio in _USUAL}
    away |= {ratio: abs(log(ratio.factor) - forward) + _RARER for ratio in _OTHERS}
    known = min(away, key=lambda ratio: away[ratio])
    if forward > log(1200):
        known = Ratio(round(exp(min(forward, log(LARGEST)))), 1)
    return known if shift < 0 else Ratio(known.old, known.new)
