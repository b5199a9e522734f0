"""The asset `starters`: the versions that the platform ships, deployed where nothing is."""

from typing import Any

import dagster as dg

from sentiment_platform.models.families import FAMILIES
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.registry.documents import canonical_json, digest
from sentiment_platform.starters.bootstrap import bootstrap
from sentiment_platform.store.resources import PlatformResource


@dg.asset(
    group_name="promotion",
    owners=["team:mlops"],
    kinds={"github"},
    tags={"stage": "training"},
    pool="training",
    description="The versions that the platform ships, published and deployed where nothing is deployed yet; otherwise nothing is done.",
)
def starters(context: dg.AssetExecutionContext, platform: PlatformResource) -> dg.MaterializeResult[Any]:
    outcome = bootstrap(platform.engine(), RegistryAccess(platform.settings()), run_id=context.run.run_id, now=platform.now)
    document = outcome.running
    if document is None:
        raise dg.Failure(f"Nothing is deployed. {outcome.reason}", allow_retries=False)
    return dg.MaterializeResult(
        metadata={
            "summary": f"{document.tag} is in force, with {document.default_family} by default. {outcome.reason}",
            "deployment": str(document.tag),
            "deployed_now": outcome.deployed_now,
            "champions": document.versions(),
            "default_family": document.default_family,
            "reason": outcome.reason,
            "left_out": {family: outcome.left_out.get(family, "no") for family in FAMILIES},
        },
        data_version=dg.DataVersion(digest(canonical_json(document))),
    )
