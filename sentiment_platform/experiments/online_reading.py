"""Evaluate what the newest deployment runs beside its champions: read its phase, judge it, store the evaluation as a version of its own.

Phases are kept apart by the revisions that ran them: no answer, unit or label pair of one enters another.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

import msgspec
import numpy as np
from sqlalchemy import Connection, Engine

from sentiment_platform.experiments.assignment import CHALLENGER, CONTROL
from sentiment_platform.experiments.online_evaluation import Arm, OnlineEvaluation, needed, paired_of
from sentiment_platform.experiments.online_guardrails import (
    OnlineGuardrail,
    class_shares,
    degraded,
    failures,
    latency,
    log_loss,
    shares_of_arms,
)
from sentiment_platform.labels.consolidation import consolidate
from sentiment_platform.models.evaluation.seen_texts import learned_from
from sentiment_platform.models.family import LABELS, Floats, Integers
from sentiment_platform.registry.deployment import Deployment, Experiment, Shadow
from sentiment_platform.registry.versions import VersionTag
from sentiment_platform.statistics.metrics import predicted_classes
from sentiment_platform.store.deployments import deployments
from sentiment_platform.store.experiments import add_evaluation, evaluations_of
from sentiment_platform.store.labels import StoredLabel, labels_of_people_on
from sentiment_platform.store.shadow_answers import (
    PairedAnswer,
    answers_of_arms,
    counts_of_arms,
    labelled_pairs,
    newest_pairs,
    shadow_counts,
    units_in_two_arms,
)
from sentiment_platform.store.versions import get_version

MOST_LOOKED_AT = 20_000
"""Newest pairs, or answers of arms, over which latency and class shares are judged."""


@dataclass(frozen=True)
class Phase:
    """The phase that runs now, every revision that ran it, and since when."""

    plan: Shadow | Experiment
    revisions: tuple[int, ...]
    since: datetime


@dataclass(frozen=True)
class Evaluated:
    """An evaluation, its id, and whether it is new: what says the same as one before is no version of its own."""

    evaluation: OnlineEvaluation
    id: str
    new: bool


def running_phase(connection: Connection) -> Phase | None:
    """The phase of the newest deployment; None where no experiment runs."""
    documents = [mirrored.document for mirrored in deployments(connection, limit=None)]
    plan = _plan(documents[0]) if documents else None
    if plan is None:
        return None
    of_phase = [one for one in documents if (other := _plan(one)) and (other.name, other.phase) == (plan.name, plan.phase)]
    return Phase(plan, tuple(sorted(one.revision for one in of_phase)), min(one.created_at for one in of_phase))


def evaluate_running(engine: Engine, *, run_id: str) -> Evaluated | None:
    """Evaluate the phase that runs and store what is new; None where no experiment runs."""
    with engine.begin() as connection:
        phase = running_phase(connection)
        if phase is None:
            return None
        plan = phase.plan
        evaluation = _of_shadow(connection, plan) if isinstance(plan, Shadow) else _of_split(connection, plan, phase)
        evaluation = _with_decision(connection, evaluation)
        identity = sha256(msgspec.json.encode(_identity(evaluation))).hexdigest()[:32]
        new = add_evaluation(
            connection,
            {
                "id": identity,
                "kind": evaluation.mode,
                "champion": evaluation.champion,
                "challenger": evaluation.challenger,
                "verdict": evaluation.verdict,
                "result": {**msgspec.to_builtins(evaluation), "words": evaluation.words()},
                "run_id": run_id,
            },
        )
    return Evaluated(evaluation, identity, new)


def _plan(document: Deployment) -> Shadow | Experiment | None:
    return document.shadow or document.experiment


def _identity(evaluation: OnlineEvaluation) -> tuple[object, ...]:
    """What makes an evaluation another version: labels, decision and guardrails, not how many requests came since."""
    blocking = tuple(guardrail.name for guardrail in evaluation.guardrails if guardrail.blocks)
    return evaluation.experiment, evaluation.phase, evaluation.mode, evaluation.paired, evaluation.decided, blocking


def _with_decision(connection: Connection, evaluation: OnlineEvaluation) -> OnlineEvaluation:
    """The first decision of the phase stands, whatever later labels say; so does an alarm about the shares of its arms."""
    evaluation = msgspec.structs.replace(evaluation, decided=evaluation.paired.decided if evaluation.paired else None)
    for earlier in reversed(evaluations_of(connection, evaluation.experiment, evaluation.phase)):
        known = msgspec.convert(earlier.result, OnlineEvaluation)
        if known.decided:
            evaluation = msgspec.structs.replace(
                evaluation, decided=known.decided, decided_in=known.decided_in or earlier.id, needs=None
            )
        alarms = tuple(one for one in known.guardrails if one.name == "shares_of_arms" and one.blocks)
        if alarms:
            others = tuple(one for one in evaluation.guardrails if one.name != "shares_of_arms")
            evaluation = msgspec.structs.replace(evaluation, guardrails=alarms + others)
    return evaluation


def _of_shadow(connection: Connection, plan: Shadow) -> OnlineEvaluation:
    asked, failed = shadow_counts(connection, plan.name, plan.phase)
    labelled, labels, learned = _judged_pairs(connection, plan)
    served, in_shadow = _probabilities(labelled)
    right = [predicted_classes(said) == labels for said in (served, in_shadow)] if labelled else []
    paired = paired_of([(bool(a), bool(b)) for a, b in zip(*right, strict=True)], learned)
    newest = newest_pairs(connection, plan.name, plan.phase, MOST_LOOKED_AT)
    both = _probabilities([pair for pair in newest if pair.in_shadow is not None])
    looked_at = (
        _shadow_latency(newest, plan),
        *class_shares(*both),
        failures(asked, failed),
        log_loss(labels, served, in_shadow),
    )
    return OnlineEvaluation(
        experiment=plan.name,
        phase=plan.phase,
        mode="shadow",
        champion=plan.beside,
        challenger=plan.version,
        asked=asked,
        failed=failed,
        guardrails=_that_speak(looked_at),
        paired=paired,
        answers=_crossed(*both),
        needs=needed(paired),
    )


def _judged_pairs(connection: Connection, plan: Shadow) -> tuple[list[PairedAnswer], Integers, int]:
    """One pair a story, in the order in which labels arrived, its label, and how many texts either version has learned from.

    Labels of annotators alone: who gives feedback has seen one of the two answers, and speaks where it was wrong.
    """
    pairs = {pair.text_hash: pair for pair in labelled_pairs(connection, plan.name, plan.phase)}
    said = consolidate(labels_of_people_on(connection, list(pairs))).kept
    ids = {label.text_hash: label.text_hash[:32] for label in said}
    learned: set[str] = set()
    for version in (plan.version, plan.beside):
        registered = get_version(connection, version)
        learned |= learned_from(connection, registered, list(ids.values())) if registered and ids else set()
    heard = (label for label in said if ids[label.text_hash] not in learned)
    first_of_story: dict[str, StoredLabel] = {}
    for label in sorted(heard, key=lambda label: (label.inserted_at is None, label.inserted_at, label.id)):
        first_of_story.setdefault(label.story_id or label.text_hash, label)
    kept = list(first_of_story.values())
    labels = np.array([LABELS.index(label.label) for label in kept], dtype=np.int64)  # type: ignore[arg-type]
    return [pairs[label.text_hash] for label in kept], labels, len(learned)


def _probabilities(pairs: Sequence[PairedAnswer]) -> tuple[Floats, Floats]:
    """(n, 3) of what was served and of what the shadow said."""
    served = np.array([pair.served for pair in pairs], dtype=np.float64).reshape(-1, len(LABELS))
    return served, np.array([pair.in_shadow for pair in pairs], dtype=np.float64).reshape(-1, len(LABELS))


def _crossed(served: Floats, in_shadow: Floats) -> tuple[tuple[int, ...], ...]:
    k = len(LABELS)
    cells = predicted_classes(served) * k + predicted_classes(in_shadow) if len(served) else np.zeros(0, dtype=np.int64)
    return tuple(tuple(row) for row in np.bincount(cells, minlength=k * k).reshape(k, k).tolist())


def _shadow_latency(pairs: Sequence[PairedAnswer], plan: Shadow) -> OnlineGuardrail | None:
    timed = [pair for pair in pairs if pair.made_by == "serving" and pair.in_shadow is not None]
    old = [pair.served_ms for pair in timed if not pair.cache_hit and pair.served_ms is not None]
    one_family = VersionTag.parse(plan.version).family == VersionTag.parse(plan.beside).family
    return latency(_p95(old), _p95([pair.shadow_ms for pair in timed]), timed=len(timed), one_family=one_family)


def _p95(milliseconds: Sequence[float]) -> float | None:
    return float(np.percentile(milliseconds, 95)) if milliseconds else None


def _of_split(connection: Connection, plan: Experiment, phase: Phase) -> OnlineEvaluation:
    counted = {one.arm: one for one in counts_of_arms(connection, plan.name, phase.revisions, phase.since)}
    arms = tuple(
        Arm(
            name=name,
            version=arm.version,
            weight=arm.weight,
            units=counted[name].units if name in counted else 0,
            answers=counted[name].answers if name in counted else 0,
            degraded=counted[name].degraded if name in counted else 0,
        )
        for name, arm in sorted(plan.arms.items(), key=lambda item: (item[0] != CONTROL, item[0]))
    )
    control, challenger = arms[0], next((arm for arm in arms if arm.name == CHALLENGER), arms[-1])
    both = [counted.get(arm.name) for arm in (control, challenger)]
    said = answers_of_arms(connection, plan.name, phase.revisions, phase.since, MOST_LOOKED_AT)
    by_arm = [np.array([row for name, row in said if name == arm.name]).reshape(-1, 3) for arm in (control, challenger)]
    in_two = units_in_two_arms(connection, plan.name, phase.revisions, phase.since)
    one_family = VersionTag.parse(control.version).family == VersionTag.parse(challenger.version).family
    old, new = (counts.latency_p95_ms if counts else None for counts in both)
    looked_at = (
        shares_of_arms([arm.units for arm in arms], [arm.weight for arm in arms], in_two)
        if any(arm.units for arm in arms)
        else None,
        latency(old, new, timed=challenger.answers, one_family=one_family),
        *class_shares(*by_arm),
        degraded(*(arm.degraded / arm.answers if arm.answers else 0.0 for arm in (control, challenger))),
    )
    return OnlineEvaluation(
        experiment=plan.name,
        phase=plan.phase,
        mode="split",
        champion=control.version,
        challenger=challenger.version,
        asked=challenger.answers,
        failed=0,
        guardrails=_that_speak(looked_at),
        arms=arms,
    )


def _that_speak(guardrails: Sequence[OnlineGuardrail | None]) -> tuple[OnlineGuardrail, ...]:
    return tuple(guardrail for guardrail in guardrails if guardrail is not None)
