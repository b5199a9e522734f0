"""Which rule constants and how much learning: a seeded search over both, judged on held-out folds of the training part.

Here: the space, the study, and its record. Not here: the fit itself (`fit`). The first trial is always the stock constants, so
the search can only move away from them on evidence. Optuna is imported when a search runs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sentiment_platform.models.family import Floats, Integers
from sentiment_platform.models.vader.fit import Problem, Strengths, fit_terms
from sentiment_platform.models.vader.terms import TermEvidence
from sentiment_platform.news.stories.near_duplicates import story_of
from sentiment_platform.statistics.metrics import confusion_matrix, ratios
from sentiment_platform.statistics.softmax_regression import fold_of_rows
from sentiment_platform.text.lexicon import Lexicon
from sentiment_platform.text.rules import STOCK_RULES, RuleConstants
from sentiment_platform.text.vader import VaderEngine

if TYPE_CHECKING:
    import optuna

FOLDS = 3
STEPS = 80
"""Enough to rank settings; the chosen one is fitted to the end."""
STARTUP_TRIALS = 5
"""Trials before any is pruned, and before the sampler models the others."""


@dataclass(frozen=True)
class Range:
    """Of one searched number: bounds, whether its logarithm is searched, and where the first trial starts."""

    low: float
    high: float
    start: float
    log: bool = False


# Bounds within which a rule still is what its name says: few labelled texts must not find that "not" means nothing.
SPACE = {
    "sparsity": Range(0.4, 2.0, 0.8, log=True),
    "emphasis_sparsity": Range(0.7, 2.0, 1.0, log=True),
    "ridge": Range(0.1, 6.0, 1.5, log=True),
    "steepness": Range(0.25, 1.0, 0.5, log=True),
    "negation_factor": Range(-1.0, -0.4, STOCK_RULES.negation_factor),
    "before_but_factor": Range(0.25, 1.0, STOCK_RULES.before_but_factor),
    "after_but_factor": Range(1.0, 2.0, STOCK_RULES.after_but_factor),
    "intensifier_increment": Range(0.1, 0.5, STOCK_RULES.intensifier_increment),
    "capitals_increment": Range(0.0, 0.8, STOCK_RULES.capitals_increment),
    "exclamation_increment": Range(0.1, 0.5, STOCK_RULES.exclamation_increment),
}
"""What is searched, within which bounds. Thresholds are not: each fit finds the best ones itself."""

_STRENGTHS = frozenset(field.name for field in Strengths.__dataclass_fields__.values())


@dataclass(frozen=True)
class Setting:
    """One point of the space."""

    strengths: Strengths = field(default_factory=Strengths)
    constants: RuleConstants = STOCK_RULES


@dataclass(frozen=True)
class Search:
    """What was found, and the record of how: JSON-able, for metadata and manifest."""

    best: Setting
    record: dict[str, Any]


def setting_of(values: dict[str, float]) -> Setting:
    """The setting that these values of `SPACE` mean; rounded, so that a reader can copy it."""
    rounded = {name: float(f"{value:.4g}") for name, value in values.items()}
    strengths = Strengths(**{name: value for name, value in rounded.items() if name in _STRENGTHS})
    constants = {name: value for name, value in rounded.items() if name not in _STRENGTHS}
    if "intensifier_increment" in constants:
        constants["dampener_increment"] = -constants["intensifier_increment"]
    return Setting(strengths, replace(STOCK_RULES, **constants))


FIRST = setting_of({name: searched.start for name, searched in SPACE.items()})
"""Without a search."""


def problem_of(
    texts: Sequence[str], labels: Integers, evidence: TermEvidence, lexicon: Lexicon, constants: RuleConstants
) -> Problem:
    """What is to be fitted under these constants."""
    engine = VaderEngine(lexicon, constants)
    sums = np.array([engine.sums(engine.weigh(text)) for text in texts], dtype=np.float64)
    return Problem(
        valence=evidence.valence_matrix(constants),
        emphasis=evidence.emphasis_matrix(),
        polarity=sums[:, 0],
        punctuation=sums[:, 1],
        labels=labels,
        stock=evidence.stock,
    )


def search(
    texts: Sequence[str],
    labels: Integers,
    evidence: TermEvidence,
    lexicon: Lexicon,
    *,
    trials: int,
    seed: int,
    report: Callable[[int, float], None],
) -> Search:
    """The setting with the best macro-F1 on held-out folds; near-duplicates share a fold. The same seed finds the same.

    Args:
        trials: how many settings are tried; 0 takes `FIRST` untried.
        report: called after each trial with its number and the best macro-F1 so far.
    """
    if trials == 0:
        return Search(FIRST, {"trials": [], "best": None, "seed": seed})
    import optuna

    folds = fold_of_rows(len(texts), FOLDS, seed=seed, groups=np.array(story_of(texts)))
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP_TRIALS),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=STARTUP_TRIALS),
    )
    study.enqueue_trial({name: searched.start for name, searched in SPACE.items()})

    def objective(trial: "optuna.Trial") -> float:
        setting = setting_of({name: trial.suggest_float(name, r.low, r.high, log=r.log) for name, r in SPACE.items()})
        problem = problem_of(texts, labels, evidence, lexicon, setting.constants)
        scores = list[float]()
        for fold in range(FOLDS):
            scores.append(_held_out_macro_f1(problem, folds, fold, setting.strengths))
            trial.report(float(np.mean(scores)), fold)
            if fold + 1 < FOLDS and trial.should_prune():
                raise optuna.TrialPruned
        return float(np.mean(scores))

    study.optimize(objective, n_trials=trials, callbacks=[lambda study, trial: report(trial.number, study.best_value)])
    return Search(setting_of(study.best_params), _record(study, seed))


def _held_out_macro_f1(problem: Problem, folds: Integers, fold: int, strengths: Strengths) -> float:
    held = problem.rows(folds == fold)
    logits: Floats = fit_terms(problem.rows(folds != fold), strengths, steps=STEPS).logits(held)
    return float(ratios(confusion_matrix(held.labels, logits.argmax(axis=1)).astype(np.float64)).macro_f1)


def _record(study: "optuna.Study", seed: int) -> dict[str, Any]:
    return {
        "objective": f"macro-F1, mean of {FOLDS} held-out folds of the training part",
        "sampler": "TPE",
        "pruner": "median",
        "seed": seed,
        "space": {name: {"low": r.low, "high": r.high, "log": r.log, "first": r.start} for name, r in SPACE.items()},
        "best": study.best_trial.number,
        "best_value": study.best_value,
        "trials": [
            {
                "number": trial.number,
                "state": trial.state.name.lower(),
                "value": trial.value,
                "folds": [trial.intermediate_values[step] for step in sorted(trial.intermediate_values)],
                "params": {name: float(f"{value:.4g}") for name, value in trial.params.items()},
            }
            for trial in study.trials
        ],
    }
