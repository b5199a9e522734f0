"""The JSON documents of the replies: the fields of GitHub's, in its order, with links that lead back to this server.

`sentiment_platform_tests/github_server/test_recordings.py` holds them against recorded replies of api.github.com.
"""

import base64
import hashlib
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from sentiment_platform.github_server.limits import Quota
from sentiment_platform.github_server.records import (
    DOCUMENTATION_URL,
    Asset,
    Refused,
    Release,
    RepositoryState,
)

Document = dict[str, Any]

USER_LINKS = (
    ("followers_url", "/followers"),
    ("following_url", "/following{/other_user}"),
    ("gists_url", "/gists{/gist_id}"),
    ("starred_url", "/starred{/owner}{/repo}"),
    ("subscriptions_url", "/subscriptions"),
    ("organizations_url", "/orgs"),
    ("repos_url", "/repos"),
    ("events_url", "/events{/privacy}"),
    ("received_events_url", "/received_events"),
)


def timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def node_id(kind: str, number: int | str) -> str:
    return base64.b64encode(f"{kind}:{number}".encode()).decode()


def problem(refused: Refused, request_id: str | None = None) -> Document:
    """The body of a client error; only the upload host names the request in it."""
    document: Document = {"message": refused.message}
    if request_id is not None:
        document["request_id"] = request_id
    if refused.problems:
        document["errors"] = refused.problems
    document["documentation_url"] = DOCUMENTATION_URL
    return document


def rate_limit(quota: Quota) -> Document:
    core = {
        "limit": quota.limit,
        "used": quota.used,
        "remaining": quota.remaining,
        "reset": quota.reset,
        "resource": "core",
    }
    return {"resources": {"core": core}, "rate": core}


class Documents:
    """Writes documents for one repository as seen from one base URL, without a slash at the end."""

    def __init__(self, base_url: str, state: RepositoryState) -> None:
        self._html = base_url
        self._full_name = state.full_name
        self._repository_id = state.id
        self._created_at = state.created_at
        self._default_branch = state.default_branch
        self.api = f"{base_url}/api/v3"
        self.repo = f"{self.api}/repos/{state.full_name}"
        self.uploads = f"{base_url}/api/uploads/repos/{state.full_name}"
        self.html = f"{base_url}/{state.full_name}"
        #: Links of further pages name the repository by its number, as GitHub's do.
        self.by_number = f"{self.api}/repositories/{state.id}"

    def user(self) -> Document:
        login = self._full_name.partition("/")[0]
        number = int(hashlib.sha256(login.encode()).hexdigest()[:7], 16)
        url = f"{self.api}/users/{login}"
        return {
            "login": login,
            "id": number,
            "node_id": node_id("04:User", number),
            "avatar_url": f"{self._html}/avatars/u/{number}?v=4",
            "gravatar_id": "",
            "url": url,
            "html_url": f"{self._html}/{login}",
            **{name: f"{url}{suffix}" for name, suffix in USER_LINKS},
            "type": "User",
            "user_view_type": "public",
            "site_admin": False,
        }

    def repository(self) -> Document:
        return {
            "id": self._repository_id,
            "node_id": node_id("010:Repository", self._repository_id),
            "name": self._full_name.partition("/")[2],
            "full_name": self._full_name,
            "private": False,
            "owner": self.user(),
            "html_url": self.html,
            "description": None,
            "fork": False,
            "url": self.repo,
            "branches_url": f"{self.repo}/branches{{/branch}}",
            "tags_url": f"{self.repo}/tags",
            "git_tags_url": f"{self.repo}/git/tags{{/sha}}",
            "git_refs_url": f"{self.repo}/git/refs{{/sha}}",
            "commits_url": f"{self.repo}/commits{{/sha}}",
            "git_commits_url": f"{self.repo}/git/commits{{/sha}}",
            "releases_url": f"{self.repo}/releases{{/id}}",
            "created_at": timestamp(self._created_at),
            "updated_at": timestamp(self._created_at),
            "pushed_at": timestamp(self._created_at),
            "archived": False,
            "disabled": False,
            "visibility": "public",
            "default_branch": self._default_branch,
            "permissions": {"admin": True, "maintain": True, "push": True, "triage": True, "pull": True},
        }

    def _html_tag(self, release: Release) -> str:
        """Drafts have no tag yet: GitHub shows them under `untagged-` and a hash."""
        if not release.draft:
            return quote(release.tag_name)
        return "untagged-" + hashlib.sha256(str(release.id).encode()).hexdigest()[:20]

    def asset(self, release: Release, asset: Asset) -> Document:
        return {
            "url": f"{self.repo}/releases/assets/{asset.id}",
            "id": asset.id,
            "node_id": node_id("012:ReleaseAsset", asset.id),
            "name": asset.name,
            "label": asset.label,
            "uploader": self.user(),
            "content_type": asset.content_type,
            "state": asset.state,
            "size": asset.size,
            "digest": asset.digest,
            "download_count": asset.download_count,
            "created_at": timestamp(asset.created_at),
            "updated_at": timestamp(asset.updated_at),
            "browser_download_url": f"{self.html}/releases/download/{self._html_tag(release)}/{quote(asset.name)}",
        }

    def release(self, release: Release) -> Document:
        url = f"{self.repo}/releases/{release.id}"
        tag = quote(release.tag_name)
        return {
            "url": url,
            "assets_url": f"{url}/assets",
            "upload_url": f"{self.uploads}/releases/{release.id}/assets{{?name,label}}",
            "html_url": f"{self.html}/releases/tag/{self._html_tag(release)}",
            "id": release.id,
            "author": self.user(),
            "node_id": node_id("07:Release", release.id),
            "tag_name": release.tag_name,
            "target_commitish": release.target_commitish,
            "name": release.name,
            "draft": release.draft,
            "immutable": release.immutable,
            "prerelease": release.prerelease,
            "created_at": timestamp(release.created_at),
            "updated_at": timestamp(release.updated_at),
            "published_at": timestamp(release.published_at) if release.published_at else None,
            "assets": [self.asset(release, asset) for asset in release.assets],
            "tarball_url": None if release.draft else f"{self.repo}/tarball/{tag}",
            "zipball_url": None if release.draft else f"{self.repo}/zipball/{tag}",
            "body": release.body,
        }
