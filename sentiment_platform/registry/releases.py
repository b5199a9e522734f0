"""The registry as writers see it: publish a model version, publish a deployment, list what there is.

Belongs here: what goes into the two kinds of release, and who may have a tag. How a release comes about is `drafts.py`'s;
whether something deserves to be deployed is the business of `promotion`.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sentiment_platform.clock import Clock
from sentiment_platform.errors import ConflictError, PermanentError
from sentiment_platform.registry.connection import Connection
from sentiment_platform.registry.deployment import DEPLOYMENT, DEPLOYMENT_SIGNATURE, Deployment, Previous
from sentiment_platform.registry.documents import MAX_DOCUMENT_BYTES, canonical_json, digest
from sentiment_platform.registry.drafts import Content, Drafts, Plan, Step
from sentiment_platform.registry.manifest import MANIFEST, MANIFEST_SIGNATURE, Manifest, require_safe_files
from sentiment_platform.registry.notes import deployment_notes, model_notes
from sentiment_platform.registry.reader import RegistryReader
from sentiment_platform.registry.refs import DeploymentRefs
from sentiment_platform.registry.refusal import Refused
from sentiment_platform.registry.signing import PrivateKeys, PublicKeys
from sentiment_platform.registry.transfer import Limits, Transfer
from sentiment_platform.registry.verify import require_contents, require_exact_files
from sentiment_platform.registry.versions import Change, DeploymentTag, VersionTag, next_version

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


class ReleaseRegistry:
    """Writes releases of one repository. One thread at a time; close it after use.

    Args:
        repository: `owner/name`.
        url: base of the REST API.
        token: needs `contents: write`.
        public_keys: to verify what earlier releases say.
        clock: aware UTC now.
        max_wait_s: longest sleep in one call to GitHub and its retries; a longer rate limit is a TransientError.
        step: called after each side effect.
    """

    def __init__(
        self,
        repository: str,
        *,
        url: str,
        token: str,
        public_keys: PublicKeys,
        clock: Clock,
        seconds_between_requests: float = 0.25,
        seconds_between_writes: float = 1.0,
        max_wait_s: float = 60.0,
        limits: Limits | None = None,
        sleep: Callable[[float], None] = time.sleep,
        step: Step = lambda _: None,
    ) -> None:
        self._clock = clock
        self._step = step
        self._transfer = Transfer(url, token, limits or Limits())
        self._reader = RegistryReader(repository, url=url, token=token, public_keys=public_keys, limits=limits)
        self._connection = Connection(
            repository,
            url=url,
            token=token,
            clock=clock,
            seconds_between_requests=seconds_between_requests,
            seconds_between_writes=seconds_between_writes,
            max_wait_s=max_wait_s,
            sleep=sleep,
        )
        self._drafts = Drafts(self._connection, self._transfer, step)
        self._refs = DeploymentRefs(self._connection, step)

    def __enter__(self) -> "ReleaseRegistry":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()
        self._reader.close()
        self._transfer.close()

    def publish_model(self, directory: Path, manifest: Manifest, keys: PrivateKeys) -> PublishedModel:
        """Publish the files of `directory` as `manifest.version`, never marked latest. Running it again changes nothing.

        Raises:
            Refused: the folder is not what the manifest says. ConflictError: the version exists with other content.
            TransientError: GitHub failed; run it again, it continues where it stopped.
        """
        require_safe_files(manifest)
        listed = manifest.released_files()
        require_exact_files({path.name for path in directory.iterdir()}, listed, manifest.version)
        require_contents(directory, listed)
        data = canonical_json(manifest)
        files = {name: Content(directory / name, e.sha256, e.size) for name, e in sorted(listed.items())}
        files |= {MANIFEST_SIGNATURE: Content.of(keys.sign("model", data)), MANIFEST: Content.of(data)}
        plan = Plan(manifest.version, model_notes(manifest, digest(data)), digest(data), files, make_latest="false")
        release = self._finished(plan, MANIFEST)
        if release is None:
            release = self._drafts.prepare(plan)
            try:
                release = self._drafts.publish(release, plan)
            except ConflictError:
                self._drafts.discard(plan.tag, plan.document_digest)
                release = self._finished(plan, MANIFEST)
                if release is None:
                    raise
        return PublishedModel(manifest.version, plan.document_digest, release.html_url, release.published_at)

    def publish_deployment(
        self,
        document: Deployment,
        keys: PrivateKeys,
        *,
        fence: Callable[[], None],
        adopt_abandoned: Callable[[], bool] = lambda: False,
    ) -> PublishedDeployment:
        """Publish `document` as the next revision and mark it latest. Running it again with the same document changes nothing.

        Args:
            fence: raises ConflictError when this writer's lease is no longer its own; asked right before the tag is taken
                and right before publication.
            adopt_abandoned: asked when the tag is taken but nothing is published under it: whether the writer that took it
                is certainly dead (its lease has run out) and its attempt may be replaced.

        Raises:
            ConflictError: the revision is taken, or does not follow from the one that is published.
            Refused: a version it names is not published with a valid model signature.
        """
        data = canonical_json(document)
        files = {DEPLOYMENT_SIGNATURE: Content.of(keys.sign("operator", data)), DEPLOYMENT: Content.of(data)}
        notes = deployment_notes(document, digest(data))
        plan = Plan(str(document.tag), notes, digest(data), files, make_latest="true")
        release = self._finished(plan, DEPLOYMENT)
        if release is None:
            self._require_next(document)
            for version, manifest_digest in document.models().items():
                self._reader.manifest(version, manifest_digest)
            draft = self._drafts.prepare(plan)
            try:
                fence()
                self._take_tag(plan, adopt_abandoned)
                fence()
                release = self._drafts.publish(draft, plan)
            except ConflictError:
                self._drafts.discard(plan.tag, plan.document_digest)
                raise
        return PublishedDeployment(document.revision, plan.document_digest, release.html_url, release.published_at)

    def previous(self) -> Previous | None:
        """The published head of the chain: what the next document must name; None before the first."""
        head = max(self._deployments(), key=lambda pair: pair[0], default=None)
        return Previous(head[0].revision, self._document_digest(head[1], DEPLOYMENT)) if head else None

    def next_revision(self) -> int:
        """The revision that the next deployment must have."""
        return max((tag.revision for tag, _ in self._deployments()), default=0) + 1

    def history(self) -> list[PublishedDeployment]:
        """All published deployments, oldest first."""
        return [
            PublishedDeployment(tag.revision, self._document_digest(release, DEPLOYMENT), release.html_url, release.published_at)
            for tag, release in sorted(self._deployments(), key=lambda pair: pair[0])
        ]

    def deployment(self, revision: int) -> Deployment:
        """The verified document of a published revision."""
        return self._reader.deployment(revision)

    def list_models(self) -> list[PublishedModel]:
        """All published versions, by family, oldest version first."""
        found = [(tag, release) for release in self._published() if (tag := VersionTag.find(release.tag_name))]
        found.sort(key=lambda pair: (pair[0].family, pair[0].major, pair[0].minor, pair[0].patch))
        return [
            PublishedModel(str(tag), self._document_digest(release, MANIFEST), release.html_url, release.published_at)
            for tag, release in found
        ]

    def next_version(self, family: str, change: Change) -> VersionTag:
        """The version that the family's next model gets."""
        return next_version([release.tag_name for release in self._published()], family, change)

    def remove_orphaned_drafts(self, older_than: timedelta) -> list[str]:
        """Delete this registry's drafts that crashed attempts left behind; returns their tags."""

        def is_ours(tag: str) -> bool:
            return VersionTag.find(tag) is not None or DeploymentTag.find(tag) is not None

        return self._drafts.discard_orphans(is_ours, self._clock() - older_than)

    def _take_tag(self, plan: Plan, adopt_abandoned: Callable[[], bool]) -> None:
        if self._refs.take(plan.tag, plan.document_digest):
            return
        if self._drafts.published(plan.tag) is not None or not adopt_abandoned():
            raise ConflictError(f"{plan.tag} is taken.", remedy="Start again from what is published now.")
        # Should the dead writer wake up: whoever publishes first wins, the other is refused by GitHub.
        self._refs.adopt(plan.tag, plan.document_digest)

    def _require_next(self, document: Deployment) -> None:
        head = self.previous()
        if document.previous != head:
            raise ConflictError(
                f"Revision {document.revision} does not follow from the published revision {head.revision if head else 0}.",
                remedy="Start again from what is published now.",
            )

    def _finished(self, plan: Plan, document: str) -> "GitRelease | None":
        """The published release if it is exactly the plan's (leftover drafts removed), None where there is none."""
        release = self._drafts.published(plan.tag)
        if release is None:
            return None
        if self._document_digest(release, document) != plan.document_digest:
            raise ConflictError(f"{plan.tag} exists with other content.", remedy="Start again from what is published now.")
        assets = self._connection.steady(lambda: list(release.get_assets()))
        found = {asset.name: asset.size for asset in assets if asset.state == "uploaded"}
        if found != {name: content.size for name, content in plan.files.items()}:
            raise Refused(
                f"The published {plan.tag} was changed afterwards.",
                reason="extra_file" if found.keys() > plan.files.keys() else "missing_file",
                remedy="Publish a new version; find out who edits releases, and make them immutable.",
            )
        self._drafts.discard(plan.tag)
        return release

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
