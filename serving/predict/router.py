"""Which family answers: the one that the route names, else the deployment's default, else the cheapest when that one is too busy."""

from sentiment_platform.models.families import FAMILIES
from serving.contract.problems import Problem, unavailable
from serving.live.loading import LoadedVersion
from serving.live.snapshot import Snapshot


def require_live(live: Snapshot | None, reason: str) -> Snapshot:
    """The snapshot, or 503 with the reason why there is none."""
    if live is None:
        raise unavailable("not_ready", reason, retry_after_s=5)
    return live


def named(live: Snapshot, family: str) -> LoadedVersion:
    """The live model of a family that the client asked for."""
    if family not in FAMILIES:
        raise Problem(404, "unknown_family", f"There is no family {family!r}; there are {', '.join(FAMILIES)}.")
    if family not in live.models:
        raise unavailable(
            "family_not_deployed", f"No version of {family} is deployed yet; POST /predict answers.", retry_after_s=30
        )
    return live.models[family]


def default(live: Snapshot) -> LoadedVersion:
    """The live model that POST /predict uses."""
    return live.models[live.default_family]


def cheapest(live: Snapshot) -> LoadedVersion:
    """What an overloaded process degrades to."""
    return min(live.models.values(), key=lambda model: FAMILIES[model.family].cost)
