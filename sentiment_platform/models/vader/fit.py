"""Weights of terms from labelled texts: a sparse, sign-constrained multinomial regression around the stock lexicon.

Here: the convex problem and its solution. Not here: what a term is (`terms`), which constants and strengths (`search`).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.family import Floats, Integers
from sentiment_platform.statistics.softmax_regression import softmax

STEPS = 400
STOCK_THRESHOLD = 0.194
"""In units of valence: VADER's own thresholds of compound, plus and minus 0.05."""
TOLERANCE = 1e-4
"""In logits: the fit ends when no weight moves more."""


@dataclass(frozen=True)
class Strengths:
    """How far the data may move the lexicon.

    Attributes:
        steepness: logits per unit of valence. The larger, the more the stock lexicon is believed.
        sparsity: the evidence, in training texts, below which a weight stays as it was.
        emphasis_sparsity: the same for emphasis, as a multiple of `sparsity`.
        ridge: shrinks what moved: the weight, in training texts, of half a squared logit.
        balance: 0 counts every text once, 1 gives each label the same weight in total.
    """

    steepness: float = 0.5
    sparsity: float = 0.6
    emphasis_sparsity: float = 1.0
    ridge: float = 1.0
    balance: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Problem:
    """n texts, k terms.

    Attributes:
        valence, emphasis: sparse (n, k), how often a term counts.
        polarity, punctuation: (n,) what the rules give without any learning.
        labels: (n,) class indices.
        stock: (k,) stock valences; where one is not 0 its sign may not change.
    """

    valence: Any
    emphasis: Any
    polarity: Floats
    punctuation: Floats
    labels: Integers
    stock: Floats

    def rows(self, chosen: Any) -> "Problem":
        """The same for some of the texts."""
        return Problem(
            valence=self.valence[chosen],
            emphasis=self.emphasis[chosen],
            polarity=self.polarity[chosen],
            punctuation=self.punctuation[chosen],
            labels=self.labels[chosen],
            stock=self.stock,
        )


@dataclass(frozen=True)
class FittedTerms:
    """Changes of valence (k,), emphasis (k,), and the biases of the two sums; all but `steepness` in units of valence."""

    valence: Floats
    emphasis: Floats
    polarity_bias: float
    emphasis_bias: float
    steepness: float

    def sums(self, problem: Problem) -> Floats:
        """(n, 2): polarity and emphasis of each text."""
        polarity = problem.polarity + problem.valence @ self.valence
        return np.column_stack([polarity, problem.punctuation + problem.emphasis @ self.emphasis])

    def logits(self, problem: Problem) -> Floats:
        """(n, 3): minus the polarity, minus the emphasis, the polarity, each with its bias, in logits."""
        sums = self.sums(problem) + np.array([self.polarity_bias, self.emphasis_bias])
        return self.steepness * np.column_stack([-sums[:, 0], -sums[:, 1], sums[:, 0]])


def row_weights(labels: Integers, balance: float) -> Floats:
    """(n,) weights that sum to 1; `balance` as in `Strengths`."""
    counts = np.bincount(labels, minlength=3).astype(np.float64)
    weights = np.maximum(counts, 1.0)[labels] ** -balance
    return weights / weights.sum()


def log_loss(logits: Floats, labels: Integers, weights: Floats) -> float:
    """Weighted mean log loss."""
    probabilities = softmax(logits)[np.arange(labels.size), labels]
    return float(-(weights * np.log(np.maximum(probabilities, 1e-12))).sum())


def fit_terms(problem: Problem, strengths: Strengths, *, steps: int = STEPS) -> FittedTerms:
    """Minimise weighted log loss + L1 + ridge over changes of valence, emphasis and two biases.

    Accelerated proximal gradient with restarts, at most `steps` of it; the problem is convex, the start is the stock lexicon.
    Deterministic.
    Sources: Beck and Teboulle, SIAM J. Imaging Sciences 2009; O'Donoghue and Candes, Found. Comput. Math. 2015 (restarts).

    Raises:
        PermanentError: no text, or the loss is no number.
    """
    n, k = problem.valence.shape
    if n == 0:
        raise PermanentError("There is no text to learn terms from.", remedy="Import labels.")
    weights = row_weights(problem.labels, strengths.balance)
    hits = np.eye(3)[problem.labels]
    # Weights are in logits here, so that strengths mean the same whatever the steepness.
    base = strengths.steepness * np.column_stack([problem.polarity, problem.punctuation])
    columns = (problem.valence, problem.emphasis)
    transposed = tuple(matrix.T.tocsr() for matrix in columns)
    ridge = strengths.ridge / n
    # One step size a weight: with a common one, words in every text would hold up those in three.
    step = 1.0 / (np.column_stack([_curvatures(m, t, weights) for m, t in zip(columns, transposed, strict=True)]) + ridge)
    step[k] = step[k].min()
    shrink = step[:k] * strengths.sparsity / n * np.array([1.0, strengths.emphasis_sparsity])
    stock = strengths.steepness * problem.stock
    lowest = np.where(stock > 0, -stock, -np.inf)
    highest = np.where(stock < 0, -stock, np.inf)

    # Last row: the biases, which are free.
    theta = np.zeros((k + 1, 2))
    theta[k, 1] = -strengths.steepness * STOCK_THRESHOLD
    ahead, momentum = theta, 1.0
    for _ in range(steps):
        sums = base + np.column_stack([m @ ahead[:k, side] for side, m in enumerate(columns)]) + ahead[k]
        error = (softmax(np.column_stack([-sums[:, 0], -sums[:, 1], sums[:, 0]])) - hits) * weights[:, None]
        pull = np.column_stack([error[:, 2] - error[:, 0], -error[:, 1]])
        gradient = np.vstack([np.column_stack([t @ pull[:, side] for side, t in enumerate(transposed)]), pull.sum(axis=0)])
        gradient[:k] += ridge * ahead[:k]
        following = ahead - step * gradient
        following[:k] = np.sign(following[:k]) * np.maximum(np.abs(following[:k]) - shrink, 0.0)
        following[:k, 0] = np.minimum(np.maximum(following[:k, 0], lowest), highest)
        following[k] = _unlabelled_without_evidence(following[k])
        change = following - theta
        if ((ahead - following) / step * change).sum() > 0:
            momentum = 1.0
        grown = (1 + np.sqrt(1 + 4 * momentum * momentum)) / 2
        ahead = following + (momentum - 1) / grown * change
        theta, momentum = following, grown
        if not np.isfinite(theta).all():
            raise PermanentError("The weights of the terms diverged.", remedy="Lower the steepness.")
        if np.abs(change).max() < TOLERANCE:
            break
    theta = theta / strengths.steepness
    return FittedTerms(theta[:k, 0], theta[:k, 1], float(theta[k, 0]), float(theta[k, 1]), strengths.steepness)


def _unlabelled_without_evidence(biases: Floats) -> Floats:
    """The nearest biases of polarity and emphasis with which a text whose sums are 0 is neutral."""
    polarity, emphasis = biases
    below, above = max(polarity - emphasis, 0.0), max(-polarity - emphasis, 0.0)
    return np.array([(below - above) / 2, -(below + above) / 2])


def _curvatures(matrix: Any, transposed: Any, weights: Floats) -> Floats:
    """(k + 1,) a diagonal above the curvature of the loss along the columns of `matrix`, and along the bias: weighted row sums."""
    size = abs(matrix)
    reach = weights * (size @ np.ones(matrix.shape[1]) + 1.0)
    return np.append(np.maximum(abs(transposed) @ reach, 1e-12), reach.sum())
