"""What a repository has published: model versions, and the chain of deployments. Asked of GitHub each time, as writers need it."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sentiment_platform.errors import PermanentError
from sentiment_platform.registry.connection import Connection
from sentiment_platform.registry.deployment import DEPLOYMENT, Deployment, Previous
from sentiment_platform.registry.documents import MAX_DOCUMENT_BYTES
from sentiment_platform.registry.manifest import MANIFEST, Manifest
from sentiment_platform.registry.reader import RegistryReader
from sentiment_platform.registry.transfer import Transfer
from sentiment_platform.registry.versions import DeploymentTag, VersionTag

if TYPE_CHECKING:
    from github.GitRelease import GitRelease


@dataclass(frozen=True)
class PublishedModel:
    """A published version; `manifest_digest` is what a deployment must name."""

    version: str
    manifest_digest: str
    url: str
    published_at: datetime


@dataclass(frozen=True)
class PublishedDeployment:
    """A published deployment; `digest` is the sha256 of its document."""

    revision: int
    digest: str
    url: str
    published_at: datetime


class PublishedReleases:
    """Lists the published releases of one repository."""

    def __init__(self, connection: Connection, transfer: Transfer, reader: RegistryReader) -> None:
        self._connection = connection
        self._transfer = transfer
        self._reader = reader

    def previous(self) -> Previous | None:
        """The published head of the chain: what the next document must name; None before the first."""
        head = max(self._deployments(), key=lambda pair: pair[0], default=None)
        return Previous(head[0].revision, self._document_digest(head[1], DEPLOYMENT)) if head else None

    def history(self) -> list[PublishedDeployment]:
        """All published deployments, oldest first."""
        return [
            PublishedDeployment(tag.revision, self._document_digest(release, DEPLOYMENT), release.html_url, release.published_at)
            for tag, release in sorted(self._deployments(), key=lambda pair: pair[0])
        ]

    def deployment(self, revision: int) -> Deployment:
        """The verified document of a published revision."""
        return self._reader.deployment(revision)

    def manifest(self, version: str, manifest_digest: str) -> Manifest:
        """The verified manifest of a published version."""
        return self._reader.manifest(version, manifest_digest)

    def list_models(self) -> list[PublishedModel]:
        """All published versions, by family, oldest version first."""
        models = [(tag, release) for release in self._published() if (tag := VersionTag.find(release.tag_name))]
        models.sort(key=lambda pair: (pair[0].family, pair[0].major, pair[0].minor, pair[0].patch))
        return [
            PublishedModel(str(tag), self._document_digest(release, MANIFEST), release.html_url, release.published_at)
            for tag, release in models
        ]

    def _document_digest(self, release: "GitRelease", name: str) -> str:
        for asset in release.assets:
            if asset.name == name:
                if asset.digest and asset.digest.startswith("sha256:"):
                    return asset.digest.removeprefix("sha256:")
                data = self._transfer.get_bytes(asset.url, max_bytes=MAX_DOCUMENT_BYTES)
                return hashlib.sha256(data).hexdigest()
        raise PermanentError(
            f"The published {release.tag_name} has no {name}.",
            remedy="Delete that release by hand: it was not made by this platform.",
        )

    def _deployments(self) -> "list[tuple[DeploymentTag, GitRelease]]":
        return [(tag, release) for release in self._published() if (tag := DeploymentTag.find(release.tag_name))]

    def _published(self) -> "list[GitRelease]":
        return self._connection.steady(lambda: [r for r in self._connection.repository.get_releases() if not r.draft])
