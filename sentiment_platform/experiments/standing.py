"""How the running experiment stood when it was last evaluated, and what a person may do next; for whoever shows it."""

from typing import Any

import msgspec
from sqlalchemy import Connection, Engine

from sentiment_platform.experiments.choice import read_choice
from sentiment_platform.experiments.online_evaluation import OnlineEvaluation
from sentiment_platform.experiments.online_gate import next_step
from sentiment_platform.experiments.online_reading import running_phase
from sentiment_platform.registry.deployment import Shadow
from sentiment_platform.registry.notes import experiment_words
from sentiment_platform.store.experiments import evaluations_of

NOT_YET = "It was not evaluated yet."
EVALUATE = "`sentiment-platform run monitor_job` evaluates it, as every hour does."


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """The phase that runs; `evaluation` is "" and `result` empty until it was evaluated once."""

    experiment: str
    phase: int
    mode: str
    evaluation: str
    verdict: str
    words: str
    next_step: str
    result: dict[str, Any]


def standing(engine: Engine) -> Standing | None:
    """None where no experiment runs."""
    with engine.connect() as connection:
        return standing_now(connection)


def standing_now(connection: Connection) -> Standing | None:
    """None where no experiment runs."""
    phase = running_phase(connection)
    if phase is None:
        return None
    plan = phase.plan
    evaluations = evaluations_of(connection, plan.name, plan.phase)
    evaluation = msgspec.convert(evaluations[-1].result, OnlineEvaluation) if evaluations else None
    plans = experiment_words(plan, None) if isinstance(plan, Shadow) else experiment_words(None, plan)
    newest = evaluations[-1] if evaluations else None
    return Standing(
        experiment=plan.name,
        phase=plan.phase,
        mode="shadow" if isinstance(plan, Shadow) else "split",
        evaluation=newest.id if newest else "",
        verdict=newest.verdict if newest else "",
        words=f"{plans} {newest.result['words'] if newest else NOT_YET}",
        next_step=next_step(evaluation, holdout_objection(connection, evaluation)) if evaluation else EVALUATE,
        result=newest.result if newest else {},
    )


def holdout_objection(connection: Connection, evaluation: OnlineEvaluation) -> str | None:
    """What the comparison on the newest holdout says against the challenger; None where it says nothing against it."""
    (pair,) = read_choice(connection, [(evaluation.champion, evaluation.challenger)])
    return f"On the holdout {pair.challenger} is {pair.verdict}: {pair.words}" if pair.speaks_against else None
