"""Which family answers: the one that the route names, else the deployment's default; and the cheapest where that one is too busy.

As a cascade the cheapest answers first, and the default only where that is not sure.
"""

from dataclasses import replace

from sentiment_platform.models.families import FAMILIES
from serving.contract.prediction_bodies import DegradedReason, MissingReason
from serving.contract.problems import Problem, unavailable
from serving.flags import Flags
from serving.live.loading import LoadedVersion
from serving.live.snapshot import Snapshot
from serving.predict.plan import Limits, Plan

TRANSFORMER = "transformer"
"""The switch of whatever is dearer than the cheapest family."""


def require_live(live: Snapshot | None, reason: str) -> Snapshot:
    """The snapshot, or 503 with the reason why there is none."""
    if live is None:
        raise unavailable("not_ready", reason, retry_after_s=5)
    return live


def named(live: Snapshot, family: str) -> LoadedVersion:
    """The live model of a family that the client asked for."""
    if family not in FAMILIES:
        raise Problem(404, "unknown_family", f"There is no family {family!r}; there are {', '.join(FAMILIES)}.")
    if live.gap is not None and live.gap.family == family:
        raise unavailable(
            "family_not_deployed",
            f"{family} is being exchanged, and comes back in a moment; POST /predict answers.",
            retry_after_s=5,
        )
    if family not in live.models:
        raise unavailable(
            "family_not_deployed", f"No version of {family} is deployed yet; POST /predict answers.", retry_after_s=30
        )
    return live.models[family]


def plan(live: Snapshot, family: str | None, limits: Limits, flags: Flags, *, cascade: bool = False) -> Plan:
    """What to run for a request that names `family`, or none.

    Raises:
        Problem: 404 or 503, as `named`.
    """
    off = not flags.enabled(TRANSFORMER)
    if family is not None:
        if off and family in live.models and live.models[family] is not cheapest(live):
            raise unavailable(
                "kill_switch", f"{family} is switched off (GET /flags, {TRANSFORMER}); POST /predict answers.", retry_after_s=30
            )
        return Plan(primary=named(live, family), why="named", limits=limits)
    chosen, stands_in = default(live), cheapest(live)
    lacks: DegradedReason | None = None
    if live.gap is not None and live.gap.was_default:
        lacks = "exchange"
    elif off and stands_in is not chosen:
        lacks = "kill_switch"
    if lacks is not None and cascade and stands_in.runner.inline:
        return Plan(primary=stands_in, second_off=lacks, why="default", limits=limits)
    if lacks is not None:
        return Plan(primary=chosen if lacks == "exchange" else stands_in, why="default", limits=limits, degraded=lacks)
    if stands_in is chosen or not stands_in.runner.inline:
        return Plan(primary=chosen, why="default", limits=limits)
    if cascade:
        return Plan(primary=stands_in, second=chosen, why="default", limits=limits)
    return Plan(primary=chosen, fallback=stands_in, why="default", limits=limits)


def with_stand_ins(planned: Plan, champion: LoadedVersion, live: Snapshot, before: LoadedVersion | None, flags: Flags) -> Plan:
    """`planned` with who answers where a version fails: the champion in whose place an arm answers, the other families that may, the
    cheapest first, and the version before. For a family that was named only its own versions do.

    Args:
        champion: the one that would answer without an experiment.
        before: the version of the same family that a rollback would bring back, if it is loaded.
    """
    others = [] if planned.why == "named" else sorted(allowed(live, flags), key=lambda model: FAMILIES[model.family].cost)
    order = [champion, *others, *([before] if before else [])]
    return replace(planned, stands_in=tuple(model for model in dict.fromkeys(order) if model is not planned.primary))


def allowed(live: Snapshot, flags: Flags) -> list[LoadedVersion]:
    """Every live model that the switches let answer."""
    return list(live.models.values()) if flags.enabled(TRANSFORMER) else [cheapest(live)]


def may_run(version: LoadedVersion, live: Snapshot, flags: Flags) -> bool:
    """Whether the switches let this version run that stands beside the live ones: an arm, or a shadow."""
    return flags.enabled(TRANSFORMER) or FAMILIES[version.family].cost <= FAMILIES[cheapest(live).family].cost


def absent(live: Snapshot, flags: Flags) -> dict[str, MissingReason]:
    """Why each of the other families does not."""
    families = {model.family for model in allowed(live, flags)}
    return {
        family: "kill_switch" if family in live.models else "family_not_deployed" for family in FAMILIES if family not in families
    }


def default(live: Snapshot) -> LoadedVersion:
    """The live model that POST /predict uses."""
    return live.models[live.default_family]


def cheapest(live: Snapshot) -> LoadedVersion:
    """What an overloaded process degrades to."""
    return min(live.models.values(), key=lambda model: FAMILIES[model.family].cost)
