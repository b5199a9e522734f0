"""What GitHub's REST replies say about releases, as far as we read them, over plain HTTP.

Source: https://docs.github.com/en/rest/releases/releases . Unknown fields are GitHub's right and are passed over here.
Nothing in these replies is trusted: they only say where to look.
"""

from typing import Literal, TypeVar

import msgspec

from sentiment_platform.registry.refusal import Refused
from sentiment_platform.registry.reply_status import NotFoundError
from sentiment_platform.registry.transfer import Transfer
from sentiment_platform.registry.versions import DeploymentTag

_PAGE_SIZE = 100
_MAX_PAGES = 100

T = TypeVar("T")


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a release; `state` is `starter` for an upload that never finished."""

    name: str
    size: int
    url: str
    browser_download_url: str
    state: Literal["uploaded", "starter", "open"] = "uploaded"
    digest: str | None = None


class Release(msgspec.Struct, frozen=True):
    """A release with its files."""

    tag_name: str
    draft: bool
    assets: tuple[Asset, ...]

    def asset(self, name: str) -> Asset:
        """The finished file `name`; Refused (missing_file) when it is not there."""
        for asset in self.assets:
            if asset.name == name and asset.state == "uploaded":
                return asset
        raise Refused(f"{self.tag_name} has no file {name}.", reason="missing_file", remedy="Publish the release again.")


def latest_release(transfer: Transfer, repository: str, etag: str | None) -> tuple[Release | None, str | None]:
    """The release marked *latest* and its ETag; (None, etag) when it has not changed since `etag`.

    Raises:
        NotFoundError: there is no release yet.
    """
    reply = transfer.get_api(f"repos/{repository}/releases/latest", etag=etag)
    if reply.status == 304:
        return None, etag
    return _decode(reply.body, Release), reply.etag


def release_by_tag(transfer: Transfer, repository: str, tag: str) -> Release:
    """The published release of `tag`.

    Raises:
        Refused: (unpublished) there is none, (wrong_model) the reply is about another tag.
    """
    try:
        release = _decode(transfer.get_api(f"repos/{repository}/releases/tags/{tag}").body, Release)
    except NotFoundError as error:
        raise Refused(
            f"There is no published release {tag}.", reason="unpublished", remedy="Publish it, or deploy another version."
        ) from error
    if release.tag_name != tag or release.draft:
        raise Refused(f"The release of {tag} is another or a draft.", reason="wrong_model", remedy="Publish it again.")
    return release


def highest_deployment(transfer: Transfer, repository: str) -> Release | None:
    """The published deployment with the highest revision among all releases, or None."""
    highest: tuple[DeploymentTag, Release] | None = None
    for page in range(1, _MAX_PAGES + 1):
        reply = transfer.get_api(f"repos/{repository}/releases?per_page={_PAGE_SIZE}&page={page}")
        releases = _decode(reply.body, list[Release])
        for release in releases:
            tag = DeploymentTag.find(release.tag_name)
            if tag is not None and not release.draft and (highest is None or tag > highest[0]):
                highest = tag, release
        if len(releases) < _PAGE_SIZE:
            break
    return highest[1] if highest else None


def _decode(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(
            f"The server's reply is no list of releases: {error}.", reason="format", remedy="Check SENTIMENT_REGISTRY_URL."
        ) from error
