"""What GET /models/status shows, built from the snapshot and the last attempts."""

from collections.abc import Collection, Mapping

from sentiment_platform.errors import PlatformError
from sentiment_platform.models.families import FAMILIES
from serving.contract.model_bodies import (
    BesideStatus,
    CanaryStatus,
    ExperimentStatus,
    FamilyStatus,
    GapStatus,
    LiveDeployment,
    ModelsStatus,
    OvertakenSelection,
    RollbackAhead,
    SelectionInForce,
)
from serving.live.live import LiveModels
from serving.live.overtaken import Overtaken
from serving.live.snapshot import Snapshot


def models_status(
    models: LiveModels, unrecorded: Collection[str] = (), canaries: Mapping[str, CanaryStatus] | None = None
) -> ModelsStatus:
    """`canaries`: of families that have one. `unrecorded`: ids of requests that the database does not have yet. One consistent picture: everything about what is live comes from one snapshot."""
    live = models.current
    return ModelsStatus(
        deployment=_deployment(live) if live else None,
        default_family=live.default_family if live else None,
        families={
            family: _family(live, family, unrecorded, (canaries or {}).get(family)) if live and family in live.models else None
            for family in FAMILIES
        },
        selections=[selection.version for selection in live.selections] if live else [],
        overtaken=[_overtaken(one) for one in models.overtaken],
        rollback=_rollback(models),
        last_swap=models.refusals.last_attempt,
        candidate=models.refusals.candidate,
        registry=models.registry,
        experiment=_experiment(live) if live else None,
        gap=_gap(live) if live else None,
    )


def _deployment(live: Snapshot) -> LiveDeployment:
    document = live.deployment
    return LiveDeployment(
        revision=document.revision,
        tag=str(document.tag),
        default_family=document.default_family,
        rule=document.rule,
        reason=document.reason,
        created_at=document.created_at,
    )


def _family(live: Snapshot, family: str, unrecorded: Collection[str], canary: CanaryStatus | None) -> FamilyStatus:
    model = live.models[family]
    return FamilyStatus(
        version=model.version,
        manifest_digest=model.manifest_digest,
        base_model=model.manifest.base_model,
        feature_schema=model.schema.version,
        since=live.since[family],
        selection=_selection(live, family, unrecorded),
        canary=canary,
        queue_depth=model.runner.depth,
        health="saturated" if model.runner.saturated else "ok",
    )


def _rollback(models: LiveModels) -> RollbackAhead | None:
    try:
        target = models.way_back.target(models.facts, at_hand=True)
    except PlatformError:
        return None
    return RollbackAhead(revision=target.revision, held=models.way_back.is_held(target))


def _overtaken(one: Overtaken) -> OvertakenSelection:
    return OvertakenSelection(
        version=one.selection.version,
        actor=one.selection.actor,
        reason=one.selection.reason,
        requested_at=one.selection.requested_at,
        overtaken_at=one.at,
        revision=one.revision,
    )


def _selection(live: Snapshot, family: str, unrecorded: Collection[str]) -> SelectionInForce | None:
    """The newest of the family, which is the one that counts."""
    for selection in reversed(live.selections):
        if selection.family == family:
            return SelectionInForce(
                actor=selection.actor,
                reason=selection.reason,
                requested_at=selection.requested_at,
                recorded=selection.request_id not in unrecorded,
            )
    return None


def _experiment(live: Snapshot) -> ExperimentStatus | None:
    split, shadow = live.deployment.experiment, live.deployment.shadow
    if split is not None:
        versions = [_beside(live, name, arm.version, arm.manifest_digest, arm.weight) for name, arm in split.arms.items()]
        return ExperimentStatus(name=split.name, phase=split.phase, mode="split", versions=versions)
    if shadow:
        versions = [_beside(live, "shadow", shadow.version, shadow.manifest_digest, shadow.share)]
        return ExperimentStatus(name=shadow.name, phase=shadow.phase, mode="shadow", versions=versions)
    return None


def _beside(live: Snapshot, role: str, version: str, manifest_digest: str, share: float) -> BesideStatus:
    absent = live.beside.absent.get(version)
    return BesideStatus(
        role=role,
        version=version,
        manifest_digest=manifest_digest,
        share=share,
        loaded=manifest_digest in live.loaded,
        absent=absent.why if absent else None,
    )


def _gap(live: Snapshot) -> GapStatus | None:
    gap = live.gap
    return GapStatus(family=gap.family, version=gap.version, since=gap.since, message=gap.why) if gap else None
