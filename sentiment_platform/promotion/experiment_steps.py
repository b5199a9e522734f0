"""The steps of an online experiment as next deployments: into shadow, on to a split, and the end. A named person asks for each.

Champions and default family stay as they are. Each start is a phase of its own, so that nothing measured before is mixed in.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, Engine

from sentiment_platform.errors import PermanentError
from sentiment_platform.experiments.assignment import CHALLENGER, CONTROL
from sentiment_platform.experiments.evidence import newest_evidence
from sentiment_platform.experiments.online_evaluation import OnlineEvaluation
from sentiment_platform.experiments.online_gate import OVERRULE, objection_to_shadow, objection_to_split
from sentiment_platform.models.families import FAMILIES
from sentiment_platform.promotion.grounds import sentence
from sentiment_platform.promotion.next_revision import Intent
from sentiment_platform.promotion.online import Online, online_of
from sentiment_platform.registry.deployment import Arm, Deployment, Evidence, Experiment, Shadow
from sentiment_platform.store.deployments import deployments
from sentiment_platform.store.experiments import evaluations_of
from sentiment_platform.store.versions import RegisteredVersion, get_version

NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
STATUS = "See `sentiment-platform experiments status`."


@dataclass(frozen=True, kw_only=True)
class Start:
    """What a person wants to start.

    Attributes:
        name: of the experiment; "" is the version itself.
        beside: the champion to compare with; "" is the one of the version's family, else the one that answers by default.
        share, daily_cap: of a shadow; split: the challenger's weight, None for a shadow.
        overrules: although a verdict speaks against it.
    """

    version: str
    actor: str
    reason: str
    name: str = ""
    beside: str = ""
    share: float = 0.1
    daily_cap: int = 1000
    split: float | None = None
    overrules: bool = False


def intent_of_start(engine: Engine, start: Start) -> Intent:
    """The running champions with the next phase; for `publish` to ask, or to look at.

    Raises:
        PermanentError: nothing runs, the version is unknown or answers already, another experiment or this very one runs, or a verdict
            speaks against it.
    """
    _require_name(start.name)
    with engine.connect() as connection:
        history = [mirrored.document for mirrored in deployments(connection, limit=None)]
        current, registered = _require(connection, history, start.version)
        name = start.name or start.version
        runs = online_of(current)
        of_running = runs.shadow or runs.experiment
        if of_running and of_running.name != name:
            raise PermanentError(
                f"Experiment {of_running.name} runs.",
                remedy='Stop it first: `sentiment-platform experiments stop --reason "..."`.',
            )
        beside = start.beside or current.versions().get(registered.family) or current.default_version
        if beside not in current.versions().values():
            raise PermanentError(f"{beside} is no champion.", remedy=f"These are: {', '.join(current.versions().values())}.")
        phase = 1 + max((plan.phase for document in history if (plan := _plan(document)) and plan.name == name), default=0)
        objection, figures = _objection(connection, start, name, beside)
    if objection and not start.overrules:
        raise PermanentError(objection, remedy=OVERRULE)
    online = _online(current, registered, start, name=name, beside=beside, phase=phase)
    _require_change(runs, online)
    verdict = sentence(f"Started by {start.actor}: {start.reason}") + (f" Overruled: {objection}" if objection else "")
    return _intent(current, online, start.actor, start.reason, figures, verdict)


def intent_of_stop(engine: Engine, actor: str, reason: str) -> Intent:
    """The running champions without an experiment; for `publish` to ask, or to look at.

    Raises:
        PermanentError: no experiment runs.
    """
    with engine.connect() as connection:
        newest = deployments(connection, limit=1)
        plan = _plan(newest[0].document) if newest else None
        if plan is None:
            raise PermanentError("No experiment runs.", remedy=STATUS)
        evaluations = evaluations_of(connection, plan.name, plan.phase)
    said = evaluations[-1].result["words"] if evaluations else "It was never evaluated."
    figures = {"experiment": plan.name, "phase": plan.phase, "evaluation": evaluations[-1].id if evaluations else ""}
    return _intent(newest[0].document, Online(), actor, reason, figures, f"{sentence(f'Stopped by {actor}: {reason}')} {said}")


def _require_name(name: str) -> None:
    if name and NAME.fullmatch(name) is None:
        raise PermanentError(
            f"{name[:100]!r} is no name of an experiment.",
            remedy="Up to 100 letters, digits, dots, dashes and underscores name one.",
        )


def _require_change(runs: Online, wanted: Online) -> None:
    """A phase that is started once more would forget what was measured, for nothing."""
    kept = runs.shadow or runs.experiment
    shadow = msgspec.structs.replace(wanted.shadow, phase=kept.phase) if wanted.shadow and kept else wanted.shadow
    split = msgspec.structs.replace(wanted.experiment, phase=kept.phase) if wanted.experiment and kept else wanted.experiment
    if kept and Online(shadow, split) == runs:
        raise PermanentError(f"Experiment {kept.name} runs like this already, in phase {kept.phase}.", remedy=STATUS)


def _require(connection: Connection, history: list[Deployment], version: str) -> tuple[Deployment, RegisteredVersion]:
    if not history:
        raise PermanentError("Nothing has been deployed yet.", remedy="Run `sentiment-platform run train_job` first.")
    registered = get_version(connection, version)
    if registered is None:
        raise PermanentError(f"{version} is not registered here.", remedy="See `sentiment-platform models list`.")
    if registered.family not in FAMILIES:
        raise PermanentError(
            f"{version} is of family {registered.family!r}, which this build does not know.",
            remedy="Start it with the build that has it.",
        )
    if version in history[0].versions().values():
        raise PermanentError(f"{version} answers already: it is a champion.", remedy="Name the version that is to be tried.")
    return history[0], registered


def _objection(connection: Connection, start: Start, name: str, beside: str) -> tuple[str | None, Mapping[str, object]]:
    """What speaks against the step, and the figures that say on what grounds it is taken."""
    if start.split is None:
        recorded = newest_evidence(connection)
        comparisons = recorded.evidence.comparisons if recorded else ()
        figures = {"experiment": name, "gate_evidence": recorded.digest if recorded else ""}
        return objection_to_shadow(comparisons, beside, start.version), figures
    shadows = [one for one in evaluations_of(connection, name) if (one.kind, one.challenger) == ("shadow", start.version)]
    newest = msgspec.convert(shadows[-1].result, OnlineEvaluation) if shadows else None
    figures = {"experiment": name, "evaluation": shadows[-1].id if shadows else ""}
    return objection_to_split(newest, beside, start.version), figures


def _online(current: Deployment, registered: RegisteredVersion, start: Start, *, name: str, beside: str, phase: int) -> Online:
    if start.split is None:
        shadow = Shadow(
            name=name,
            phase=phase,
            version=start.version,
            manifest_digest=registered.manifest_digest,
            beside=beside,
            share=start.share,
            daily_cap=start.daily_cap,
        )
        return Online(shadow=shadow)
    champion = next(one for one in current.champions.values() if one.version == beside)
    arms = {
        CONTROL: Arm(champion.version, champion.manifest_digest, 1 - start.split),
        CHALLENGER: Arm(start.version, registered.manifest_digest, start.split),
    }
    return Online(experiment=Experiment(name, phase, arms))


def _intent(current: Deployment, online: Online, actor: str, reason: str, figures: Mapping[str, object], verdict: str) -> Intent:
    return Intent(
        champions=current.versions(),
        default_family=current.default_family,
        rule="manual",
        actor=actor,
        reason=reason,
        evidence=Evidence(("online_evaluation",), (), dict(figures), verdict[:4000]),
        online=online,
    )


def _plan(document: Deployment) -> Shadow | Experiment | None:
    return document.shadow or document.experiment
