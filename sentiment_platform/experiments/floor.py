"""What the first version of a family must reach, where there is nothing to beat yet: more than always saying the commonest label.

`gate` refuses what does not reach it.
"""

import msgspec
import numpy as np

from sentiment_platform.experiments.contestants import Contestant, Holdout
from sentiment_platform.models.family import LABELS
from sentiment_platform.statistics.metrics import predicted_classes
from sentiment_platform.statistics.significance import discordant_counts, mcnemar_exact

ALPHA = 0.05


class Floor(msgspec.Struct, frozen=True, kw_only=True):
    """A version against always saying `majority`, on `n` texts that it has not learned from.

    Attributes:
        only_version_right, only_majority_right: stories of which one got more right than the other.
        unanswered: labels that some texts have and no answer named.
    """

    version: str
    n: int
    majority: str
    accuracy: float
    majority_share: float
    only_version_right: int
    only_majority_right: int
    p_value: float
    unanswered: tuple[str, ...]

    def refusal(self) -> str | None:
        """Why it may not be the first of its family; None where it may."""
        if self.unanswered:
            answered = [label for label in LABELS if label not in self.unanswered]
            said = (
                f"{self.version} answers every text with {answered[0]}"
                if len(answered) == 1
                else f"{self.version} never answers {self.unanswered[0]}"
            )
            return f"{said}, so it is not taken"
        # Better is one side of the test.
        if self.only_version_right > self.only_majority_right and self.p_value / 2 < ALPHA:
            return None
        return (
            f"{self.version} is not shown to be better than always saying {self.majority} (right on {self.accuracy:.1%} and "
            f"{self.majority_share:.1%} of {self.n} texts, one-sided p = {self.p_value / 2:.2g}), so it is not taken"
        )


def floor_of(holdout: Holdout, side: Contestant) -> Floor | None:
    """The floor of `side` on what it has not learned from; None where that is nothing."""
    rows = ~side.learned
    if not rows.any():
        return None
    labels, said = holdout.labels[rows], side.probabilities[rows]
    counts = np.bincount(labels, minlength=len(LABELS))
    majority = int(counts.argmax())
    always = np.tile(np.eye(len(LABELS))[majority], (len(labels), 1))
    test = mcnemar_exact(*discordant_counts(labels, always, said, holdout.stories[rows]))
    classes = predicted_classes(said)
    answered = np.bincount(classes, minlength=len(LABELS))
    return Floor(
        version=side.version,
        n=len(labels),
        majority=LABELS[majority],
        accuracy=float((classes == labels).mean()),
        majority_share=float(counts[majority] / len(labels)),
        only_version_right=test.only_b_right,
        only_majority_right=test.only_a_right,
        p_value=test.p_value,
        unanswered=tuple(label for label, true, named in zip(LABELS, counts, answered, strict=True) if true and not named),
    )
