"""Pairs of sentences that differ in little and mean something else: does a model see the difference?

The pairs are made up for this platform and stand in `contrast_pairs.txt`; nothing is ever fitted on them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import msgspec
import numpy as np

from sentiment_platform.models.family import LABELS, Label, Model
from sentiment_platform.statistics.estimate import Estimate
from sentiment_platform.statistics.metrics import predicted_classes
from sentiment_platform.statistics.resampling import bootstrap_means, percentile_estimate

SEED = 20260101


@dataclass(frozen=True)
class Pair:
    """Two sentences and what each of them says; `kind` is what they differ in."""

    kind: str
    texts: tuple[str, str]
    labels: tuple[Label, Label]


class ContrastScore(msgspec.Struct, frozen=True):
    """Shares of pairs with both sentences right: over all of them, with a bootstrap interval, and for each kind."""

    both_right: Estimate
    by_kind: Mapping[str, float]


@cache
def pairs() -> tuple[Pair, ...]:
    """The suite, in file order."""
    content = files("sentiment_platform.models.evaluation").joinpath("contrast_pairs.txt").read_text("utf-8")
    return tuple(_pair(line) for line in content.splitlines() if line and not line.startswith("#"))


def score_contrast(model: Model, suite: Sequence[Pair] | None = None) -> ContrastScore:
    """Ask `model` all sentences of the suite, without features. A pair counts when the likeliest label of both is the right one."""
    suite = pairs() if suite is None else suite
    texts = [text for pair in suite for text in pair.texts]
    said = predicted_classes(model.predict(texts, None))
    expected = np.array([LABELS.index(label) for pair in suite for label in pair.labels])
    right = (said == expected).reshape(-1, 2).all(axis=1).astype(np.float64)
    samples = bootstrap_means(right[:, None], seed=SEED)[:, 0]
    kinds = sorted({pair.kind for pair in suite})
    return ContrastScore(
        percentile_estimate(float(right.mean()), samples, n=len(suite)),
        {kind: float(right[[pair.kind == kind for pair in suite]].mean()) for kind in kinds},
    )


def _pair(line: str) -> Pair:
    kind, *sides = (part.strip() for part in line.split("|"))
    (first, a), (second, b) = (side.split(": ", 1) for side in sides)
    return Pair(kind, (a, b), (LABELS[LABELS.index(first)], LABELS[LABELS.index(second)]))  # type: ignore[arg-type]
