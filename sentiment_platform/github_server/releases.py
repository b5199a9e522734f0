"""The life of a release: draft, publication, edits, deletion, and which one is *latest*.

Source: https://docs.github.com/en/rest/releases/releases
"""

import re
from datetime import datetime

import msgspec

from sentiment_platform.github_server.disk import RepositoryFolder, find_release
from sentiment_platform.github_server.messages import CreateRelease, EditRelease
from sentiment_platform.github_server.records import (
    FieldProblem,
    MakeLatest,
    Refused,
    Release,
    RepositoryState,
    immutable_violation,
    invalid,
    not_found,
)
from sentiment_platform.github_server.refs import resolve_commit

SEMVER = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(-.+)?")


class Releases:
    """The releases of the repository; with `immutable` a published one can no longer be edited."""

    def __init__(self, folder: RepositoryFolder, *, immutable: bool) -> None:
        self._folder = folder
        self._immutable = immutable

    def listed(self, *, drafts: bool) -> list[Release]:
        """Drafts first, then by creation date, newest first; only those who may write see drafts."""
        with self._folder.reading() as state:
            visible = [r for r in state.releases.values() if drafts or not r.draft]
        return sorted(visible, key=lambda r: (r.draft, r.created_at, r.id), reverse=True)

    def get(self, release_id: int, *, drafts: bool) -> Release:
        with self._folder.reading() as state:
            release = find_release(state, release_id)
        if release is None or (release.draft and not drafts):
            raise not_found()
        return release

    def by_tag(self, tag: str) -> Release:
        """The published release of a tag: a draft is never found by its tag."""
        with self._folder.reading() as state:
            release = _published(state, tag)
        if release is None:
            raise not_found()
        return release

    def latest(self) -> Release:
        with self._folder.reading() as state:
            release = _latest(state)
        if release is None:
            raise not_found()
        return release

    def create(self, wanted: CreateRelease) -> Release:
        if not wanted.tag_name:
            raise invalid("Release", "missing_field", "tag_name")
        with self._folder.writing() as state:
            now = self._folder.now()
            release = Release(
                id=state.take_id(),
                tag_name=wanted.tag_name,
                target_commitish=wanted.target_commitish or state.default_branch,
                name=wanted.name,
                body=wanted.body,
                draft=wanted.draft,
                prerelease=wanted.prerelease,
                immutable=False,
                created_at=now,
                updated_at=now,
                published_at=None,
            )
            if not release.draft:
                release = self._publish(state, release, now)
                _mark_latest(state, release, wanted.make_latest or "true")
            state.releases[release.id] = release
            return release

    def edit(self, release_id: int, wanted: EditRelease) -> Release:
        with self._folder.writing() as state:
            old = find_release(state, release_id)
            if old is None:
                raise not_found()
            if old.immutable:
                raise immutable_violation("Cannot edit an immutable release.")
            changes = {k: v for k, v in msgspec.structs.asdict(wanted).items() if v is not msgspec.UNSET}
            make_latest = changes.pop("make_latest", None)
            new = msgspec.structs.replace(old, **changes, updated_at=self._folder.now())
            if new.draft:
                new = msgspec.structs.replace(new, published_at=None)
            elif old.draft or new.tag_name != old.tag_name:
                new = self._publish(state, new, self._folder.now())
            if old.draft and not new.draft:
                # Only a publication has this default; a later edit leaves *latest* alone unless it says otherwise.
                make_latest = make_latest or "true"
            state.releases[release_id] = new
            _mark_latest(state, new, make_latest)
            return new

    def delete(self, release_id: int) -> None:
        """Delete a release and its assets; its tag stays, and an immutable one's tag can never be used again."""
        with self._folder.writing() as state:
            release = find_release(state, release_id)
            if release is None:
                raise not_found()
            del state.releases[release_id]
            if release.immutable:
                state.retired_tags.add(release.tag_name)
            if state.latest_release_id == release_id:
                state.latest_release_id = None
        for asset in release.assets:
            self._folder.blob(asset.id).unlink(missing_ok=True)

    def _publish(self, state: RepositoryState, release: Release, now: datetime) -> Release:
        """Check the tag, make its ref where there is none, and stamp the release."""
        other = _published(state, release.tag_name)
        if other is not None and other.id != release.id:
            raise invalid("Release", "already_exists", "tag_name")
        if release.tag_name in state.retired_tags:
            reason = "tag_name was used by an immutable release"
            raise Refused(422, "Validation Failed", (FieldProblem("Release", "custom", "tag_name", reason),))
        ref = f"refs/tags/{release.tag_name}"
        if ref not in state.refs:
            target = resolve_commit(state, release.target_commitish)
            if target is None:
                raise invalid("Release", "invalid", "target_commitish")
            state.refs[ref] = target
        commit = resolve_commit(state, ref)
        return msgspec.structs.replace(
            release,
            created_at=state.commits[commit] if commit else release.created_at,
            published_at=release.published_at or now,
            immutable=self._immutable,
        )


def _published(state: RepositoryState, tag: str) -> Release | None:
    return next((r for r in state.releases.values() if not r.draft and r.tag_name == tag), None)


def _mark_latest(state: RepositoryState, release: Release, make_latest: MakeLatest | None) -> None:
    eligible = not release.draft and not release.prerelease
    if make_latest == "legacy":
        state.latest_release_id = None
    elif make_latest == "true" and eligible:
        state.latest_release_id = release.id
    elif state.latest_release_id == release.id and (make_latest == "false" or not eligible):
        state.latest_release_id = None


def _latest(state: RepositoryState) -> Release | None:
    """The release that was made latest; without one, GitHub falls back to the newest full release, asked for or not."""
    if state.latest_release_id is not None:
        return state.releases[state.latest_release_id]
    eligible = [r for r in state.releases.values() if not r.draft and not r.prerelease]
    return max(eligible, key=lambda r: (r.created_at, _version(r.tag_name), r.id), default=None)


def _version(tag: str) -> tuple[int, int, int, int]:
    match = SEMVER.fullmatch(tag)
    if match is None:
        return (-1, 0, 0, 0)
    major, minor, patch, suffix = match.groups()
    return (int(major), int(minor), int(patch), 0 if suffix else 1)
