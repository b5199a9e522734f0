"""How far a training run is, and what its epochs gave: the JSON side of a checkpoint, and what curves are drawn from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """What one pass gave: mean training loss, and macro-F1 and log loss on the validation texts that judge.

    `averaged` is true where the running average of the weights was judged, not the last weights.
    """

    epoch: int
    train_loss: float
    macro_f1: float
    log_loss: float
    stage: str = ""
    averaged: bool = False

    @property
    def score(self) -> tuple[float, float, int]:
        """What the best epoch is chosen by: macro-F1, then log loss, then the later one."""
        return self.macro_f1, -self.log_loss, self.epoch


@dataclass(kw_only=True)
class Position:
    """Where a run is. `losses` are those of all steps so far; `order` is the state of the generator when the epoch began."""

    stage: int = 0
    epoch: int = 0
    batch: int = 0
    stage_steps: int = 0
    steps: int = 0
    texts: int = 0
    losses: list[float] = field(default_factory=list[float])
    epochs: list[Epoch] = field(default_factory=list[Epoch])
    best: int = 0
    waited: int = 0
    elapsed_s: float = 0.0
    training_s: float = 0.0
    order: dict[str, Any] = field(default_factory=dict[str, Any])
    scaler: dict[str, Any] = field(default_factory=dict[str, Any])

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> "Position":
        values: dict[str, Any] = {**stored, "epochs": [Epoch(**epoch) for epoch in stored["epochs"]]}
        return cls(**values)


def condensed(losses: list[float], points: int = 100) -> list[tuple[int, float]]:
    """(step, mean loss since the point before), at most `points` of them: the curve that a manifest has room for."""
    edges = np.unique(np.linspace(0, len(losses), min(points, len(losses)) + 1).astype(int))
    return [(int(end), round(float(np.mean(losses[start:end])), 4)) for start, end in pairwise(edges)]
