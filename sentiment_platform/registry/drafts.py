"""How any release comes about: draft, upload, verify, publish; every step can be run again after a crash at any point.

A draft is recognised by its tag and by the digest of the document it was made for, so that two writers never mix their
files in one draft. Publication is the commit point; nobody but writers sees anything before it.
Not here: what is in a release (`releases.py`).
"""

import hashlib
import io
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal

from sentiment_platform.errors import ConflictError, TransientError
from sentiment_platform.registry.connection import Connection, UnprocessableError
from sentiment_platform.registry.notes import marker
from sentiment_platform.registry.refusal import Refused
from sentiment_platform.registry.reply_status import NotFoundError
from sentiment_platform.registry.transfer import Transfer

if TYPE_CHECKING:
    from github.GitRelease import GitRelease
    from github.GitReleaseAsset import GitReleaseAsset

Step = Callable[[str], None]
"""Called with a short name after each side effect; tests raise in it, a caller may show progress with it."""


class SpentTagError(ConflictError):
    """The tag was another release's, which somebody deleted; nothing can be published under it any more."""


@dataclass(frozen=True)
class Content:
    """One file to upload, from memory or from disk; size in bytes."""

    source: bytes | Path
    sha256: str
    size: int

    @classmethod
    def of(cls, data: bytes) -> "Content":
        return cls(data, hashlib.sha256(data).hexdigest(), len(data))

    def open(self) -> BinaryIO:
        return io.BytesIO(self.source) if isinstance(self.source, bytes) else self.source.open("rb")


@dataclass(frozen=True)
class Plan:
    """A release to make: `files` in the order of upload, `document_digest` identifies the content."""

    tag: str
    notes: str
    document_digest: str
    files: Mapping[str, Content]
    make_latest: Literal["true", "false"]


class Drafts:
    """Makes releases on one connection; `transfer` reads back what was uploaded."""

    def __init__(self, connection: Connection, transfer: Transfer, step: Step) -> None:
        self._connection = connection
        self._transfer = transfer
        self._step = step

    def published(self, tag: str) -> "GitRelease | None":
        """The published release of `tag`, or None."""
        try:
            release = self._connection.steady(lambda: self._connection.repository.get_release(tag))
        except NotFoundError:
            return None
        return None if release.draft else release

    def prepare(self, plan: Plan) -> "GitRelease":
        """A complete and verified draft of `plan`; takes up what an earlier attempt left."""
        draft = self._connection.steady(lambda: self._ensure_draft(plan))
        try:
            # GitHub keeps the order of upload: the document that vouches for the rest comes last.
            for name, content in plan.files.items():
                self._connection.steady(lambda name=name, content=content: self._ensure_asset(draft, name, content))
            self._connection.steady(lambda: self._drop_strangers(draft, plan))
        except NotFoundError as error:
            raise _taken_away(plan.tag) from error
        return draft

    def publish(self, draft: "GitRelease", plan: Plan) -> "GitRelease":
        """Make the draft visible; then remove every other draft of the tag.

        Raises:
            ConflictError: the tag was published by somebody else, or the draft was taken away.
        """
        release = self._connection.steady(lambda: self._ensure_published(draft, plan))
        self._step("published")
        self.discard(plan.tag)
        return release

    def discard(self, tag: str, document_digest: str | None = None) -> None:
        """Delete the drafts of `tag`; with a digest only those made for that document."""
        for draft in self._connection.steady(lambda: self._of_tag(tag)):
            if document_digest is None or marker(document_digest) in (draft.body or ""):
                self._delete(draft)

    def exists(self, tag: str, document_digest: str) -> bool:
        """Whether there is a draft of `tag` that was made for this document: its writer is at work, or died before publishing."""
        return any(marker(document_digest) in (draft.body or "") for draft in self._connection.steady(lambda: self._of_tag(tag)))

    def _of_tag(self, tag: str) -> "list[GitRelease]":
        # A draft is not found by its tag: the list is the only way.
        return [r for r in self._connection.repository.get_releases() if r.draft and r.tag_name == tag]

    def _ensure_draft(self, plan: Plan) -> "GitRelease":
        mine = sorted((r for r in self._of_tag(plan.tag) if marker(plan.document_digest) in (r.body or "")), key=lambda r: r.id)
        for double in mine[1:]:
            self._delete(double)
        if mine:
            return mine[0]
        try:
            with self._connection.errors():
                draft = self._connection.repository.create_git_release(
                    plan.tag, name=plan.tag, message=plan.notes, draft=True, make_latest="false"
                )
        except UnprocessableError as error:
            if error.tag_is_spent:
                raise _spent(plan.tag) from error
            raise
        self._step("draft created")
        return draft

    def _ensure_asset(self, draft: "GitRelease", name: str, content: Content) -> None:
        existing = next((asset for asset in draft.get_assets() if asset.name == name), None)
        if existing is None:
            existing = self._upload(draft, name, content)
            self._step(f"{name} uploaded")
        if not self._is_right(existing, content):
            with self._connection.errors():
                existing.delete_asset()
            self._step(f"{name} removed")
            raise TransientError(f"The upload of {name} was not stored completely.", remedy="Run it again.")

    def _upload(self, draft: "GitRelease", name: str, content: Content) -> "GitReleaseAsset":
        with closing(content.open()) as file:
            try:
                with self._connection.errors():
                    return draft.upload_asset_from_memory(file, content.size, name, "application/octet-stream")
            except UnprocessableError as error:
                raise TransientError(f"{name} was uploaded at the same time.", remedy="Run it again.") from error

    def _is_right(self, asset: "GitReleaseAsset", content: Content) -> bool:
        """What the server says first, for it costs nothing; then the bytes themselves, read back."""
        if asset.state != "uploaded" or asset.size != content.size:
            return False
        if asset.digest and asset.digest != f"sha256:{content.sha256}":
            return False
        try:
            stored = self._transfer.download(asset.url, size=content.size, deadline=self._transfer.deadline())
        except Refused:
            return False
        return stored == content.sha256

    def _drop_strangers(self, draft: "GitRelease", plan: Plan) -> None:
        for asset in draft.get_assets():
            if asset.name not in plan.files:
                asset.delete_asset()
                self._step(f"{asset.name} removed")

    def _ensure_published(self, draft: "GitRelease", plan: Plan) -> "GitRelease":
        try:
            with self._connection.errors():
                current = self._connection.repository.get_release(draft.id)
                if not current.draft:
                    return current
                return current.update_release(plan.tag, plan.notes, draft=False, make_latest=plan.make_latest)
        except NotFoundError as error:
            raise _taken_away(plan.tag) from error
        except UnprocessableError as error:
            if error.tag_is_spent:
                raise _spent(plan.tag) from error
            raise ConflictError(
                f"{plan.tag} was published by somebody else.", remedy="Start again from what is published now."
            ) from error

    def _delete(self, draft: "GitRelease") -> None:
        def delete() -> None:
            # Look again: since the list was made somebody may have published it.
            current = self._connection.repository.get_release(draft.id)
            if current.draft:
                current.delete_release()

        try:
            self._connection.steady(delete)
        except NotFoundError:
            return
        self._step("draft removed")


def _spent(tag: str) -> SpentTagError:
    return SpentTagError(f"{tag} belonged to a release that was deleted.", remedy="Take the next number.")


def _taken_away(tag: str) -> ConflictError:
    return ConflictError(f"The draft of {tag} was removed by another writer.", remedy="Start again from what is published now.")
