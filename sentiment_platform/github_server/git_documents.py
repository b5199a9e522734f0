"""The JSON documents of refs, tags, branches and commits, as `documents` has those of releases."""

from datetime import datetime
from urllib.parse import quote

from sentiment_platform.github_server.documents import Document, Documents, node_id, timestamp
from sentiment_platform.github_server.records import TagObject


class GitDocuments:
    """Writes the documents of the repository that `site` belongs to."""

    def __init__(self, site: Documents, login: str) -> None:
        self._site = site
        self._login = login

    def ref(self, ref: str, sha: str, *, annotated: bool) -> Document:
        kind = "tag" if annotated else "commit"
        return {
            "ref": ref,
            "node_id": node_id("03:Ref", ref),
            "url": f"{self._site.repo}/git/{quote(ref)}",
            "object": {"sha": sha, "type": kind, "url": f"{self._site.repo}/git/{kind}s/{sha}"},
        }

    def tag_object(self, tag: TagObject) -> Document:
        return {
            "node_id": node_id("03:Tag", tag.sha),
            "sha": tag.sha,
            "url": f"{self._site.repo}/git/tags/{tag.sha}",
            "tagger": _signature(self._login, tag.tagged_at),
            "object": {"sha": tag.object_sha, "type": "commit", "url": f"{self._site.repo}/git/commits/{tag.object_sha}"},
            "tag": tag.tag,
            "message": tag.message,
            "verification": {"verified": False, "reason": "unsigned", "signature": None, "payload": None},
        }

    def tag(self, name: str, sha: str) -> Document:
        return {
            "name": name,
            "zipball_url": f"{self._site.repo}/zipball/refs/tags/{quote(name)}",
            "tarball_url": f"{self._site.repo}/tarball/refs/tags/{quote(name)}",
            "commit": {"sha": sha, "url": f"{self._site.repo}/commits/{sha}"},
            "node_id": node_id("03:Ref", f"refs/tags/{name}"),
        }

    def branch(self, name: str, sha: str, date: datetime) -> Document:
        return {"name": name, "commit": self.commit(sha, date), "protected": False}

    def git_commit(self, sha: str, date: datetime) -> Document:
        return {
            "sha": sha,
            "node_id": node_id("06:Commit", sha),
            "url": f"{self._site.repo}/git/commits/{sha}",
            "html_url": f"{self._site.html}/commit/{sha}",
            "author": _signature(self._login, date),
            "committer": _signature(self._login, date),
            "message": "Initial commit",
            "tree": {"sha": sha, "url": f"{self._site.repo}/git/trees/{sha}"},
            "parents": [],
            "verification": {"verified": False, "reason": "unsigned", "signature": None, "payload": None},
        }

    def commit(self, sha: str, date: datetime) -> Document:
        return {
            "sha": sha,
            "node_id": node_id("06:Commit", sha),
            "commit": {
                "author": _signature(self._login, date),
                "committer": _signature(self._login, date),
                "message": "Initial commit",
                "tree": {"sha": sha, "url": f"{self._site.repo}/git/trees/{sha}"},
                "url": f"{self._site.repo}/git/commits/{sha}",
                "comment_count": 0,
                "verification": {"verified": False, "reason": "unsigned", "signature": None, "payload": None},
            },
            "url": f"{self._site.repo}/commits/{sha}",
            "html_url": f"{self._site.html}/commit/{sha}",
            "comments_url": f"{self._site.repo}/commits/{sha}/comments",
            "author": self._site.user(),
            "committer": self._site.user(),
            "parents": [],
        }


def _signature(login: str, date: datetime) -> Document:
    return {"name": login, "email": f"{login}@users.noreply.localhost", "date": timestamp(date)}
