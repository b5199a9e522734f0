"""What a k-fold by story measured, as a manifest keeps it and pages tell it. Measuring is `folds`; nothing heavy here, serving reads it."""

from typing import Any, Literal

import msgspec

from sentiment_platform.statistics.estimate import Estimate, with_interval


class FoldFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of a k-fold by story: means over the folds with their interval.

    Attributes:
        refitted: what was fitted again for each fold: the whole family, or the calibration head alone.
        parameters: of the family, where it was fitted again.
        texts, stories: that were judged, each once.
        by_fold: macro-F1 of each fold, in order.
    """

    refitted: Literal["family", "head"]
    parameters: dict[str, Any] = {}
    texts: int
    stories: int
    accuracy: Estimate
    macro_f1: Estimate
    by_fold: list[float]

    def words(self) -> str:
        """What was done and what came out, as sentences."""
        return (
            f"{len(self.by_fold)} folds by story, {self.texts:,} texts of {self.stories:,} stories. Each fold is answered by {self._by()}. "
            f"Mean macro-F1 {with_interval(self.macro_f1)}, fold by fold {min(self.by_fold):.3f} to {max(self.by_fold):.3f}; "
            f"mean accuracy {with_interval(self.accuracy)}."
        )

    def _by(self) -> str:
        if self.refitted == "head":
            return (
                "this version's scorer, which was not trained on these texts, with a calibration head fitted on the other folds"
            )
        told = "".join(f", {name}={value}" for name, value in self.parameters.items())
        return f"a version trained on the other folds{told}"
