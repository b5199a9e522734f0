"""A deployment as a public event."""

from datetime import datetime

from sentiment_platform.events import DeploymentPublished, publish
from sentiment_platform.registry.deployment import Deployment


def announce(redis_url: str, document: Deployment, now: datetime) -> int:
    """Tell that `document` was published, with a best effort; returns how many events were told."""
    told = DeploymentPublished(
        at=now,
        revision=document.revision,
        default_family=document.default_family,
        versions=document.versions(),
        rule=document.rule,
        reason=document.reason,
    )
    return publish(redis_url, [told])
