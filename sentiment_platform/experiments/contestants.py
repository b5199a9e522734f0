"""What a comparison is made from: the holdout, and what each version brings to it.

Read from the store by `holdout_comparison`; what follows is pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.evaluation.contrast_suite import ContrastScore
from sentiment_platform.models.evaluation.technical import TechnicalFigures
from sentiment_platform.statistics.arrays import Floats, Ints
from sentiment_platform.statistics.significance import story_of_row

Rows = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Holdout:
    """(n,) true `labels`, and of each text the number of the story that it tells."""

    training_set: str
    labels: Ints
    stories: npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """A version on a holdout of n texts.

    Attributes:
        family: "" where nobody says it.
        probabilities: (n, 3), in the order of the holdout.
        learned: (n,) whether it was trained or chosen on the text.
        knows_the_set: it learned from the label set of the holdout, and nobody can say from which of its texts.
        origins_not_known: itself, or what it goes back to, where nobody here can say from which texts those learned.
        technical, contrast: as measured when it was registered; None where that was not.
    """

    version: str
    probabilities: Floats
    learned: Rows
    family: str = ""
    knows_the_set: bool = False
    origins_not_known: tuple[str, ...] = ()
    technical: TechnicalFigures | None = None
    contrast: ContrastScore | None = None


def contestant(holdout: Holdout, version: str, probabilities: Floats, learned: Rows | None = None, **known: Any) -> Contestant:
    """`version` with its answers to every text of `holdout`; without `learned` it has seen none of them.

    Raises:
        PermanentError: it did not answer every text.
    """
    n = len(holdout.labels)
    if probabilities.shape != (n, 3):
        raise PermanentError(
            f"{version} answered {probabilities.shape[0]} of {n} holdout texts.", remedy="Materialize its evaluation again."
        )
    seen = np.zeros(n, dtype=np.bool_) if learned is None else learned
    return Contestant(version=version, probabilities=probabilities, learned=seen, **known)


def holdout_of(training_set: str, labels: Ints, stories: Sequence[str] | None = None) -> Holdout:
    """A holdout in which each text without a story is a story of its own."""
    n = len(labels)
    numbers = np.arange(n, dtype=np.int64) if stories is None else story_of_row(stories, n)
    return Holdout(training_set=training_set, labels=labels, stories=numbers)
