"""How many further labels an undecided comparison needs; the rule that is planned for is that of `comparing`."""

import msgspec
import numpy as np

from sentiment_platform.errors import PermanentError
from sentiment_platform.experiments.comparison import EQUIVALENCE_MARGIN, SMALLEST_DIFFERENCE, Comparison
from sentiment_platform.models.family import LABELS
from sentiment_platform.statistics.arrays import Ints
from sentiment_platform.statistics.planning import Design, chance_of_better, chance_of_equivalent, rows_for

POWER = 0.85
"""Chance that a plan aims at: above 0.8, because what it assumes of the two versions is itself estimated."""
SEED = 20260101


def with_plan(comparison: Comparison, labels: Ints) -> Comparison:
    """`comparison` with the number of further stories that it needs, where the gate reads it and nothing was shown.

    Args:
        labels: (n,) of the holdout, for the shares of its classes.
    """
    if not comparison.read or comparison.verdict != "no difference shown" or comparison.in_sample or comparison.scores is None:
        return comparison
    units = comparison.stories or comparison.n
    shares = tuple(float(share) for share in np.bincount(labels, minlength=len(LABELS)) / len(labels))
    discordant = (comparison.mcnemar.only_a_right + comparison.mcnemar.only_b_right) / units
    planned = stories_for_difference(comparison.scores[0].accuracy, discordant, comparison.level / comparison.tests, shares)
    enough = planned is not None and planned <= units
    if enough:
        planned = stories_for_equivalence(comparison.scores[0].accuracy, discordant, shares)
    if planned is None:
        return comparison
    return msgspec.structs.replace(comparison, needs=max(0, planned - units), needs_for="equivalence" if enough else "difference")


def stories_for_difference(
    accuracy: float, discordant_share: float, level: float, class_shares: tuple[float, ...] | None = None
) -> int | None:
    """Stories with which `SMALLEST_DIFFERENCE` is shown with a chance of `POWER`, where McNemar's own p is held against `level`.

    Args:
        accuracy: of the champion. discordant_share: of the texts that one of the two gets right.
        class_shares: of the texts; None: equal.

    Returns:
        None where a million would not do.
    """
    design = _design(accuracy, discordant_share, SMALLEST_DIFFERENCE, class_shares)
    return rows_for(lambda n: chance_of_better(design, n, alpha=level, seed=SEED), POWER) if design and level > 0 else None


def stories_for_equivalence(
    accuracy: float, discordant_share: float, class_shares: tuple[float, ...] | None = None
) -> int | None:
    """Stories with which equal versions are called equivalent with a chance of `POWER`."""
    design = _design(accuracy, discordant_share, 0.0, class_shares)
    return rows_for(lambda n: chance_of_equivalent(design, n, margin=EQUIVALENCE_MARGIN, seed=SEED), POWER) if design else None


def _design(accuracy: float, discordant: float, difference: float, class_shares: tuple[float, ...] | None) -> Design | None:
    share = min(max(discordant, difference + 0.01), 1.0)
    # What B gains beyond A's errors cannot be gained: a champion that is nearly always right has no plan.
    right = min(max(accuracy, (share - difference) / 2), 1 - (share + difference) / 2)
    try:
        known = {} if class_shares is None else {"class_shares": class_shares}
        return Design(accuracy=right, difference=difference, discordant_share=share, **known)
    except PermanentError:
        return None
