"""The files of one release, downloaded with a bound and proved: its signed document, and files against what the manifest says."""

import os
import shutil
from pathlib import Path
from typing import BinaryIO

from sentiment_platform.registry.deployment import DEPLOYMENT, DEPLOYMENT_SIGNATURE, Deployment
from sentiment_platform.registry.documents import MAX_DOCUMENT_BYTES
from sentiment_platform.registry.formats import require_format
from sentiment_platform.registry.listing import Asset, Release
from sentiment_platform.registry.manifest import MANIFEST, MANIFEST_SIGNATURE, FileEntry, Manifest
from sentiment_platform.registry.refusal import Refused
from sentiment_platform.registry.signing import MAX_SIGNATURE_BYTES, PublicKeys
from sentiment_platform.registry.transfer import Transfer
from sentiment_platform.registry.verify import verify_deployment, verify_manifest
from sentiment_platform.registry.versions import DeploymentTag


class ReleaseFiles:
    """Downloads and proves files of releases.

    Args:
        has_token: without a token files are fetched by the page's link, which does not count against the rate limit.
    """

    def __init__(self, transfer: Transfer, keys: PublicKeys, *, has_token: bool) -> None:
        self._transfer = transfer
        self._keys = keys
        self._has_token = has_token

    def fetch(self, asset: Asset, entry: FileEntry, path: Path, deadline: float) -> None:
        """Download `asset` to the new file `path`; raises `Refused` (size, digest, format) where it is not what `entry` says."""
        if asset.size != entry.size:
            raise Refused(
                f"{path.name} has {asset.size} bytes on the server, the manifest says {entry.size}.",
                reason="size",
                remedy="Publish the version again.",
            )
        with new_file(path) as file:
            sha256 = self._transfer.download(self._address(asset), size=entry.size, deadline=deadline, into=file)
        if sha256 != entry.sha256:
            raise Refused(
                f"{path.name} has another sha256 than the manifest says.", reason="digest", remedy="Publish the version again."
            )
        require_format(path)

    def manifest(self, release: Release, manifest_digest: str) -> tuple[Manifest, bytes, bytes]:
        """The verified manifest of a model release, its exact bytes and their signature."""
        data = self._small(release, MANIFEST, MAX_DOCUMENT_BYTES)
        signature = self._small(release, MANIFEST_SIGNATURE, MAX_SIGNATURE_BYTES)
        version = release.tag_name
        manifest = verify_manifest(data, signature, self._keys, version=version, manifest_digest=manifest_digest)
        return manifest, data, signature

    def deployment(self, release: Release) -> tuple[Deployment, bytes, bytes]:
        """The verified document of a deployment's release, its exact bytes and their signature."""
        data = self._small(release, DEPLOYMENT, MAX_DOCUMENT_BYTES)
        signature = self._small(release, DEPLOYMENT_SIGNATURE, MAX_SIGNATURE_BYTES)
        revision = DeploymentTag.parse(release.tag_name).revision
        return verify_deployment(data, signature, self._keys, revision=revision), data, signature

    def _small(self, release: Release, name: str, max_bytes: int) -> bytes:
        return self._transfer.get_bytes(self._address(release.asset(name)), max_bytes=max_bytes)

    def _address(self, asset: Asset) -> str:
        # Without a token the page's link is better: it does not count against the 60 calls an hour.
        return asset.url if self._has_token else asset.browser_download_url


def new_file(path: Path) -> BinaryIO:
    """A file that was not there before, for its owner alone; no link is followed."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600), "wb")


def remove(path: Path) -> None:
    """Delete a file, a link or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
