"""The registry that the settings name: a reader, a writer, the keys and the cache of verified models.

Belongs here: from settings to objects. What they do is theirs.
"""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sentiment_platform.clock import Clock
from sentiment_platform.registry.manifest import Manifest
from sentiment_platform.registry.reader import RegistryReader
from sentiment_platform.registry.signing import PrivateKeys, PublicKeys
from sentiment_platform.settings import Settings

if TYPE_CHECKING:
    from sentiment_platform.registry.releases import ReleaseRegistry

CACHE_FOLDER = "models"


@dataclass(frozen=True)
class RegistryAccess:
    """Makes readers and writers of one repository."""

    settings: Settings

    @property
    def public_keys(self) -> PublicKeys:
        """The keys that are trusted."""
        return PublicKeys.parse(self.settings.require("public_keys"))

    @property
    def private_keys(self) -> PrivateKeys:
        """The keys to sign with; only training and promotion have them."""
        return PrivateKeys.parse(self.settings.require("signing_keys"))

    @property
    def cache_folder(self) -> Path:
        """Where verified models are kept, by manifest digest."""
        return self.settings.state_dir / CACHE_FOLDER

    @property
    def is_local(self) -> bool:
        """Whether the registry is a server on this machine."""
        return urlsplit(self.settings.registry_url).hostname in ("127.0.0.1", "localhost", "::1")

    def reader(self) -> RegistryReader:
        """A new reader; close it after use."""
        return RegistryReader(
            self.settings.require("registry_repository"),
            url=self.settings.registry_url,
            token=self.settings.registry_token,
            public_keys=self.public_keys,
        )

    def writer(self, clock: Clock) -> "ReleaseRegistry":
        """A new `ReleaseRegistry`; close it after use. PyGithub is imported here and not before."""
        from sentiment_platform.registry.releases import ReleaseRegistry

        # GitHub asks for a second between writes; a server on this machine does not.
        return ReleaseRegistry(
            self.settings.require("registry_repository"),
            url=self.settings.registry_url,
            token=self.settings.require("registry_token"),
            public_keys=self.public_keys,
            clock=clock,
            seconds_between_requests=0.0 if self.is_local else 0.25,
            seconds_between_writes=0.0 if self.is_local else 1.0,
        )

    def fetch(self, version: str, manifest_digest: str) -> tuple[Path, Manifest]:
        """The folder of a published version, complete and verified, downloaded where it is not there yet."""
        with closing(self.reader()) as reader:
            manifest = reader.fetch_model(version, manifest_digest, self.cache_folder)
        return self.cache_folder / manifest_digest, manifest

    def fetch_training_file(self, version: str, manifest_digest: str, name: str, into: Path) -> Path:
        """Path of a published version's file that only training reads, downloaded into the folder `into` and verified."""
        with closing(self.reader()) as reader:
            return reader.fetch_training_file(version, manifest_digest, name, into)
