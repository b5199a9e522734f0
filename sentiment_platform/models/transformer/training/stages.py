"""Which texts are trained in which order: one stage over all label sets, then, where target sets are named, one over those alone.

Belongs here: choosing rows, weighing label sets, what is trained towards, and which validation texts judge. Training is `loop`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.family import LABELS, Floats, Integers, LabelledTexts
from sentiment_platform.models.transformer.training.parameters import TransformerParameters


@dataclass(frozen=True)
class Stage:
    """`epochs` passes over the training texts `rows`, with a warm-up and decay of its own."""

    name: str
    rows: Integers
    epochs: int
    learning_rate: float

    def steps(self, batch_size: int) -> int:
        """Optimizer steps of the whole stage."""
        return self.epochs * -(-len(self.rows) // batch_size)


def stages_for(parameters: TransformerParameters, train: LabelledTexts) -> tuple[Stage, ...]:
    """The stages of a run; `epochs` and `learning_rate` have been chosen.

    Raises:
        PermanentError: a named label set has no training text.
    """
    everything = Stage("all sets", np.arange(len(train)), parameters.epochs, parameters.learning_rate)
    _require_known([*parameters.target_sets, *parameters.set_weights], train.label_sets)
    if not parameters.target_sets:
        return (everything,)
    rows = rows_of(train, parameters.target_sets)
    rate = parameters.target_learning_rate or parameters.learning_rate / 2
    return everything, Stage("target sets", rows, parameters.target_epochs, rate)


def row_weights(parameters: TransformerParameters, train: LabelledTexts) -> Floats:
    """(n,) weight of each training text in the loss, by its label set."""
    if not parameters.set_weights:
        return np.ones(len(train))
    return np.array([parameters.set_weights.get(name, 1.0) for name in train.label_sets], dtype=np.float64)


def targets_of(parameters: TransformerParameters, labels: Integers, predictions: Floats | None) -> Floats:
    """(n, 3) probabilities that the texts are trained towards: labels and `predictions` mixed, or labels smoothed."""
    known = np.eye(len(LABELS))[labels]
    if predictions is not None:
        return known + (parameters.distillation_share or 0.0) * (predictions - known)
    return known + parameters.label_smoothing * (1 / len(LABELS) - known)


def judging_rows(parameters: TransformerParameters, validation: LabelledTexts) -> Integers:
    """The validation texts that choose the epoch: those of the target sets where there are any, else all."""
    rows = rows_of(validation, parameters.target_sets)
    return rows if len(rows) else np.arange(len(validation))


def rows_of(texts: LabelledTexts, label_sets: Sequence[str]) -> Integers:
    """Indices of the texts whose label comes from one of `label_sets`."""
    return np.flatnonzero([name in label_sets for name in texts.label_sets]).astype(np.int64)


def taken(texts: LabelledTexts, rows: Integers) -> LabelledTexts:
    """The rows of `texts` with these indices, in this order."""
    indices = [int(row) for row in rows]
    return LabelledTexts(
        ids=[texts.ids[row] for row in indices],
        texts=[texts.texts[row] for row in indices],
        labels=texts.labels[indices],
        features=texts.features[indices],
        label_sets=[texts.label_sets[row] for row in indices] if texts.label_sets else (),
        stories=[texts.stories[row] for row in indices] if texts.stories else (),
    )


def _require_known(names: Sequence[str], present: Sequence[str]) -> None:
    unknown = sorted(set(names) - set(present))
    if unknown:
        raise PermanentError(
            f"No training text comes from the label sets {unknown}.", remedy=f"There are {sorted(set(present)) or 'none named'}."
        )
