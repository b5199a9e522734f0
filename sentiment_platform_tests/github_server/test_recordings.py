"""The local server answers with the fields and types that api.github.com was recorded with.

Each kind of reply is held against every recording of it: the newest one fixes the set of fields, all of them together
fix the types, and no older one may have a field that is missing here.
"""

import ast
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from sentiment_platform.github_server import GithubServer
from sentiment_platform_tests.github_server.rig import plain_client, publish, repository_client, server_in

pytestmark = pytest.mark.shared_data
ROOT = Path(__file__).resolve().parents[2]
#: Fields that only some releases have: GitHub adds them when somebody reacts to a release or discusses it.
OPTIONAL = {"reactions", "mentions_count", "discussion_url"}


@dataclass(frozen=True)
class Recorded:
    method: str
    path: str
    status: int
    headers: dict[str, str]
    body: Any

    @property
    def date(self) -> float:
        return parsedate_to_datetime(self.headers["date"]).timestamp()


def read_pygithub(path: Path) -> Iterator[Recorded]:
    """Ten lines a reply: scheme, method, host, port, path, headers and body sent, status, headers and body received."""
    lines = path.read_text(encoding="utf-8").split("\n")
    starts = [
        i for i in range(len(lines) - 9) if lines[i] in ("http", "https") and lines[i + 1] in ("GET", "POST", "PATCH", "DELETE")
    ]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        headers = {name.lower(): value for name, value in ast.literal_eval(lines[start + 8])}
        body = "\n".join(lines[start + 9 : end]).strip()
        structured = headers.get("content-type", "").startswith("application/json") and body
        yield Recorded(
            lines[start + 1], lines[start + 4], int(lines[start + 7]), headers, json.loads(body) if structured else body
        )


def read_octokit(path: Path) -> Iterator[Recorded]:
    for entry in json.loads(path.read_text(encoding="utf-8")):
        headers = {name.lower(): str(value) for name, value in entry["headers"].items()}
        yield Recorded(entry["method"].upper(), entry["path"], entry["status"], headers, entry["response"])


@pytest.fixture(scope="module")
def recordings() -> list[Recorded]:
    shared = Path(os.environ.get("SENTIMENT_SHARED_DATA") or ROOT.parent / "shared" / "data")
    folder = shared / "github_releases"
    if not folder.is_dir():
        pytest.skip(f"no recorded replies at {folder}")
    found = [r for path in sorted(folder.glob("pygithub/*.txt")) for r in read_pygithub(path)]
    found += [r for path in sorted(folder.glob("octokit_fixtures/*/*/normalized-fixture.json")) for r in read_octokit(path)]
    assert len(found) > 100
    return found


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with server_with_a_release(tmp_path_factory.mktemp("hub")) as server, plain_client(server.url) as plain:
        yield plain


def server_with_a_release(folder: Path) -> GithubServer:
    server = server_in(folder).start()
    with repository_client(server.url) as repository:
        publish(repository, "v1.0.0", model=b"bytes")
    return server


def kind_of(value: object) -> str:
    names: dict[type, str] = {bool: "boolean", int: "number", str: "string", list: "array", dict: "object"}
    return "null" if value is None else names[type(value)]


def bodies(recordings: list[Recorded], fields: set[str]) -> list[dict[str, Any]]:
    """Every object in the recordings, however deep, that has these fields; the newest reply first."""
    found: list[dict[str, Any]] = []

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if fields <= set(value):
                found.append(value)
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    for recorded in sorted((r for r in recordings if "date" in r.headers), key=lambda r: r.date, reverse=True):
        walk(recorded.body)
    return found


def compare(mine: dict[str, Any], recorded: list[dict[str, Any]]) -> list[str]:
    """What is wrong with `mine`; empty when it has the fields of the newest recording and the types of them all."""
    types: dict[str, set[str]] = {}
    for document in recorded:
        for name, value in document.items():
            types.setdefault(name, set()).add(kind_of(value))
    problems = [f"{name} is missing" for name in types if name not in mine and name not in OPTIONAL]
    problems += [f"{name} is not in the newest recording" for name in mine if name not in recorded[0]]
    return problems + [
        f"{name} is {kind_of(value)}, recorded {sorted(types[name])}"
        for name, value in mine.items()
        if name in types and kind_of(value) not in types[name]
    ]


RELEASE = {"tag_name", "target_commitish", "assets"}
ASSET = {"browser_download_url", "uploader", "state"}
USER = {"login", "gists_url", "site_admin"}


def test_a_release_has_the_recorded_fields_and_types(recordings: list[Recorded], client: httpx.Client) -> None:
    recorded = bodies(recordings, RELEASE)
    assert len(recorded) > 20
    for path in ("/releases/latest", "/releases/tags/v1.0.0"):
        assert compare(client.get(path).json(), recorded) == []
    assert compare(client.get("/releases").json()[0], recorded) == []
    created = client.post("/releases", json={"tag_name": "v1.0.1", "name": "n", "body": "b"})
    assert compare(created.json(), recorded) == []
    edited = client.patch(created.json()["url"], json={"name": "other"})
    assert compare(edited.json(), recorded) == []


def test_an_asset_has_the_recorded_fields_and_types(recordings: list[Recorded], client: httpx.Client) -> None:
    recorded = bodies(recordings, ASSET)
    assert len(recorded) > 20
    release = client.get("/releases/latest").json()
    for asset in (client.get("/releases/tags/v1.0.0").json()["assets"][0], client.get(release["assets_url"])):
        documents = asset.json() if isinstance(asset, httpx.Response) else [asset]
        for document in documents:
            assert compare(document, recorded) == []
            assert compare(document["uploader"], bodies(recordings, USER)[:1]) == []
    url = release["upload_url"].split("{")[0]
    uploaded = client.post(url, params={"name": "more", "label": "l"}, content=b"bytes")
    assert compare(uploaded.json(), recorded) == []
    digests = [a["digest"] for a in recorded if a.get("digest")]
    assert {d.partition(":")[0] for d in digests} == {uploaded.json()["digest"].partition(":")[0]} == {"sha256"}


def test_the_comparison_sees_a_missing_a_foreign_and_a_mistyped_field(recordings: list[Recorded], client: httpx.Client) -> None:
    recorded, mine = bodies(recordings, RELEASE), client.get("/releases/tags/v1.0.0").json()
    assert compare({k: v for k, v in mine.items() if k != "immutable"}, recorded) == ["immutable is missing"]
    assert compare({**mine, "colour": "red"}, recorded) == ["colour is not in the newest recording"]
    assert compare({**mine, "draft": "no"}, recorded) == ["draft is string, recorded ['boolean']"]


def test_an_unknown_release_is_refused_as_recorded(recordings: list[Recorded], client: httpx.Client) -> None:
    recorded = [r for r in recordings if r.status == 404]
    assert recorded
    reply = client.get("/releases/999999")
    assert reply.status_code == 404
    assert compare(reply.json(), [r.body for r in recorded]) == []
    assert reply.json()["message"] == recorded[0].body["message"]


def test_a_taken_asset_name_is_refused_as_recorded(recordings: list[Recorded], client: httpx.Client) -> None:
    recorded = next(r for r in recordings if r.status == 422 and "/assets" in r.path)
    url = client.get("/releases/tags/v1.0.0").json()["upload_url"].split("{")[0]
    reply = client.post(url, params={"name": "model"}, content=b"again")
    assert reply.status_code == 422
    assert compare(reply.json(), [recorded.body]) == []
    assert (reply.json()["message"], reply.json()["errors"]) == (recorded.body["message"], recorded.body["errors"])
    assert "x-ratelimit-limit" not in reply.headers
    assert "x-ratelimit-limit" not in recorded.headers


def test_an_invalid_field_is_refused_as_recorded(recordings: list[Recorded], client: httpx.Client) -> None:
    recorded = next(r for r in recordings if r.status == 422 and "/assets" not in r.path)
    reply = client.post("/releases", json={"tag_name": "v9", "target_commitish": "nowhere"})
    assert reply.status_code == 422
    assert compare(reply.json(), [recorded.body]) == []
    assert compare(reply.json()["errors"][0], recorded.body["errors"]) == []
    assert reply.json()["errors"][0]["code"] == recorded.body["errors"][0]["code"] == "invalid"


def test_tags_commits_and_tag_objects_have_the_recorded_fields_and_types(
    recordings: list[Recorded], client: httpx.Client
) -> None:
    commits = bodies(recordings, {"sha", "commit", "comments_url"})
    mine = client.get("/commits").json()[0]
    assert compare(mine, commits) == []
    # Our commits are unsigned: their signature is null where the recorded one has text.
    assert set(mine["commit"]) == set(commits[0]["commit"])
    assert set(mine["commit"]["verification"]) == set(commits[0]["commit"]["verification"])
    wanted = {"tag": "v2", "message": "m", "object": mine["sha"]}
    tag_objects = bodies(recordings, {"tagger", "tag", "object"})
    assert compare(client.post("/git/tags", json={**wanted, "type": "commit"}).json(), tag_objects) == []
    listed = next(r for r in recordings if r.path.endswith("/tags") and r.method == "GET")
    tag = client.get("/tags").json()[0]
    assert set(listed.body[0]) <= set(tag)
    assert {name: kind_of(tag[name]) for name in listed.body[0]} == {n: kind_of(v) for n, v in listed.body[0].items()}


def test_the_object_of_a_ref_has_the_fields_recorded_for_the_object_of_a_tag(
    recordings: list[Recorded], client: httpx.Client
) -> None:
    """No reply for a ref was recorded; its `object` is the same kind of document as a tag object's."""
    recorded = [t["object"] for t in bodies(recordings, {"tagger", "tag", "object"})]
    sha = client.get("/commits").json()[0]["sha"]
    created = client.post("/git/refs", json={"ref": "refs/tags/r", "sha": sha})
    assert created.status_code == 201
    for ref in (created.json(), client.get("/git/ref/tags/r").json()):
        assert {name: kind_of(value) for name, value in ref.items()} == {
            "ref": "string",
            "node_id": "string",
            "url": "string",
            "object": "object",
        }
        assert compare(ref["object"], recorded) == []


def test_statuses_and_headers_are_as_recorded(recordings: list[Recorded], client: httpx.Client) -> None:
    def newest(method: str, part: str, status: int) -> Recorded:
        return max(
            (r for r in recordings if r.method == method and part in r.path and r.status == status and "date" in r.headers),
            key=lambda r: r.date,
        )

    created = client.post("/releases", json={"tag_name": "v5", "draft": True})
    release = client.get(created.json()["url"])
    deleted = client.delete(created.json()["url"])
    asset = client.get("/releases/tags/v1.0.0").json()["assets"][0]["url"]
    redirect = client.get(asset, headers={"Accept": "application/octet-stream"})
    stored = client.get(redirect.headers["location"])
    pairs = [
        (newest("POST", "/releases", 201), created, {"location", "etag"}),
        (newest("GET", "/releases/", 200), release, {"etag", "cache-control", "vary"}),
        (newest("DELETE", "/releases/", 204), deleted, set[str]()),
        (newest("GET", "/releases/assets/", 302), redirect, {"location", "content-type"}),
        (newest("GET", "/github-production-release-asset", 200), stored, {"content-type", "content-disposition", "etag"}),
    ]
    for recorded, reply, names in pairs:
        assert reply.status_code == recorded.status
        names |= {n for n in recorded.headers if n.startswith("x-ratelimit-")}
        assert names <= set(recorded.headers)
        assert names <= set(reply.headers)
    for name in ("limit", "remaining", "reset", "used"):
        assert release.headers[f"x-ratelimit-{name}"].isdigit()
    assert release.headers["x-ratelimit-resource"] == "core"
    assert stored.headers["content-type"] == pairs[4][0].headers["content-type"]
