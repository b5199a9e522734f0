"""What a deployment says beside its champions: who answers in shadow, or which arms share the requests. Pure.

A phase ends where a champion that it compares with is replaced: what was measured against the old one says nothing of the new one.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sentiment_platform.registry.deployment import Deployment, Experiment, Shadow


@dataclass(frozen=True)
class Online:
    """A shadow, a split, or neither."""

    shadow: Shadow | None = None
    experiment: Experiment | None = None


def online_of(document: Deployment | None) -> Online:
    """What `document` runs beside its champions."""
    return Online(document.shadow or None, document.experiment) if document else Online()


def carried_over(before: Deployment | None, champions: Mapping[str, str]) -> Online:
    """What goes on when `champions` (family -> version) follow `before`: all that compares with the same champions as before."""
    online = online_of(before)
    compared = _compared(online)
    if before is None or compared & set(before.versions().values()) != compared & set(champions.values()):
        return Online()
    return online


def _compared(online: Online) -> set[str]:
    in_shadow = {online.shadow.version, online.shadow.beside} if online.shadow else set[str]()
    return in_shadow | ({arm.version for arm in online.experiment.arms.values()} if online.experiment else set())
