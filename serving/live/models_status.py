"""What GET /models/status shows, built from the snapshot and the last attempts."""

from sentiment_platform.models.families import FAMILIES
from serving.contract.model_bodies import FamilyStatus, LiveDeployment, ModelsStatus, SelectionInForce
from serving.live.inference import MAX_WAITING
from serving.live.live import LiveModels
from serving.live.snapshot import Snapshot


def models_status(models: LiveModels) -> ModelsStatus:
    """One consistent picture: everything about what is live comes from one snapshot."""
    live = models.current
    return ModelsStatus(
        deployment=_deployment(live) if live else None,
        default_family=live.default_family if live else None,
        families={family: _family(live, family) if live and family in live.models else None for family in FAMILIES},
        selections=[selection.version for selection in live.selections] if live else [],
        last_swap=models.refusals.last_attempt,
        candidate=models.refusals.candidate,
        registry=models.registry,
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


def _family(live: Snapshot, family: str) -> FamilyStatus:
    model = live.models[family]
    depth = model.runner.depth
    return FamilyStatus(
        version=model.version,
        manifest_digest=model.manifest_digest,
        base_model=model.manifest.base_model,
        feature_schema=model.schema.version,
        since=live.since[family],
        selection=_selection(live, family),
        queue_depth=depth,
        health="saturated" if depth >= MAX_WAITING else "ok",
    )


def _selection(live: Snapshot, family: str) -> SelectionInForce | None:
    """The newest of the family, which is the one that counts."""
    for selection in reversed(live.selections):
        if selection.family == family:
            return SelectionInForce(actor=selection.actor, reason=selection.reason, requested_at=selection.requested_at)
    return None
