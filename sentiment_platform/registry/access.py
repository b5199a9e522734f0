"""The registry that the settings name: a reader, a writer, the keys and the cache of verified models.

Belongs here: from settings to objects. What they do is theirs.
"""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sentiment_platform.clock import Clock
from sentiment_platform.errors import SettingsError
from sentiment_platform.registry.manifest import Manifest
from sentiment_platform.registry.reader import RegistryReader
from sentiment_platform.registry.signing import PrivateKeys, PublicKeys, Role
from sentiment_platform.settings import Settings

if TYPE_CHECKING:
    from sentiment_platform.registry.releases import ReleaseRegistry

CACHE_FOLDER = "models"
REMEDY = "`sentiment-platform setup` makes both pairs of keys, and says where they belong."


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

    def require_publishing(self, *roles: Role) -> None:
        """Pass only if this process has a token and `require_keys`: for before the work.

        Raises:
            SettingsError: something is missing.
        """
        self.settings.require("registry_token")
        self.require_keys(*roles)

    def require_keys(self, *roles: Role) -> None:
        """Pass only if this process can sign in each of `roles` so that readers with the same settings believe it.

        Raises:
            SettingsError: a private key is missing or malformed, or is none of the trusted pairs.
        """
        own, trusted = PrivateKeys.parse(self.settings.signing_keys).public().keys, self.public_keys.keys
        for role in roles:
            if role not in own:
                raise SettingsError(
                    f"SENTIMENT_SIGNING_KEYS holds no {role} key, and what is made here must be signed.", remedy=REMEDY
                )
            if not set(own[role]) <= set(trusted.get(role, ())):
                raise SettingsError(
                    f"The {role} key in SENTIMENT_SIGNING_KEYS is not the one that SENTIMENT_PUBLIC_KEYS trusts.", remedy=REMEDY
                )

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

    def may_publish(self, clock: Clock) -> bool:
        """Whether the token has the right to write into the repository; nothing is written."""
        from sentiment_platform.registry.connection import Connection

        connection = Connection(
            self.settings.require("registry_repository"),
            url=self.settings.registry_url,
            token=self.settings.require("registry_token"),
            clock=clock,
            seconds_between_requests=0.0,
            seconds_between_writes=0.0,
            attempts=2,
        )
        with closing(connection):
            return connection.steady(lambda: connection.repository.permissions.push)

    def fetch(self, version: str, manifest_digest: str) -> tuple[Path, Manifest]:
        """The folder of a published version, complete and verified, downloaded where it is not there yet."""
        with closing(self.reader()) as reader:
            manifest = reader.fetch_model(version, manifest_digest, self.cache_folder)
        return self.cache_folder / manifest_digest, manifest

    def fetch_training_file(self, version: str, manifest_digest: str, name: str, into: Path) -> Path:
        """Path of a published version's file that only training reads, downloaded into the folder `into` and verified."""
        with closing(self.reader()) as reader:
            return reader.fetch_training_file(version, manifest_digest, name, into)
