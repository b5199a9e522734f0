"""Git refs, annotated tag objects and commits, as far as releases need them.

Creating a ref is the one compare-and-swap that GitHub offers: the second creation of a name is refused.
"""

import hashlib

import msgspec

from sentiment_platform.github_server.disk import RepositoryFolder
from sentiment_platform.github_server.records import (
    Refused,
    RepositoryState,
    TagObject,
    immutable_violation,
    invalid,
    not_found,
)


def resolve_commit(state: RepositoryState, commitish: str) -> str | None:
    """The sha that a branch name, a tag name, a full ref, a commit or an annotated tag stands for."""
    for name in (commitish, f"refs/heads/{commitish}", f"refs/tags/{commitish}"):
        if name in state.refs:
            commitish = state.refs[name]
            break
    if commitish in state.tag_objects:
        commitish = state.tag_objects[commitish].object_sha
    return commitish if commitish in state.commits else None


class Refs:
    """The refs of the repository."""

    def __init__(self, folder: RepositoryFolder) -> None:
        self._folder = folder

    def get(self, ref: str) -> str:
        with self._folder.reading() as state:
            if ref not in state.refs:
                raise not_found()
            return state.refs[ref]

    def matching(self, prefix: str) -> list[tuple[str, str]]:
        with self._folder.reading() as state:
            return sorted((ref, sha) for ref, sha in state.refs.items() if ref.startswith(prefix))

    def create(self, ref: str, sha: str) -> None:
        if not ref.startswith("refs/") or ref.count("/") < 2 or ref.endswith("/"):
            raise Refused(422, "Reference name must start with 'refs/' and have at least two slashes.")
        with self._folder.writing() as state:
            if ref in state.refs:
                raise Refused(422, "Reference already exists")
            self._require_object(state, sha)
            state.refs[ref] = sha

    def move(self, ref: str, sha: str) -> None:
        with self._folder.writing() as state:
            if ref not in state.refs:
                raise Refused(422, "Reference does not exist")
            self._refuse_if_immutable(state, ref)
            self._require_object(state, sha)
            state.refs[ref] = sha

    def delete(self, ref: str) -> None:
        """Delete a ref; a release published under a deleted tag becomes a draft again, as on GitHub."""
        with self._folder.writing() as state:
            if ref not in state.refs:
                raise Refused(422, "Reference does not exist")
            if ref == f"refs/heads/{state.default_branch}":
                raise Refused(422, "Cannot delete the default branch")
            self._refuse_if_immutable(state, ref)
            del state.refs[ref]
            for release in list(state.releases.values()):
                if not release.draft and f"refs/tags/{release.tag_name}" == ref:
                    state.releases[release.id] = msgspec.structs.replace(release, draft=True, published_at=None)
                    if state.latest_release_id == release.id:
                        state.latest_release_id = None

    def create_tag_object(self, tag: str, message: str, object_sha: str) -> TagObject:
        with self._folder.writing() as state:
            if object_sha not in state.commits:
                raise invalid("Tag", "invalid", "object")
            now = self._folder.now()
            text = f"{tag}\n{message}\n{object_sha}\n{now.isoformat()}"
            sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
            created = TagObject(sha, tag, message, object_sha, now)
            state.tag_objects[sha] = created
            return created

    @staticmethod
    def _require_object(state: RepositoryState, sha: str) -> None:
        if sha not in state.commits and sha not in state.tag_objects:
            raise Refused(422, "Object does not exist")

    @staticmethod
    def _refuse_if_immutable(state: RepositoryState, ref: str) -> None:
        if any(r.immutable and ref == f"refs/tags/{r.tag_name}" for r in state.releases.values()):
            raise immutable_violation("Cannot change the tag of an immutable release.")
