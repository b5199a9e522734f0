"""Verified copies on disk, so that serving starts while GitHub is down.

A folder holds `<manifest digest>/` for each model (written by `reader.fetch_model`) and `deploy-000042/` for each deployment
that was accepted. Whatever is read from it is verified again: a disk is trusted no more than a network.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from sentiment_platform.registry.deployment import DEPLOYMENT, DEPLOYMENT_SIGNATURE, Deployment
from sentiment_platform.registry.documents import MAX_DOCUMENT_BYTES
from sentiment_platform.registry.manifest import Manifest
from sentiment_platform.registry.reader import LatestDeployment
from sentiment_platform.registry.refusal import Refused
from sentiment_platform.registry.side_folder import side_folder
from sentiment_platform.registry.signing import MAX_SIGNATURE_BYTES, PublicKeys
from sentiment_platform.registry.verify import read_small, verify_deployment, verify_directory
from sentiment_platform.registry.versions import DeploymentTag


class RegistryCache:
    """The copies under `folder`."""

    def __init__(self, folder: Path, public_keys: PublicKeys) -> None:
        self.folder = folder
        self._keys = public_keys

    def path(self, manifest_digest: str) -> Path:
        """Where the model with this manifest is, or will be."""
        return self.folder / manifest_digest

    def verified_model(self, version: str, manifest_digest: str) -> Manifest:
        """Check the copy completely; raises Refused with the reason, `missing_file` where there is none."""
        return verify_directory(self.path(manifest_digest), self._keys, version=version, manifest_digest=manifest_digest)

    def keep_deployment(self, deployment: LatestDeployment) -> None:
        """Remember an accepted deployment; it becomes visible at once or not at all."""
        self.keep_signed(deployment.document, deployment.data, deployment.signature)

    def keep_signed(self, document: Deployment, data: bytes, signature: bytes) -> None:
        """`keep_deployment` of one that is not the newest. Another process may have kept it."""
        target = self.folder / str(document.tag)
        with suppress(Refused):
            if self._read(target) == (data, signature):
                return
        with side_folder(self.folder) as side:
            for name, content in ((DEPLOYMENT, data), (DEPLOYMENT_SIGNATURE, signature)):
                with (side / name).open("xb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
            if target.exists():
                shutil.rmtree(target)
            side.rename(target)

    def kept_deployment(self) -> Deployment | None:
        """The kept deployment with the highest revision that verifies, or None."""
        return next(self.kept_deployments(), None)

    def kept_deployments(self) -> Iterator[Deployment]:
        """All that verify, the newest first."""
        return (kept.document for kept in self.kept_latest())

    def kept_latest(self) -> Iterator[LatestDeployment]:
        """`kept_deployments` as the registry gave them, but for ETag and manifests."""
        for tag in self._kept():
            try:
                data, signature = self._read(self.folder / str(tag))
                document = verify_deployment(data, signature, self._keys, revision=tag.revision)
            except Refused:
                continue
            yield LatestDeployment(document, None, data, signature, {})

    def prune(self, keep: set[str], *, deployments: int = 2) -> None:
        """Delete every model whose manifest digest is not in `keep`, and all but the newest `deployments` documents."""
        if not self.folder.exists():
            return
        for path in self.folder.iterdir():
            if len(path.name) == 64 and path.name not in keep:
                shutil.rmtree(path, ignore_errors=True)
        for tag in self._kept()[deployments:]:
            shutil.rmtree(self.folder / str(tag), ignore_errors=True)

    def _read(self, folder: Path) -> tuple[bytes, bytes]:
        return (
            read_small(folder / DEPLOYMENT, MAX_DOCUMENT_BYTES),
            read_small(folder / DEPLOYMENT_SIGNATURE, MAX_SIGNATURE_BYTES),
        )

    def _kept(self) -> list[DeploymentTag]:
        if not self.folder.exists():
            return []
        return sorted((tag for path in self.folder.iterdir() if (tag := DeploymentTag.find(path.name))), reverse=True)
