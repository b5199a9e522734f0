"""How many rows a comparison needs, and what it can see with those that it has.

The rule is that of `experiments`: exact McNemar below a level, and a bootstrap interval of the macro-F1 difference. It is simulated with
the interval of its normal approximation, so that a plan costs milliseconds. A row is a unit: a story, where stories are the unit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist

import msgspec
import numpy as np

from sentiment_platform.errors import PermanentError
from sentiment_platform.statistics.arrays import N_CLASSES, Floats

N_RUNS = 2000
MOST_ROWS = 1_000_000
_Z = NormalDist().inv_cdf(0.975)


class Design(msgspec.Struct, frozen=True, kw_only=True):
    """Two classifiers to compare, as shares of the rows.

    Attributes:
        accuracy: of A. difference: accuracy of B less that of A.
        discordant_share: rows that exactly one of the two gets right.
        class_shares: of the true classes; equal where they are not known.
    """

    accuracy: float
    difference: float
    discordant_share: float
    class_shares: tuple[float, ...] = (1 / N_CLASSES,) * N_CLASSES

    def __post_init__(self) -> None:
        _check_design(self.discordant_share, self.difference, 0.5)
        if not (self.only_a <= self.accuracy <= 1 - self.only_b + 1e-9):
            raise PermanentError(
                f"accuracy {self.accuracy} and discordant share {self.discordant_share} cannot be together.",
                remedy="A is right where only A is, and wrong where only B is right.",
            )

    @property
    def only_a(self) -> float:
        return (self.discordant_share - self.difference) / 2

    @property
    def only_b(self) -> float:
        return (self.discordant_share + self.difference) / 2


def mcnemar_power(*, discordant_share: float, difference: float, n: int, alpha: float = 0.05) -> float:
    """Probability that the two-sided McNemar test sees an accuracy difference with `n` rows.

    Normal approximation of Connor (1987), "Sample size for testing differences in proportions for the paired-sample design",
    Biometrics 43, 207-211. `discordant_share` is the share of rows that exactly one of the two gets right; it is at least
    |difference|.

    Raises:
        PermanentError: shares that cannot be, or n < 1.
    """
    _check_design(discordant_share, difference, alpha)
    if n < 1:
        raise PermanentError(f"n = {n} rows have no power.", remedy="Pass n >= 1.")
    if discordant_share == 0.0:
        return 0.0
    normal = NormalDist()
    distance = abs(difference) * math.sqrt(n) - normal.inv_cdf(1 - alpha / 2) * math.sqrt(discordant_share)
    spread = math.sqrt(discordant_share - difference**2)
    if spread == 0.0:
        return 1.0 if distance > 0 else 0.0
    return normal.cdf(distance / spread)


def chance_of_better(design: Design, n: int, *, alpha: float, seed: int, n_runs: int = N_RUNS) -> float:
    """Share of simulated comparisons of `n` rows in which B is shown to be better, McNemar's p being below `alpha`."""
    from scipy.special import bdtr

    tables = _simulated(design, n, seed, n_runs)
    only_a, only_b = _discordant(tables)
    p_value = np.minimum(1.0, 2.0 * bdtr(only_a, (only_a + only_b).astype(np.int64), 0.5))
    difference, error = macro_f1_difference(tables)
    return float(((only_b > only_a) & (p_value < alpha) & (difference - _Z * error > 0)).mean())


def chance_of_equivalent(design: Design, n: int, *, margin: float, seed: int, n_runs: int = N_RUNS) -> float:
    """Share of simulated comparisons of `n` rows in which the interval of the macro-F1 difference lies within +-`margin`."""
    difference, error = macro_f1_difference(_simulated(design, n, seed, n_runs))
    return float((np.abs(difference) + _Z * error < margin).mean())


def rows_for(chance: Callable[[int], float], power: float) -> int | None:
    """The fewest rows with which `chance(n)` reaches `power`, within 1 %; None where more than `MOST_ROWS` would be needed."""
    high = 64
    while chance(high) < power:
        high *= 2
        if high > MOST_ROWS:
            return None
    low = high // 2
    while high - low > max(1, high // 100):
        middle = (low + high) // 2
        low, high = (low, middle) if chance(middle) >= power else (middle, high)
    return high


def macro_f1_difference(tables: Floats) -> tuple[Floats, Floats]:
    """Macro-F1 of B less that of A from tables (..., truth, a, b), and its standard error by the delta method."""
    n = tables.sum(axis=(-3, -2, -1))
    f1_a, slopes_a = _macro_f1(tables.sum(axis=-1))
    f1_b, slopes_b = _macro_f1(tables.sum(axis=-2))
    slopes = slopes_b[..., :, None, :] - slopes_a[..., :, :, None]
    return f1_b - f1_a, np.sqrt((tables * slopes**2).sum(axis=(-3, -2, -1))) / n


def _macro_f1(confusion: Floats) -> tuple[Floats, Floats]:
    """Macro-F1 of confusion matrices (..., truth, said), and how much it moves with a row in each cell, times n."""
    n = confusion.sum(axis=(-2, -1))[..., None]
    hits = np.diagonal(confusion, axis1=-2, axis2=-1)
    size = np.maximum(confusion.sum(axis=-1) + confusion.sum(axis=-2), 1e-9)
    f1, pull = 2 * hits / size, n / size
    moved = -(f1 * pull)[..., :, None] - (f1 * pull)[..., None, :] + 2 * pull[..., :, None] * np.eye(N_CLASSES)
    return f1.mean(axis=-1), moved / N_CLASSES


def _simulated(design: Design, n: int, seed: int, n_runs: int) -> Floats:
    """Tables (n_runs, truth, a, b); who is wrong says either of the other classes."""
    right, wrong = np.eye(N_CLASSES), (1 - np.eye(N_CLASSES)) / (N_CLASSES - 1)
    both = max(0.0, design.accuracy - design.only_a)
    neither = max(0.0, 1 - both - design.discordant_share)
    sides = ((both, right, right), (design.only_a, right, wrong), (design.only_b, wrong, right), (neither, wrong, wrong))
    said = sum(share * a[:, :, None] * b[:, None, :] for share, a, b in sides)
    cells = (np.asarray(design.class_shares)[:, None, None] * said).ravel()
    draws = np.random.default_rng(seed).multinomial(n, cells / cells.sum(), size=n_runs)
    return draws.reshape(n_runs, N_CLASSES, N_CLASSES, N_CLASSES).astype(np.float64)


def _discordant(tables: Floats) -> tuple[Floats, Floats]:
    """Rows that only A, and that only B gets right, of tables (..., truth, a, b)."""
    truth = np.arange(N_CLASSES)
    right_a, right_b = tables[..., truth, truth, :].sum(axis=(-2, -1)), tables[..., truth, :, truth].sum(axis=(0, -1))
    both = tables[..., truth, truth, truth].sum(axis=-1)
    return right_a - both, right_b - both


def _check_design(discordant_share: float, difference: float, alpha: float) -> None:
    if not (0.0 <= abs(difference) <= discordant_share <= 1.0 and 0.0 < alpha < 1.0):
        raise PermanentError(
            f"difference {difference}, discordant share {discordant_share}, alpha {alpha} cannot be together.",
            remedy="The discordant share lies between |difference| and 1, alpha between 0 and 1.",
        )
