"""The versions that a deployment names beside its champions: arms of an experiment, and the one in shadow.

They are loaded after the champions were swapped in, one after the other. One that cannot be loaded costs nobody an answer: the
champion gives it.
"""

from collections.abc import Callable, Mapping

from sentiment_platform.errors import PermanentError, PlatformError
from sentiment_platform.registry.deployment import Deployment
from sentiment_platform.registry.versions import VersionTag
from serving.live.loading import LoadedVersion
from serving.live.snapshot import Absent, Beside

Load = Callable[[str, str, str], LoadedVersion]
"""(family, version, manifest digest) -> the loaded version."""


def named_beside(deployment: Deployment) -> dict[str, str]:
    """Version -> manifest digest, of arms and shadow, champions among them."""
    arms = deployment.experiment.arms.values() if deployment.experiment else ()
    named = {arm.version: arm.manifest_digest for arm in arms}
    return named | ({deployment.shadow.version: deployment.shadow.manifest_digest} if deployment.shadow else {})


def is_complete(deployment: Deployment, beside: Beside) -> bool:
    """Whether all that can be loaded is."""
    loaded = {one.version for one in (*beside.arms.values(), *([beside.shadow] if beside.shadow else ()))}
    final = {version for version, absent in beside.absent.items() if absent.final}
    return named_beside(deployment).keys() <= loaded | final


def beside_of(deployment: Deployment, loaded: Mapping[str, LoadedVersion], absent: Mapping[str, Absent]) -> Beside:
    """What answers beside the champions of `deployment`, out of what is `loaded` (by manifest digest)."""
    arms = deployment.experiment.arms if deployment.experiment else {}
    shadow = loaded.get(deployment.shadow.manifest_digest) if deployment.shadow else None
    return Beside(
        arms={name: loaded[arm.manifest_digest] for name, arm in arms.items() if arm.manifest_digest in loaded},
        shadow=shadow,
        absent={version: why for version, why in absent.items() if version in named_beside(deployment)},
    )


def load_beside(
    deployment: Deployment, loaded: Mapping[str, LoadedVersion], beside: Beside, load: Load, *, is_final: bool
) -> Beside:
    """`beside` with whatever can be loaded now.

    Args:
        is_final: whether a permanent refusal is the last word; a disk may lack what the registry has.
    """
    held, absent = dict(loaded), dict(beside.absent)
    for version, manifest_digest in named_beside(deployment).items():
        if manifest_digest in held or (version in absent and absent[version].final):
            continue
        try:
            held[manifest_digest] = load(VersionTag.parse(version).family, version, manifest_digest)
            absent.pop(version, None)
        except (PlatformError, OSError) as error:
            absent[version] = Absent(str(error), is_final and isinstance(error, PermanentError))
    return beside_of(deployment, held, absent)
