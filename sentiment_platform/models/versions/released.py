"""Whether the release of a family's newest version is what was registered: asked of the registry, as serving will ask."""

from contextlib import closing
from dataclasses import dataclass

from sqlalchemy import Engine

from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.registry.refusal import Refused
from sentiment_platform.store.versions import latest_version


@dataclass(frozen=True)
class ReleasedVersion:
    """`version` is None before the first one; `reason` is the registry's closed word for what is wrong, None where it verifies."""

    version: str | None
    reason: str | None = None
    message: str | None = None

    @property
    def verifies(self) -> bool:
        """Whether there is one and nothing is wrong with it."""
        return self.version is not None and self.reason is None


def verify_newest_release(engine: Engine, access: RegistryAccess, family: str) -> ReleasedVersion:
    """The signed manifest from the registry, and every file against it; files that were fetched before are verified where they lie.

    Raises:
        TransientError: the registry is away, which says nothing of the release.
    """
    with engine.connect() as connection:
        newest = latest_version(connection, family)
    if newest is None:
        return ReleasedVersion(None)
    try:
        with closing(access.reader()) as reader:
            reader.manifest(newest.version, newest.manifest_digest)
            reader.fetch_model(newest.version, newest.manifest_digest, access.cache_folder)
    except Refused as refused:
        return ReleasedVersion(newest.version, refused.reason, str(refused))
    return ReleasedVersion(newest.version)
