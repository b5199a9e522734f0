"""A search for parameters: seeded TPE (Bergstra et al. 2011), trials that fall behind the median are pruned, and the study lies in
PostgreSQL, where several workers share it and a killed one leaves what it found.

Any family may use it; what a trial does is the family's. optuna is imported inside the functions, and its tables are its own: schema
`optuna` of the platform's database.
"""

import warnings
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from sqlalchemy import text
from sqlalchemy.engine import make_url

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.family import ProgressSink
from sentiment_platform.models.progress import ProgressMeter
from sentiment_platform.store.engine import create_platform_engine, sqlalchemy_url

if TYPE_CHECKING:
    from collections.abc import Generator

    from optuna.storages import BaseStorage

OPTUNA_SCHEMA = "optuna"
STARTUP_TRIALS = 4
"""Trials drawn at random before TPE models them and before any is pruned."""
HEARTBEAT_S = 60


class TrialHandle(Protocol):
    """What an objective asks for its parameters, and tells how far it is (the part of optuna's `Trial` that is used)."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float: ...

    def suggest_categorical(self, name: str, choices: Any) -> Any: ...

    def report(self, value: float, step: int) -> None: ...

    def should_prune(self) -> bool: ...


Objective = Callable[[TrialHandle], float]
"""Returns what is to be as large as possible; calls `report_or_prune` after each of its steps."""


@dataclass(frozen=True)
class TrialRecord:
    """One trial: `value` is its result, or where it was pruned the last that it reported."""

    number: int
    state: Literal["complete", "pruned", "failed"]
    value: float | None
    parameters: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class SearchReport:
    """A finished search; JSON-able by `figures`."""

    study: str
    seed: int
    best_value: float
    best_parameters: Mapping[str, Any]
    importances: Mapping[str, float]
    trials: tuple[TrialRecord, ...] = field(default=())

    def figures(self) -> dict[str, Any]:
        """For manifest and metadata."""
        return asdict(self) | {"n_trials": len(self.trials), "n_pruned": sum(trial.state == "pruned" for trial in self.trials)}


def search(
    name: str,
    objective: Objective,
    *,
    n_trials: int,
    seed: int,
    database_url: str = "",
    worker: int = 0,
    progress: ProgressSink = lambda _: None,
) -> SearchReport:
    """Go on with study `name` until `n_trials` of it have ended, whoever ran them, and report.

    The same seed gives the same trials to a worker that is alone; a study that is complete is only read.

    Args:
        database_url: PostgreSQL without a transaction-mode pooler; "" keeps the study in this process.
        worker: number of this worker, from 0; each draws from a seed of its own.

    Raises:
        PermanentError: no trial came to an end.
    """
    import optuna

    with _quiet(), _storage(database_url) as storage:
        study = optuna.create_study(
            storage=storage,
            study_name=name,
            direction="maximize",
            load_if_exists=True,
            sampler=optuna.samplers.TPESampler(seed=seed + 7919 * worker, n_startup_trials=STARTUP_TRIALS),
            pruner=optuna.pruners.MedianPruner(n_startup_trials=STARTUP_TRIALS, n_warmup_steps=0),
        )
        ended = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
        meter = ProgressMeter(progress, "search", n_trials)
        done = 0
        while (now := len(study.get_trials(deepcopy=False, states=ended))) < n_trials:
            meter.advance(now - done)
            done = now
            study.optimize(objective, n_trials=1)  # pyright: ignore[reportArgumentType]  TrialHandle is the part of Trial that is used
        report = _report(study, seed)
        meter.finish(f"best {report.best_value:.4f} of {len(report.trials)} trials")
        return report


def report_or_prune(trial: TrialHandle, value: float, step: int) -> None:
    """Tell the study how far the trial is; ends the trial when it is behind the others.

    Raises:
        optuna.TrialPruned: for the study, which takes it as an end and not as a failure.
    """
    import optuna

    trial.report(value, step)
    if trial.should_prune():
        raise optuna.TrialPruned


@contextmanager
def _storage(database_url: str) -> "Generator[BaseStorage]":
    """Optuna's tables in schema `optuna`, made where they are missing; two processes may do so at once."""
    import optuna

    if not database_url:
        yield optuna.storages.InMemoryStorage()
        return
    engine = create_platform_engine(database_url)
    url = make_url(sqlalchemy_url(database_url)).update_query_dict({"options": f"-csearch_path={OPTUNA_SCHEMA}"})
    try:
        with engine.connect() as connection:
            # Optuna makes its tables and versions them without a lock of its own: the first worker goes alone.
            connection.execute(text("SELECT pg_advisory_lock(hashtext('sentiment_platform.optuna'))"))
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {OPTUNA_SCHEMA}"))
            connection.commit()
            storage = optuna.storages.RDBStorage(
                url.render_as_string(hide_password=False),
                engine_kwargs={"pool_pre_ping": True},
                heartbeat_interval=HEARTBEAT_S,
            )
            connection.execute(text("SELECT pg_advisory_unlock(hashtext('sentiment_platform.optuna'))"))
            connection.commit()
    finally:
        engine.dispose()
    try:
        yield storage
    finally:
        storage.remove_session()
        storage.engine.dispose()


def _report(study: Any, seed: int) -> SearchReport:
    states: dict[str, Literal["complete", "pruned", "failed"]] = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}
    trials = tuple(
        TrialRecord(trial.number, states[trial.state.name], trial.value, dict(trial.params))
        for trial in study.trials
        if trial.state.name in states
    )
    if not any(trial.state == "complete" for trial in trials):
        raise PermanentError(
            f"No trial of study {study.study_name} came to an end.", remedy="Look into the log for why they failed."
        )
    return SearchReport(
        study=study.study_name,
        seed=seed,
        best_value=study.best_value,
        best_parameters=dict(study.best_params),
        importances=_importances(study),
        trials=trials,
    )


def _importances(study: Any) -> dict[str, float]:
    """Share of each parameter in how the results vary (PED-ANOVA, Watanabe et al. 2023); empty where too few trials vary."""
    import optuna

    complete = [trial for trial in study.trials if trial.state.name == "COMPLETE"]
    if len(complete) < 2 * STARTUP_TRIALS or len({trial.value for trial in complete}) < 2:
        return {}
    shares = optuna.importance.get_param_importances(study, evaluator=optuna.importance.PedAnovaImportanceEvaluator())
    return {name: float(value) for name, value in shares.items()}


@contextmanager
def _quiet() -> "Generator[None]":
    """Optuna reports every trial and its experimental parts on its own; progress tells the reader instead."""
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)
