"""A training run in a process of its own, for a test that kills it: `python -m ...killed_training BASE CHECKPOINTS EVERY RESULT`."""

import json
import sys
from pathlib import Path

from sentiment_platform.models.family import Progress, TrainingOptions
from sentiment_platform.models.transformer.training.base import resolve_base
from sentiment_platform.models.transformer.training.fine_tuning import TrainedTransformer, train_transformer
from sentiment_platform.models.transformer.training.loop import EpochSink
from sentiment_platform_tests.models.tiny_transformer import tiny_data

PARAMETERS = {
    "epochs": 3,
    "learning_rate": 2e-3,
    "batch_size": 16,
    "averaging": 0.9,
    "patience": 0,
    "device": "cpu",
    "precision": "float32",
}


def run(
    base: str,
    checkpoints: Path | None,
    every: int,
    *,
    token: int = 0,
    on_epoch: EpochSink | None = None,
    **parameters: object,
) -> TrainedTransformer:
    """45 steps; with averaging, so that every kind of state is there."""
    options = TrainingOptions(
        seed=7, threads=1, parameters={**PARAMETERS, "checkpoint_steps": every, **parameters}, lease_token=token
    )
    return train_transformer(resolve_base(base), tiny_data(), options, _say, checkpoints=checkpoints, on_epoch=on_epoch)


def _say(progress: Progress) -> None:
    print(progress.note, flush=True)


if __name__ == "__main__":
    trained = run(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
    Path(sys.argv[4]).write_text(json.dumps([list(point) for point in trained.losses]))
