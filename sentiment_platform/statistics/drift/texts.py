"""Are two samples of texts of one kind? A classifier that shall tell them apart, judged on texts that it was not made from.

One test on plain strings. Which texts are compared, and what follows, belongs to `monitoring`.
Source: Lopez-Paz and Oquab, "Revisiting classifier two-sample tests", ICLR 2017; the classifier is naive Bayes over words.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from sentiment_platform.statistics.arrays import Floats, Ints

AUC_THRESHOLD = 0.7
"""What news does from week to week stays below it: it was 0.69 or less in 95 % of 85 ordinary weeks of Reuters' headlines, and 0.75 to 0.77
in March 2020."""
FOLDS = 5
TELLING = 10
Mask = npt.NDArray[np.bool_]
_WORD = re.compile(r"[^\W\d_]+|\d+")


class TextShift(msgspec.Struct, frozen=True):
    """`auc` is 0.5 where the texts cannot be told apart and 1 where each gives itself away; `words` tell the current ones best."""

    auc: float
    p_value: float
    n_reference: int
    n_current: int
    words: tuple[str, ...]


def text_shift(reference: Sequence[str], current: Sequence[str], *, seed: int = 0) -> TextShift:
    """Compare at least `FOLDS` texts with at least as many others, by their words; case and the value of numbers do not count.

    The area under the ROC curve is the mean of five folds. Its p value is that of the rank-sum test with the same numbers of texts and
    twice its variance: folds are judged by classifiers that were made from each other, which widens the spread (to 1.7 times the variance
    in 400 pairs of samples of one kind).
    """
    texts = _Words([*reference, *current])
    is_current = np.arange(len(texts)) >= len(reference)
    fold = _folds(is_current, seed)
    areas = [_area(texts.scores(is_current, fold != held_out), is_current, fold == held_out) for held_out in range(FOLDS)]
    auc, n, m = float(np.mean(areas)), len(reference), len(current)
    deviation = math.sqrt(2 * (n + m + 1) / (12 * n * m))
    p_value = 0.5 * math.erfc((auc - 0.5) / deviation / math.sqrt(2))
    return TextShift(auc, p_value, n, m, texts.telling(is_current))


class _Words:
    """Texts as sets of words: the k-th pair of `row` and `word` says that text `row[k]` has the word `vocabulary[word[k]]`."""

    def __init__(self, texts: Sequence[str]) -> None:
        numbers: dict[str, int] = {}
        rows, words = list[int](), list[int]()
        for position, text in enumerate(texts):
            for word in {"0" if word.isdigit() else word for word in _WORD.findall(text.lower())}:
                rows.append(position)
                words.append(numbers.setdefault(word, len(numbers)))
        self.vocabulary = list(numbers)
        self._row, self._word = np.array(rows, dtype=np.int64), np.array(words, dtype=np.int64)
        self._texts = len(texts)

    def __len__(self) -> int:
        return self._texts

    def scores(self, is_current: Mask, known: Mask) -> Floats:
        """Log odds of each text, (n,), by the words of the `known` texts alone; a word that none of them has says nothing."""
        log_odds, _ = self._log_odds(is_current, known)
        return np.bincount(self._row, weights=log_odds[self._word], minlength=self._texts).astype(np.float64)

    def telling(self, is_current: Mask) -> tuple[str, ...]:
        """The words that say most often, and most clearly, that a text is a current one."""
        log_odds, counts = self._log_odds(is_current, np.ones(self._texts, dtype=bool))
        weight = log_odds * counts
        best = np.argsort(-weight, kind="stable")[:TELLING]
        return tuple(self.vocabulary[i] for i in best if weight[i] > 0)

    def _log_odds(self, is_current: Mask, known: Mask) -> tuple[Floats, Floats]:
        """By word: log of its share among current texts over that among the others, shrunk to the share among all by one text; how
        often it is in current ones."""
        counts = [
            np.bincount(self._word[(known & side)[self._row]], minlength=len(self.vocabulary)).astype(np.float64)
            for side in (~is_current, is_current)
        ]
        sizes = [int((known & side).sum()) for side in (~is_current, is_current)]
        everywhere = (counts[0] + counts[1]) / sum(sizes)
        seen = everywhere > 0
        odds = np.zeros(len(self.vocabulary))
        shares = [(count[seen] + everywhere[seen]) / (size + 1) for count, size in zip(counts, sizes, strict=True)]
        odds[seen] = np.log(shares[1] / shares[0])
        return odds, counts[1]


def _folds(is_current: Mask, seed: int) -> Ints:
    """A fold for each text, (n,), each with its share of both samples."""
    generator = np.random.default_rng(seed)
    fold = np.empty(is_current.size, dtype=np.int64)
    for side in (is_current, ~is_current):
        members = np.flatnonzero(side)
        fold[generator.permutation(members)] = np.arange(members.size) % FOLDS
    return fold


def _area(scores: Floats, is_current: Mask, judged: Mask) -> float:
    from scipy.stats import rankdata

    ranks, current = rankdata(scores[judged]), is_current[judged]
    ones, zeros = int(current.sum()), int((~current).sum())
    return float((ranks[current].sum() - ones * (ones + 1) / 2) / (ones * zeros))
