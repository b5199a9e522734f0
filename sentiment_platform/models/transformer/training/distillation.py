"""Cross-fitted self-distillation: before the model itself is trained, models of the same recipe predict the training texts, each text by
one that did not train on it, and a share of its target is that prediction instead of its label.

A label of a text that people would label differently then says so, and one that is wrong weighs less. Sources: Hinton, Vinyals and Dean
2015, "Distilling the knowledge in a neural network"; Dao et al. 2021, "Knowledge distillation as semiparametric inference", for why the
predictions have to be of models that did not see the label.
"""

import dataclasses
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sentiment_platform.models.family import (
    LABELS,
    Floats,
    Integers,
    LabelledTexts,
    Progress,
    ProgressSink,
    TrainingData,
    TrainingOptions,
)
from sentiment_platform.models.transformer.training.base import ResolvedBase
from sentiment_platform.models.transformer.training.checkpoints import Checkpoint, CheckpointFolder
from sentiment_platform.models.transformer.training.device import torch_threads
from sentiment_platform.models.transformer.training.fine_tuning import TrainedTransformer, checkpoint_folder, train_transformer
from sentiment_platform.models.transformer.training.loop import MonotonicClock
from sentiment_platform.models.transformer.training.network import width_of
from sentiment_platform.models.transformer.training.parameters import TransformerParameters, for_width, transformer_parameters
from sentiment_platform.models.transformer.training.stages import taken
from sentiment_platform.models.transformer.training.weights import network_logits
from sentiment_platform.news.stories.near_duplicates import story_of
from sentiment_platform.statistics.metrics import predicted_classes
from sentiment_platform.statistics.softmax_regression import fold_of_rows, softmax

MIN_STORIES = 300
"""Stories among the training texts below which there is no distillation: with 150 sentences it cost six points of macro-F1 and gained
nothing; with 300 it cost one and lowered log loss, from 600 on it gained in both (WHAT_WAS_TRIED.md).
"""
MAX_DOUBTED = 20


@dataclass
class _Teachers:
    """What the models of the folds have said so far: (n, 3) probabilities, and a line about each of them."""

    predictions: Floats
    said: list[dict[str, Any]]

    @property
    def seconds(self) -> float:
        return sum(float(line["seconds"]) for line in self.said)


def train_distilled(
    base: ResolvedBase,
    data: TrainingData,
    options: TrainingOptions,
    progress: ProgressSink,
    *,
    checkpoints: Path | None = None,
    clock: MonotonicClock = time.monotonic,
) -> TrainedTransformer:
    """Fine-tune `base` as `train_transformer` does, with the predictions of `distillation_folds` models in its targets.

    These are of the same recipe without its second pass over each batch, which made no difference in them (tried with four): two together
    cost half as much as the training of the model itself. A run that was killed goes on behind the last fold that was finished, and
    within a fold or the model itself from its last checkpoint.

    Raises:
        PermanentError: as `train_transformer`.
    """
    parameters = for_width(transformer_parameters(options.parameters), width_of(base.path))
    stories = (data.train.stories or story_of(data.train.texts)) if parameters.distillation_share else ()
    if len(set(stories)) < MIN_STORIES:
        return train_transformer(base, data, options, progress, checkpoints=checkpoints, clock=clock)
    finished = checkpoint_folder(checkpoints, base, data, options, parameters, "teachers")
    # The texts of a story share a fold: else its model would have seen the label in another outlet's words.
    folds = fold_of_rows(len(stories), parameters.distillation_folds, seed=options.seed, groups=np.array(stories))
    teachers = _predict(base, data, options, parameters, folds, progress, finished, checkpoints, clock)
    own = parameters
    if parameters.max_seconds:
        own = dataclasses.replace(parameters, max_seconds=max(parameters.max_seconds - teachers.seconds, 1.0))
    own_options = dataclasses.replace(options, parameters=dataclasses.asdict(own))
    trained = train_transformer(
        base, data, own_options, progress, predictions=teachers.predictions, checkpoints=checkpoints, clock=clock
    )
    if finished:
        finished.clear()
    return dataclasses.replace(
        trained,
        parameters=dataclasses.replace(trained.parameters, max_seconds=parameters.max_seconds),
        seconds=trained.seconds + teachers.seconds,
        distillation=_report(data.train, teachers.predictions)
        | {"share": parameters.distillation_share, "teachers": teachers.said},
    )


def _report(texts: LabelledTexts, predictions: Floats) -> dict[str, Any]:
    """How far `predictions` (n, 3) agree with the labels, and the ids of the texts whose label they doubt most."""
    labelled = predictions[np.arange(len(texts)), texts.labels]
    said = predicted_classes(predictions)
    agree = said == texts.labels
    doubted = [int(row) for row in np.argsort(labelled, kind="stable") if not agree[row]][:MAX_DOUBTED]
    return {
        "agreement": float(agree.mean()),
        "doubted": [
            {
                "id": texts.ids[row],
                "label": LABELS[int(texts.labels[row])],
                "predicted": LABELS[int(said[row])],
                "probability": round(float(predictions[row].max()), 4),
            }
            for row in doubted
        ],
    }


def _predict(
    base: ResolvedBase,
    data: TrainingData,
    options: TrainingOptions,
    parameters: TransformerParameters,
    folds: Integers,
    progress: ProgressSink,
    finished: CheckpointFolder | None,
    checkpoints: Path | None,
    clock: MonotonicClock,
) -> _Teachers:
    count = parameters.distillation_folds
    saved = finished.newest() if finished else None
    if saved:
        teachers = _Teachers(saved.tensors["predictions"].numpy(), list(saved.position["said"]))
    else:
        teachers = _Teachers(np.full((len(data.train), len(LABELS)), 1 / len(LABELS)), [])
    for fold in range(len(teachers.said), count):
        inside, outside = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        recipe = _recipe_of_teachers(parameters, taken(data.train, outside))
        # Another digest: checkpoints of another fold, which may have as many texts, are not its own.
        part = dataclasses.replace(data, digest=f"{data.digest}, fold {fold + 1} of {count}", train=taken(data.train, outside))
        teacher_options = dataclasses.replace(options, seed=options.seed + 1 + fold, parameters=dataclasses.asdict(recipe))
        named = _named(progress, f"fold {fold + 1} of {count}")
        teacher = train_transformer(base, part, teacher_options, named, checkpoints=checkpoints, clock=clock)
        texts = [data.train.texts[int(row)] for row in inside]
        with torch_threads(teacher.threads):
            logits = network_logits(teacher.network, teacher.tokenizer_json, recipe.max_length, texts, teacher.compute)
        teachers.predictions[inside] = softmax(logits)
        teachers.said.append(
            {
                "trained_on": len(outside),
                "predicted": len(inside),
                "validation_macro_f1": round(teacher.best.macro_f1, 4),
                "seconds": round(teacher.seconds, 1),
            }
        )
        if finished:
            _keep(finished, teachers)
    return teachers


def _recipe_of_teachers(parameters: TransformerParameters, texts: LabelledTexts) -> TransformerParameters:
    present = set(texts.label_sets)
    passes = 2.0 if parameters.consistency else 1.0
    rest = (parameters.distillation_folds - 1) / parameters.distillation_folds
    return dataclasses.replace(
        parameters,
        consistency=0.0,
        target_sets=(),
        set_weights={name: weight for name, weight in parameters.set_weights.items() if name in present},
        # Each its part of the cap, by the texts that it trains on.
        max_seconds=parameters.max_seconds * rest / (parameters.distillation_folds * rest + passes),
    )


def _keep(finished: CheckpointFolder, teachers: _Teachers) -> None:
    import torch

    tensors = {"predictions": torch.from_numpy(teachers.predictions)}
    # A full disk must not cost the training itself; the loop says that it is full.
    with suppress(OSError):
        finished.save(Checkpoint(tensors, {"steps": len(teachers.said), "said": teachers.said}))


def _named(progress: ProgressSink, name: str) -> ProgressSink:
    def told(report: Progress) -> None:
        progress(dataclasses.replace(report, stage=f"{report.stage}, {name}"))

    return told
