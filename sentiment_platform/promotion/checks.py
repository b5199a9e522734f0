"""The check after promotion: what the registry offers is what was decided, and everything it names verifies."""

from contextlib import closing

import dagster as dg

from sentiment_platform.promotion.deciding import running
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.registry.reader import LatestDeployment
from sentiment_platform.store.resources import PlatformResource


@dg.asset_check(
    asset="deployment", description="The latest release is the newest decision; its signature and those of its models verify."
)
def the_registry_offers_what_was_decided(platform: PlatformResource) -> dg.AssetCheckResult:
    decided = running(platform.engine())
    with closing(RegistryAccess(platform.settings()).reader()) as reader:
        latest = reader.poll_latest()
    offered = latest.document if isinstance(latest, LatestDeployment) else None
    return dg.AssetCheckResult(
        passed=offered is not None and offered == decided,
        description=f"The registry offers {offered.tag if offered else 'nothing'}, {decided.tag if decided else 'nothing'} was decided.",
        metadata={"value": offered.revision if offered else 0, "bound": decided.revision if decided else 0},
    )
