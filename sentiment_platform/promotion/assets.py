"""The asset `deployment`: the signed document that serving obeys."""

from typing import Any

import dagster as dg

from sentiment_platform.promotion.deciding import decide_and_publish, states_table
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.registry.documents import canonical_json, digest
from sentiment_platform.store.resources import PlatformResource


@dg.asset(
    deps=["ab_evaluation"],
    group_name="promotion",
    owners=["team:mlops"],
    kinds={"github"},
    tags={"stage": "training"},
    pool="promotion",
    description="What serving must run: champions and default family, published as an immutable, signed release; unchanged where nothing is better.",
)
def deployment(context: dg.AssetExecutionContext, platform: PlatformResource) -> dg.MaterializeResult[Any]:
    outcome = decide_and_publish(
        platform.engine(), RegistryAccess(platform.settings()), run_id=context.run.run_id, now=platform.now
    )
    document = outcome.running
    if document is None:
        raise dg.Failure(f"Nothing is deployed. {outcome.reason}", allow_retries=False)
    return dg.MaterializeResult(
        metadata={
            "summary": f"{document.tag} is in force, with {document.default_family} by default. {outcome.reason}",
            "deployment": str(document.tag),
            "published_now": outcome.published is not None,
            "champions": {family: champion.version for family, champion in document.champions.items()},
            "default_family": document.default_family,
            "states": dg.MetadataValue.md(states_table(platform.engine())),
            "rule": document.rule,
            "actor": document.actor,
            "reason": outcome.reason,
            "refused_requests": " ".join(outcome.refused) or "none",
            "verdict": dg.MetadataValue.md(document.evidence.verdict),
            **({"release": dg.MetadataValue.url(outcome.published.url)} if outcome.published else {}),
        },
        data_version=dg.DataVersion(digest(canonical_json(document))),
    )
