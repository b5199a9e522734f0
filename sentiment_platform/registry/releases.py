"""The registry as writers see it: publish a model version, publish a deployment. What there is already: `published.py`.

Belongs here: what goes into the two kinds of release, and who may have a tag. How a release comes about is `drafts.py`'s;
whether something deserves to be deployed is the business of `promotion`.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sentiment_platform.clock import Clock
from sentiment_platform.errors import ConflictError
from sentiment_platform.registry.connection import Connection
from sentiment_platform.registry.deployment import DEPLOYMENT, DEPLOYMENT_SIGNATURE, Deployment, Previous
from sentiment_platform.registry.documents import canonical_json, digest
from sentiment_platform.registry.drafts import Content, Drafts, Plan, SpentTagError, Step
from sentiment_platform.registry.manifest import MANIFEST, MANIFEST_SIGNATURE, Manifest, require_safe_files
from sentiment_platform.registry.notes import deployment_notes, model_notes
from sentiment_platform.registry.published import PublishedDeployment, PublishedModel, PublishedReleases
from sentiment_platform.registry.reader import RegistryReader
from sentiment_platform.registry.refs import DeploymentRefs
from sentiment_platform.registry.refusal import Refused
from sentiment_platform.registry.signing import PrivateKeys, PublicKeys
from sentiment_platform.registry.transfer import Limits, Transfer
from sentiment_platform.registry.verify import require_contents, require_exact_files
from sentiment_platform.registry.versions import Change, DeploymentTag, VersionTag, next_version

if TYPE_CHECKING:
    from github.GitRelease import GitRelease


class ReleaseRegistry(PublishedReleases):
    """Writes releases of one repository. One thread at a time; close it after use.

    Args:
        repository: `owner/name`.
        url: base of the REST API.
        token: needs `contents: write`.
        public_keys: to verify what earlier releases say.
        clock: aware UTC now, for the end of a rate limit.
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
        self._step = step
        reader = RegistryReader(repository, url=url, token=token, public_keys=public_keys, limits=limits)
        connection = Connection(
            repository,
            url=url,
            token=token,
            clock=clock,
            seconds_between_requests=seconds_between_requests,
            seconds_between_writes=seconds_between_writes,
            max_wait_s=max_wait_s,
            sleep=sleep,
        )
        super().__init__(connection, Transfer(url, token, limits or Limits()), reader)
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

    def publish_model(self, directory: Path, manifest: Manifest, keys: PrivateKeys, *, card: str = "") -> PublishedModel:
        """Publish the files of `directory` as `manifest.version`, never marked latest. Running it again changes nothing.

        Args:
            card: Markdown for people, which the release's text begins with.

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
        plan = Plan(manifest.version, model_notes(manifest, digest(data), card), digest(data), files, make_latest="false")
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
        lost: Previous | None = None,
        remarks: str = "",
    ) -> PublishedDeployment:
        """Publish `document` as the next revision and mark it latest. Running it again with the same document changes nothing.

        Args:
            lost: a deployment newer than the published head, whose release was deleted: the document may name it as its previous.
            remarks: Markdown that the release's text has beside what the document says.
            fence: raises ConflictError when this writer's lease is no longer its own; asked right before the tag is taken
                and right before publication.
            adopt_abandoned: asked when the tag is taken but nothing is published under it: whether the writer that took it
                is certainly dead (its lease has run out) and its attempt may be replaced.

        Raises:
            SpentTagError: the revision was a release's that was deleted: take the next number.
            ConflictError: the revision is taken, or does not follow from the one that is published.
            Refused: a version it names is not published with a valid model signature.
        """
        data = canonical_json(document)
        files = {DEPLOYMENT_SIGNATURE: Content.of(keys.sign("operator", data)), DEPLOYMENT: Content.of(data)}
        notes = deployment_notes(document, digest(data), remarks)
        plan = Plan(str(document.tag), notes, digest(data), files, make_latest="true")
        release = self._finished(plan, DEPLOYMENT)
        if release is None:
            self._require_next(document, lost)
            for version, manifest_digest in document.named_models().items():
                self._reader.manifest(version, manifest_digest)
            draft, taken = self._drafts.prepare(plan), False
            try:
                fence()
                self._take_tag(plan, adopt_abandoned)
                taken = True
                fence()
                release = self._drafts.publish(draft, plan)
            except ConflictError as error:
                # By its draft a tag that was taken is known as an attempt, whose number is free for the next writer.
                if not taken or isinstance(error, SpentTagError):
                    self._drafts.discard(plan.tag, plan.document_digest)
                raise
        return PublishedDeployment(document.revision, plan.document_digest, release.html_url, release.published_at)

    def next_revision(self) -> int:
        """The number after every deployment that is published, or was: a tag outlives its deleted release.

        A tag whose document still has its draft was taken by a writer that died, or is at work: it is the next number itself.
        """
        head = self.previous()
        revision = head.revision if head else 0
        taken = sorted(tag for name in self._refs.names() if (tag := DeploymentTag.find(name)) and tag.revision > revision)
        spent = [tag.revision for tag in taken if not self._is_attempt(str(tag))]
        return max([revision, *spent]) + 1

    def next_version(self, family: str, change: Change) -> VersionTag:
        """The version that the family's next model gets."""
        return next_version(self.used_tags(), family, change)

    def used_tags(self) -> list[str]:
        """Tags of all releases, published or deleted: none of them names anything new."""
        return sorted({release.tag_name for release in self._published()} | set(self._refs.names()))

    def _is_attempt(self, tag: str) -> bool:
        owner = self._refs.owner(tag)
        return bool(owner) and self._drafts.exists(tag, owner or "")

    def _take_tag(self, plan: Plan, adopt_abandoned: Callable[[], bool]) -> None:
        if self._refs.take(plan.tag, plan.document_digest):
            return
        if self._refs.owner(plan.tag) is None:
            raise SpentTagError(f"{plan.tag} cannot be taken, although nothing has it.", remedy="Take the next number.")
        if self._drafts.published(plan.tag) is not None or not adopt_abandoned():
            raise ConflictError(f"{plan.tag} is taken.", remedy="Start again from what is published now.")
        # Should the dead writer wake up: whoever publishes first wins, the other is refused by GitHub.
        self._refs.adopt(plan.tag, plan.document_digest)

    def _require_next(self, document: Deployment, lost: Previous | None) -> None:
        head = self.previous()
        newest = lost if lost is not None and lost.revision > (head.revision if head else 0) else head
        next_revision = self.next_revision()
        if (
            document.revision < next_revision
            and self._drafts.published(str(document.tag)) is None
            and document.previous == newest
        ):
            raise SpentTagError(
                f"{document.tag} belonged to a release that was deleted; the next revision is {next_revision}.",
                remedy="Take that number.",
            )
        if document.previous != newest:
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
        uploaded = {asset.name: asset.size for asset in assets if asset.state == "uploaded"}
        if uploaded != {name: content.size for name, content in plan.files.items()}:
            raise Refused(
                f"The published {plan.tag} was changed afterwards.",
                reason="extra_file" if uploaded.keys() > plan.files.keys() else "missing_file",
                remedy="Publish a new version; find out who edits releases, and make them immutable.",
            )
        self._drafts.discard(plan.tag)
        return release
