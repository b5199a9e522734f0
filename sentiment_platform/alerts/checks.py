"""The check of alerts: whoever must know has been told."""

import dagster as dg

from sentiment_platform.alerts.assets import alerts
from sentiment_platform.store.incidents import unsent_messages
from sentiment_platform.store.resources import PlatformResource


@dg.asset_check(asset=alerts, description="Every message about an incident has been accepted by the webhook, if there is one.")
def alerts_are_delivered(platform: PlatformResource) -> dg.AssetCheckResult:
    with platform.engine().connect() as connection:
        unsent, error = unsent_messages(connection, platform.now())
    return dg.AssetCheckResult(
        passed=not unsent or not platform.settings().alert_webhook,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{unsent:,} messages wait for the webhook; none may, where there is one."
        + ("" if platform.settings().alert_webhook else " There is none."),
        metadata={
            "value": unsent,
            "bound": 0,
            "error": error or "none",
            "webhook": bool(platform.settings().alert_webhook),
        },
    )
