"""The files of a release: receiving them, and handing them out through short-lived signed links.

An upload first takes its name as a `starter` and becomes `uploaded` with the last byte, so an upload that breaks off
leaves a starter behind and its retry is refused, exactly as on GitHub.
"""

import hashlib
import re
import secrets
import threading
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from sentiment_platform.github_server.disk import RepositoryFolder, find_asset, find_release, with_asset
from sentiment_platform.github_server.records import (
    Asset,
    Release,
    immutable_violation,
    invalid,
    not_found,
)

LINK_LIFETIME = timedelta(minutes=5)


class Uploads:
    """The assets of the repository."""

    def __init__(self, folder: RepositoryFolder) -> None:
        self._folder = folder

    def get(self, asset_id: int, *, drafts: bool) -> tuple[Release, Asset]:
        with self._folder.reading() as state:
            pair = find_asset(state, asset_id)
        if pair is None or (pair[0].draft and not drafts):
            raise not_found()
        return pair

    def begin(self, release_id: int, name: str, label: str | None, content_type: str) -> tuple[Release, Asset]:
        """Take the name on the release; raises `Refused` 404, or 422 when the name is taken or missing."""
        cleaned = clean_name(name)
        if not cleaned:
            raise invalid("ReleaseAsset", "missing_field", "name")
        with self._folder.writing() as state:
            release = find_release(state, release_id)
            if release is None:
                raise not_found()
            if release.immutable:
                raise immutable_violation("Cannot upload assets to an immutable release.")
            if any(a.name == cleaned for a in release.assets):
                raise invalid("ReleaseAsset", "already_exists", "name")
            now = self._folder.now()
            asset = Asset(
                id=state.take_id(),
                name=cleaned,
                label=label,
                content_type=content_type,
                state="starter",
                size=0,
                digest=None,
                download_count=0,
                created_at=now,
                updated_at=now,
            )
            state.releases[release_id] = with_asset(release, asset)
            return release, asset

    def receive(self, asset: Asset, chunks: Iterable[bytes]) -> tuple[Release, Asset]:
        """Store the bytes and turn the starter into an uploaded asset; an exception of `chunks` leaves the starter."""
        digest, size, incoming = hashlib.sha256(), 0, self._folder.incoming(asset.id)
        try:
            with incoming.open("wb") as file:
                for chunk in chunks:
                    digest.update(chunk)
                    size += len(chunk)
                    file.write(chunk)
            # The bytes are in place before the document says so: a kill in between leaves a starter, never a hole.
            with self._folder.writing() as state:
                pair = find_asset(state, asset.id)
                if pair is None:
                    raise not_found()
                release = pair[0]
                if release.immutable:
                    raise immutable_violation("Cannot upload assets to an immutable release.")
                incoming.replace(self._folder.blob(asset.id))
                done = msgspec.structs.replace(
                    asset,
                    state="uploaded",
                    size=size,
                    digest=f"sha256:{digest.hexdigest()}",
                    updated_at=self._folder.now(),
                )
                state.releases[release.id] = with_asset(release, done)
                return state.releases[release.id], done
        finally:
            incoming.unlink(missing_ok=True)

    def edit(self, asset_id: int, name: str | None, label: str | None) -> tuple[Release, Asset]:
        with self._folder.writing() as state:
            pair = find_asset(state, asset_id)
            if pair is None:
                raise not_found()
            release, asset = pair
            if release.immutable:
                raise immutable_violation("Cannot edit assets of an immutable release.")
            wanted = clean_name(name) if name else asset.name
            if any(a.name == wanted and a.id != asset_id for a in release.assets):
                raise invalid("ReleaseAsset", "already_exists", "name")
            new = msgspec.structs.replace(
                asset,
                name=wanted,
                label=asset.label if label is None else label,
                updated_at=self._folder.now(),
            )
            state.releases[release.id] = with_asset(release, new)
            return state.releases[release.id], new

    def delete(self, asset_id: int) -> None:
        with self._folder.writing() as state:
            pair = find_asset(state, asset_id)
            if pair is None:
                raise not_found()
            release = pair[0]
            if release.immutable:
                raise immutable_violation("Cannot delete assets of an immutable release.")
            kept = tuple(a for a in release.assets if a.id != asset_id)
            state.releases[release.id] = msgspec.structs.replace(release, assets=kept)
        self._folder.blob(asset_id).unlink(missing_ok=True)

    def count_download(self, asset_id: int) -> None:
        """Counted in memory and saved with the next change: a download must not cost a rewrite of the document."""
        with self._folder.reading() as state:
            pair = find_asset(state, asset_id)
            if pair is not None:
                release, asset = pair
                counted = msgspec.structs.replace(asset, download_count=asset.download_count + 1)
                state.releases[release.id] = with_asset(release, counted)

    def blob(self, asset_id: int) -> Path:
        return self._folder.blob(asset_id)


class DownloadLinks:
    """Signatures that open one asset for five minutes and are used up by one complete download.

    They live in memory: a link does not survive a restart, and a broken download may be tried again.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[str, tuple[int, datetime]] = {}

    def issue(self, asset_id: int, now: datetime) -> str:
        signature = secrets.token_urlsafe(24)
        with self._lock:
            self._open = {s: entry for s, entry in self._open.items() if entry[1] > now}
            self._open[signature] = (asset_id, now + LINK_LIFETIME)
        return signature

    def opens(self, signature: str, asset_id: int, now: datetime) -> bool:
        with self._lock:
            entry = self._open.get(signature)
        return entry is not None and entry[0] == asset_id and entry[1] > now

    def use_up(self, signature: str) -> None:
        with self._lock:
            self._open.pop(signature, None)


def clean_name(name: str) -> str:
    """GitHub puts a period for every run of special characters and drops periods at both ends."""
    return re.sub(r"[^A-Za-z0-9._+@~-]+", ".", name).strip(".")
