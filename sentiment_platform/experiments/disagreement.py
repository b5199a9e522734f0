"""Where two versions answer differently on the same holdout, and who is right there."""

from collections.abc import Sequence

import msgspec
import numpy as np

from sentiment_platform.markdown_tables import markdown_table
from sentiment_platform.models.family import LABELS
from sentiment_platform.statistics.arrays import Floats, Ints
from sentiment_platform.statistics.metrics import confusion_matrix, predicted_classes

MAX_IDS = 200


class Disagreement(msgspec.Struct, frozen=True, kw_only=True):
    """`confusion[i][j]` counts texts that `a` calls class i and `b` class j. `ids`: up to `MAX_IDS` examples that they call differently."""

    a: str
    b: str
    n: int
    n_different: int
    only_a_right: int
    only_b_right: int
    both_wrong: int
    confusion: tuple[tuple[int, ...], ...]
    ids: tuple[str, ...]

    def table(self) -> str:
        """Markdown: the confusion between the two, and who is right where they differ."""
        rows = [(label, *row) for label, row in zip(LABELS, self.confusion, strict=True)]
        said = markdown_table((f"{self.a} \\ {self.b}", *LABELS), rows)
        share = f"{self.n_different} of {self.n} texts are called differently"
        right = f"{self.a} alone is right {self.only_a_right} times, {self.b} alone {self.only_b_right} times, neither {self.both_wrong}"
        return f"{share}: {right}.\n\n{said}"


def disagreement(names: tuple[str, str], ids: Sequence[str], labels: Ints, a: Floats, b: Floats) -> Disagreement:
    """Compare the likeliest labels of probabilities `a` and `b`, (n, 3), on examples with `ids` and true `labels`, (n,)."""
    said_a, said_b = predicted_classes(a), predicted_classes(b)
    different = said_a != said_b
    right_a, right_b = said_a == labels, said_b == labels
    return Disagreement(
        a=names[0],
        b=names[1],
        n=len(labels),
        n_different=int(different.sum()),
        only_a_right=int((different & right_a).sum()),
        only_b_right=int((different & right_b).sum()),
        both_wrong=int((different & ~right_a & ~right_b).sum()),
        confusion=tuple(tuple(int(cell) for cell in row) for row in confusion_matrix(said_a, said_b)),
        ids=tuple(ids[int(row)] for row in np.flatnonzero(different)[:MAX_IDS]),
    )
