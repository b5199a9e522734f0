"""The registry as serving sees it: poll the latest deployment, fetch a model, prove both before anything is loaded.

Plain HTTP only, no write, no PyGithub, no private key. Belongs here: the order of the steps. Single checks: `verify.py`; the files of
a release: `release_files.py`; bytes: `transfer.py`; where copies are kept: `cache.py`. Safe to use from several threads.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sentiment_platform.errors import TransientError
from sentiment_platform.registry.deployment import DEPLOYMENT, Deployment
from sentiment_platform.registry.documents import digest
from sentiment_platform.registry.listing import Release, highest_deployment, latest_release, release_by_tag
from sentiment_platform.registry.manifest import MANIFEST, MANIFEST_SIGNATURE, Manifest
from sentiment_platform.registry.refusal import Refused
from sentiment_platform.registry.release_files import ReleaseFiles, new_file, remove
from sentiment_platform.registry.reply_status import NotFoundError
from sentiment_platform.registry.side_folder import side_folder
from sentiment_platform.registry.signing import PublicKeys
from sentiment_platform.registry.succession import require_successor
from sentiment_platform.registry.transfer import Limits, Transfer
from sentiment_platform.registry.verify import require_exact_files, verify_directory
from sentiment_platform.registry.versions import DeploymentTag

Progress = Callable[[str, int, int], None]
"""Called with (file name, bytes done, bytes in all) after each file."""


@dataclass(frozen=True)
class LatestDeployment:
    """A verified deployment: the document, its exact bytes and signature (to keep), and the manifest of each version it names.

    `etag` belongs into the next poll.
    """

    document: Deployment
    etag: str | None
    data: bytes
    signature: bytes
    manifests: Mapping[str, Manifest]


@dataclass(frozen=True)
class Unchanged:
    """The server says that nothing changed since `etag`."""

    etag: str | None


class RegistryReader:
    """Reads one repository's releases.

    Args:
        repository: `owner/name`.
        url: base of the REST API.
        token: "" reads public releases, within the lower rate limit.
    """

    def __init__(
        self, repository: str, *, url: str, token: str = "", public_keys: PublicKeys, limits: Limits | None = None
    ) -> None:
        self._repository = repository
        self._keys = public_keys
        self._transfer = Transfer(url, token, limits or Limits())
        self._files = ReleaseFiles(self._transfer, public_keys, has_token=bool(token))
        self._manifests: dict[tuple[str, str], Manifest] = {}
        self._accepted: tuple[str, str] | None = None
        self._no_successor: tuple[str, Deployment, Refused] | None = None

    def __enter__(self) -> "RegistryReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._transfer.close()

    def poll_latest(self, etag: str | None = None, *, known: Deployment | None = None) -> LatestDeployment | Unchanged | None:
        """One conditional GET on *latest*; when that is no deployment, the highest published revision by list.

        Args:
            etag: of the last LatestDeployment or Unchanged; None reads unconditionally.
            known: the deployment that runs; anything older, or another document of its revision, is refused.

        Returns:
            The verified deployment, Unchanged, or None where nothing was deployed yet.

        Raises:
            Refused: the document or a manifest that it names must not be trusted; keep what runs.
            TransientError, PermanentError: the registry could not be read, or not within the limit for one look.
        """
        with self._transfer.one_look():
            return self._look(etag, known)

    def _look(self, etag: str | None, known: Deployment | None) -> LatestDeployment | Unchanged | None:
        try:
            release, fresh_etag = latest_release(self._transfer, self._repository, etag)
        except NotFoundError:
            return None
        if release is None:
            return Unchanged(fresh_etag)
        if release.draft or DeploymentTag.find(release.tag_name) is None:
            release = highest_deployment(self._transfer, self._repository)
            if release is None:
                return None
        if known is not None and self._is_known(release, known):
            return Unchanged(fresh_etag)
        offered = release.asset(DEPLOYMENT).url
        if self._no_successor is not None and self._no_successor[:2] == (offered, known):
            # What is signed says the same each time: reading it again at each look would be three calls of the quota instead of one.
            raise self._no_successor[2].with_traceback(None)
        document, data, signature = self._files.deployment(release)
        if known is not None:
            try:
                require_successor(document, data, known)
            except Refused as refused:
                self._no_successor = offered, known, refused
                raise
        manifests = {version: self.manifest(version, of) for version, of in document.named_models().items()}
        self._accepted = release.asset(DEPLOYMENT).url, digest(data)
        return LatestDeployment(document, fresh_etag, data, signature, manifests)

    def _is_known(self, release: Release, known: Deployment) -> bool:
        """Whether the release still carries the document that runs, without downloading it again.

        A release's ETag changes with the download counts of its files: every download, also of another replica, turns the next
        poll into a 200, and downloading again would keep it so for ever.
        """
        if release.tag_name != str(known.tag):
            return False
        asset, known_digest = release.asset(DEPLOYMENT), known.as_previous().digest
        return asset.digest == f"sha256:{known_digest}" or (asset.digest is None and self._accepted == (asset.url, known_digest))

    def deployment(self, revision: int) -> Deployment:
        """The verified document of `revision`; raises Refused (unpublished) where there is none."""
        return self.signed_deployment(revision)[0]

    def signed_deployment(self, revision: int) -> tuple[Deployment, bytes, bytes]:
        """`deployment`, with its exact bytes and signature, to keep."""
        return self._files.deployment(release_by_tag(self._transfer, self._repository, str(DeploymentTag(revision))))

    def manifest(self, version: str, manifest_digest: str) -> Manifest:
        """The verified manifest of a published version; kept in memory once verified.

        Raises:
            Refused: (unpublished, missing_file, digest, signature, format, wrong_model, unsafe_name, size).
        """
        known = self._manifests.get((version, manifest_digest))
        if known is None:
            release = release_by_tag(self._transfer, self._repository, version)
            known = self._files.manifest(release, manifest_digest)[0]
            self._manifests[version, manifest_digest] = known
        return known

    def fetch_model(
        self, version: str, manifest_digest: str, into: Path, *, progress: Progress = lambda _name, _done, _size: None
    ) -> Manifest:
        """Make `into/<manifest digest>` hold the complete, verified version; a good copy that is there already stays.

        Everything arrives in a side folder and is renamed at once when every check has passed: nobody sees a part of it.

        Raises:
            Refused: with the reason; nothing is left behind. TransientError: try again later.
        """
        target = into / manifest_digest
        if target.exists() or target.is_symlink():
            try:
                return verify_directory(target, self._keys, version=version, manifest_digest=manifest_digest)
            except Refused:
                remove(target)
        try:
            with side_folder(into) as side:
                manifest = self._download(version, manifest_digest, side, progress)
                try:
                    side.rename(target)
                except OSError:
                    # Somebody else fetched the same version meanwhile: theirs must pass the same checks.
                    return verify_directory(target, self._keys, version=version, manifest_digest=manifest_digest)
                return manifest
        except OSError as error:
            raise TransientError(
                f"{version} cannot be kept under {into}: {error.strerror or error}.",
                remedy="Free space or correct the folder's permissions.",
            ) from error

    def _download(self, version: str, manifest_digest: str, side: Path, progress: Progress) -> Manifest:
        deadline = self._transfer.deadline()
        release = release_by_tag(self._transfer, self._repository, version)
        manifest, data, signature = self._files.manifest(release, manifest_digest)
        released = {asset.name for asset in release.assets} - {MANIFEST, MANIFEST_SIGNATURE}
        require_exact_files(released, manifest.released_files(), version)
        total = sum(entry.size for entry in manifest.files.values())
        if total > self._transfer.limits.max_model_bytes:
            raise Refused(
                f"{version} has {total} bytes; {self._transfer.limits.max_model_bytes} are allowed.",
                reason="size",
                remedy="Deploy a smaller model, or raise the limit.",
            )
        done = 0
        for name, entry in manifest.files.items():
            self._files.fetch(release.asset(name), entry, side / name, deadline)
            done += entry.size
            progress(name, done, total)
        for name, content in ((MANIFEST, data), (MANIFEST_SIGNATURE, signature)):
            with new_file(side / name) as file:
                file.write(content)
        return manifest

    def fetch_training_file(self, version: str, manifest_digest: str, name: str, into: Path) -> Path:
        """Download one of the manifest's `training_files` into the folder `into`; returns its path.

        Raises:
            Refused: (missing_file) the version has no such file; otherwise as `fetch_model`. Nothing is left behind then.
        """
        release = release_by_tag(self._transfer, self._repository, version)
        entry = (self.manifest(version, manifest_digest).training_files or {}).get(name)
        if entry is None:
            raise Refused(
                f"{version} has no file {name} for training.", reason="missing_file", remedy="Train from the base instead."
            )
        try:
            self._files.fetch(release.asset(name), entry, into / name, self._transfer.deadline())
        except BaseException:
            remove(into / name)
            raise
        return into / name
