"""Whether one classifier beats another on the same rows: McNemar, paired bootstrap, several tests at once.

Where `stories` are named, the story is the unit: each counts once, however many rows tell it, and is drawn whole.
Fixed-horizon tests only: looking again and again while data arrive is `sequential`; how many rows a test needs, `planning`.
What follows from a result (promote or not) belongs to `experiments`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from sentiment_platform.errors import PermanentError
from sentiment_platform.statistics.arrays import N_CLASSES, Classes, Floats, Matrix, as_classes, as_probabilities
from sentiment_platform.statistics.estimate import Estimate
from sentiment_platform.statistics.metrics import predicted_classes, ratios
from sentiment_platform.statistics.resampling import N_RESAMPLES, bootstrap_counts, percentile_estimate

PairedMetric = Literal["macro_f1", "accuracy"]
Stories = Sequence[str] | npt.NDArray[np.int64]
"""Of each row what names its story: a text or a number."""


class McNemarResult(msgspec.Struct, frozen=True):
    """`statistic` is the smaller discordant count."""

    only_a_right: int
    only_b_right: int
    method: Literal["exact"]
    statistic: float
    p_value: float


class PairedDifference(msgspec.Struct, frozen=True, kw_only=True):
    """Metric of B minus metric of A on the same rows, with a two-sided bootstrap p value."""

    metric: PairedMetric
    a: float
    b: float
    difference: Estimate
    p_value: float
    n_resamples: int
    seed: int


def discordant_counts(
    y_true: Classes, probabilities_a: Matrix, probabilities_b: Matrix, stories: Stories | None = None
) -> tuple[int, int]:
    """Rows that only A, and rows that only B, got right; with `stories`, one name a row: stories of which A, of which B got more right."""
    truth = as_classes(y_true, name="y_true")
    right_a, right_b = (predicted_classes(as_probabilities(p, n=truth.size)) == truth for p in (probabilities_a, probabilities_b))
    lead = right_b.astype(np.int64) - right_a
    if stories is not None:
        lead = np.bincount(story_of_row(stories, truth.size), weights=lead)
    return int((lead < 0).sum()), int((lead > 0).sum())


def mcnemar_exact(only_a_right: int, only_b_right: int) -> McNemarResult:
    """Two-sided exact test that both are right equally often (McNemar, 1947): a binomial test of the discordant rows at 1/2.

    Without discordant rows p is 1.
    """
    from scipy.special import bdtr

    discordant = _discordant(only_a_right, only_b_right)
    fewer = min(only_a_right, only_b_right)
    p_value = 1.0 if 2 * fewer >= discordant else min(1.0, 2.0 * float(bdtr(fewer, discordant, 0.5)))
    return McNemarResult(only_a_right, only_b_right, "exact", float(fewer), p_value)


def paired_bootstrap(
    y_true: Classes,
    probabilities_a: Matrix,
    probabilities_b: Matrix,
    *,
    seed: int,
    metric: PairedMetric = "macro_f1",
    n_resamples: int = N_RESAMPLES,
    confidence: float = 0.95,
    stories: Stories | None = None,
) -> PairedDifference:
    """Interval and p value of metric(B) - metric(A), both seen on the same resampled rows.

    p is twice the smaller tail beyond 0, with one added above and below the line so that it is never 0 (Davison and Hinkley,
    1997, section 4.2).

    Args:
        stories: of each row the name of its story: n then counts stories.

    Raises:
        PermanentError: shapes or values that are not labels and probabilities of the same rows.
    """
    kinds, counts = _tables(y_true, probabilities_a, probabilities_b, stories)
    table = counts.astype(np.float64)
    a, b = _both(table if kinds is None else np.tensordot(table, kinds, 1), metric)
    samples = _sampled_differences(kinds, counts, metric, seed, n_resamples)
    tail = min(int((samples <= 0.0).sum()), int((samples >= 0.0).sum()))
    return PairedDifference(
        metric=metric,
        a=float(a),
        b=float(b),
        difference=percentile_estimate(float(b - a), samples, n=int(counts.sum()), confidence=confidence),
        p_value=min(1.0, 2.0 * (tail + 1) / (n_resamples + 1)),
        n_resamples=n_resamples,
        seed=seed,
    )


def holm(p_values: Sequence[float] | Floats, *, of: int | None = None) -> Floats:
    """Adjusted p values, shape (k,), that bound the chance of any false alarm (Holm, 1979).

    Args:
        of: how many tests there are, these included, where the others come later; None: these are all.
    """
    p, order = _ordered(p_values)
    factors = max(of or 0, p.size) - np.arange(p.size)
    return _unordered(np.maximum.accumulate(factors * p[order]), order)


def story_of_row(stories: Stories, n: int) -> npt.NDArray[np.int64]:
    """The stories of `n` rows as numbers from 0, (n,).

    Raises:
        PermanentError: another number of rows.
    """
    if len(stories) != n:
        raise PermanentError(f"{len(stories)} stories for {n} rows.", remedy="Pass one name a row.")
    return np.unique(np.asarray(stories), return_inverse=True)[1].astype(np.int64)


def _tables(
    y_true: Classes, probabilities_a: Matrix, probabilities_b: Matrix, stories: Stories | None
) -> tuple[Floats | None, npt.NDArray[np.int64]]:
    """The different tables (k, truth, a, b) that one story can be, each of sum 1, and how many stories are of each kind, (k,).

    Where each row is a unit, None and the table of all rows.
    """
    truth = as_classes(y_true, name="y_true")
    a = predicted_classes(as_probabilities(probabilities_a, n=truth.size, name="probabilities_a"))
    b = predicted_classes(as_probabilities(probabilities_b, n=truth.size, name="probabilities_b"))
    cells, k, shape = (truth * N_CLASSES + a) * N_CLASSES + b, N_CLASSES**3, (N_CLASSES, N_CLASSES, N_CLASSES)
    story = None if stories is None else story_of_row(stories, truth.size)
    if story is None or int(story.max()) + 1 == truth.size:
        return None, np.bincount(cells, minlength=k).reshape(shape)
    sizes = np.bincount(story)
    tables = np.bincount(story * k + cells, minlength=sizes.size * k).reshape(-1, k) / sizes[:, None]
    kinds, counts = np.unique(tables, axis=0, return_counts=True)
    return kinds.reshape((-1, *shape)), counts


def _sampled_differences(
    kinds: Floats | None, counts: npt.NDArray[np.int64], metric: PairedMetric, seed: int, n_resamples: int
) -> Floats:
    drawn = bootstrap_counts(counts, seed=seed, n_resamples=n_resamples)
    a, b = _both(drawn if kinds is None else np.tensordot(drawn, kinds, 1), metric)
    return b - a


def _both(tables: Floats, metric: PairedMetric) -> tuple[Floats, Floats]:
    """The metric of A and of B from tables (..., truth, a, b)."""
    return getattr(ratios(tables.sum(axis=-1)), metric), getattr(ratios(tables.sum(axis=-2)), metric)


def _discordant(only_a_right: int, only_b_right: int) -> int:
    if only_a_right < 0 or only_b_right < 0:
        raise PermanentError(f"Counts {only_a_right}, {only_b_right} are negative.", remedy="Pass counts of rows.")
    return only_a_right + only_b_right


def _ordered(p_values: Sequence[float] | Floats) -> tuple[Floats, np.ndarray[tuple[int, ...]]]:
    p = np.asarray(p_values, dtype=np.float64)
    # The comparison is written so that NaN fails it.
    if p.ndim != 1 or not bool(((p >= 0.0) & (p <= 1.0)).all()):
        raise PermanentError("p values must be a flat list of numbers from 0 to 1.", remedy="Leave out missing ones.")
    return p, np.argsort(p, kind="stable")


def _unordered(sorted_values: Floats, order: np.ndarray[tuple[int, ...]]) -> Floats:
    adjusted = np.empty_like(sorted_values)
    adjusted[order] = np.minimum(sorted_values, 1.0)
    return adjusted
