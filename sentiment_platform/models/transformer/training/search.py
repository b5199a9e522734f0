"""The search over the recipe of fine-tuning: what a trial may change, and what it does. The study itself is `search`."""

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np

from sentiment_platform.models.family import Progress, ProgressSink, TrainingData, TrainingOptions
from sentiment_platform.models.study import SearchReport, TrialHandle, report_or_prune, search
from sentiment_platform.models.transformer.training.base import ResolvedBase
from sentiment_platform.models.transformer.training.fine_tuning import planned, train_transformer
from sentiment_platform.models.transformer.training.parameters import TransformerParameters
from sentiment_platform.models.transformer.training.position import Epoch
from sentiment_platform.models.transformer.training.stages import taken

FACTOR = 3.0
"""How far a trial's learning rate may lie from the recipe's, both ways."""


@dataclass(frozen=True)
class Knob:
    """One dimension of the search: how a trial draws it, and the bounds as text for the report."""

    draw: Callable[[TrialHandle], Any]
    bounds: str


def space(parameters: TransformerParameters) -> Mapping[str, Knob]:
    """What a trial may change; `parameters` are those that the recipe would use."""
    low, high = parameters.learning_rate / FACTOR, parameters.learning_rate * FACTOR
    return {
        "learning_rate": Knob(
            lambda trial: trial.suggest_float("learning_rate", low, high, log=True), f"{low:.2g} to {high:.2g}, log"
        ),
        "layer_decay": Knob(lambda trial: trial.suggest_float("layer_decay", 0.7, 1.0), "0.7 to 1"),
        "warmup_share": Knob(lambda trial: trial.suggest_float("warmup_share", 0.02, 0.3), "0.02 to 0.3"),
        "label_smoothing": Knob(lambda trial: trial.suggest_float("label_smoothing", 0.0, 0.2), "0 to 0.2"),
        "class_weight_power": Knob(lambda trial: trial.suggest_float("class_weight_power", 0.0, 1.0), "0 to 1"),
        "averaging": Knob(lambda trial: trial.suggest_categorical("averaging", [0.0, 0.9, 0.98]), "0, 0.9 or 0.98"),
    }


def search_recipe(
    base: ResolvedBase,
    data: TrainingData,
    options: TrainingOptions,
    parameters: TransformerParameters,
    progress: ProgressSink,
    *,
    database_url: str,
    worker: int = 0,
) -> tuple[dict[str, Any], SearchReport, Mapping[str, str]]:
    """Parameters that did best on the validation part, the report, and the bounds that were searched.

    What `options` names stays as it is. A trial trains on at most `trial_texts` texts, always the same ones and from the same seed, and
    is judged after each epoch by its best macro-F1 so far. It trains on labels alone, without distillation.
    """
    rows = np.arange(len(data.train))
    if len(rows) > parameters.trial_texts:
        rows = np.sort(np.random.default_rng(options.seed).permutation(len(rows))[: parameters.trial_texts])
    part = dataclasses.replace(data, train=taken(data.train, rows))
    # What no trial looks at must not divide a study: that is named by the recipe.
    plain = dataclasses.replace(
        parameters, n_trials=0, start="base", replay_share=1.0, checkpoint_steps=0, distillation_share=0.0, distillation_folds=2
    )
    recipe, _ = planned(plain, base, part.train)
    knobs = {name: knob for name, knob in space(recipe).items() if name not in options.parameters}

    def objective(trial: TrialHandle) -> float:
        best = 0.0

        def judge(epoch: Epoch) -> None:
            nonlocal best
            best = max(best, epoch.macro_f1)
            report_or_prune(trial, best, epoch.epoch)

        drawn = {name: knob.draw(trial) for name, knob in knobs.items()}
        tried = dataclasses.replace(recipe, **drawn)
        train_transformer(base, part, dataclasses.replace(options, parameters=dataclasses.asdict(tried)), _silent, on_epoch=judge)
        return best

    bounds = {name: knob.bounds for name, knob in knobs.items()}
    identity = [data.digest, base.digest, options.seed, dataclasses.asdict(recipe), bounds]
    name = f"finbert-{sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]}"
    report = search(
        name,
        objective,
        n_trials=parameters.n_trials,
        seed=options.seed,
        database_url=database_url,
        worker=worker,
        progress=progress,
    )
    return dict(report.best_parameters), report, bounds


def _silent(_: Progress) -> None:
    """A trial is one unit of the search's progress."""
