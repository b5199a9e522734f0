"""Tokens, quotas, conditional requests, paging links and redirects, seen through plain HTTP."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from sentiment_platform_tests.github_server.rig import (
    READ_TOKEN,
    REPOSITORY,
    HandClock,
    plain_client,
    publish,
    repository_client,
    server_in,
)
from sentiment_platform_tests.github_server.scripted import ScriptedServer

OCTETS = {"Accept": "application/octet-stream"}


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def server(tmp_path: Path, clock: HandClock) -> Iterator[ScriptedServer]:
    with server_in(tmp_path / "hub", clock=clock) as running:
        with repository_client(running.url) as repository:
            publish(repository, "deploy-000001", model=b"the weights")
        running.requests.clear()
        yield running


@pytest.fixture
def client(server: ScriptedServer) -> Iterator[httpx.Client]:
    with plain_client(server.url) as plain:
        yield plain


def used(reply: httpx.Response) -> int:
    return int(reply.headers["x-ratelimit-used"])


def test_an_unchanged_answer_is_304_without_a_body_and_free_with_a_token(server: ScriptedServer, client: httpx.Client) -> None:
    first = client.get("/releases/latest")
    again = client.get("/releases/latest", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert used(again) == used(first)
    other = client.get("/releases/latest", headers={"If-None-Match": '"something else"'})
    assert (other.status_code, used(other)) == (200, used(first) + 1)
    assert server.requests.counted() == 2


def test_the_etag_of_latest_changes_with_its_content(server: ScriptedServer, client: httpx.Client) -> None:
    etags = [client.get("/releases/latest").headers["etag"]]
    with repository_client(server.url) as repository:
        repository.get_release("deploy-000001").update_release("renamed", "")
        etags.append(client.get("/releases/latest").headers["etag"])
        repository.get_release("deploy-000001").assets[0].update_asset("other")
        etags.append(client.get("/releases/latest").headers["etag"])
        publish(repository, "deploy-000002")
        reply = client.get("/releases/latest", headers={"If-None-Match": etags[-1]})
    assert (reply.status_code, reply.json()["tag_name"]) == (200, "deploy-000002")
    assert len({*etags, reply.headers["etag"]}) == 4


def test_an_anonymous_304_is_charged(server: ScriptedServer) -> None:
    with plain_client(server.url, token=None) as anonymous:
        first = anonymous.get("/releases/latest")
        again = anonymous.get("/releases/latest", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, used(again)) == (304, used(first) + 1)


def test_the_quota_of_60_without_a_token_ends_in_403_until_the_hour_is_over(
    server: ScriptedServer, client: httpx.Client, clock: HandClock
) -> None:
    with plain_client(server.url, token=None) as anonymous:
        answers = [anonymous.get("/tags") for _ in range(60)]
        assert {a.status_code for a in answers} == {200}
        assert [a.headers["x-ratelimit-limit"] for a in answers[:1]] == ["60"]
        assert answers[-1].headers["x-ratelimit-remaining"] == "0"
        refused = anonymous.get("/tags")
        assert refused.status_code == 403
        assert refused.json()["message"].startswith("API rate limit exceeded")
        assert int(refused.headers["x-ratelimit-reset"]) == int((clock() + timedelta(hours=1)).timestamp())
        assert client.get("/tags").status_code == 200, "the token has a quota of its own"
        clock.advance(timedelta(hours=1))
        assert anonymous.get("/tags").status_code == 200


def test_the_rate_limit_itself_can_be_asked_for_free(server: ScriptedServer, client: httpx.Client) -> None:
    before = client.get(f"{server.url}/rate_limit").json()["rate"]
    after = client.get(f"{server.url}/rate_limit").json()["rate"]
    assert before == after
    assert before["limit"] == 5000
    assert before["used"] + before["remaining"] == 5000


def test_the_quota_of_an_actions_token_can_be_set(tmp_path: Path) -> None:
    with server_in(tmp_path, hourly_limit=1000) as server, plain_client(server.url) as client:
        assert client.get("/tags").headers["x-ratelimit-limit"] == "1000"


def test_a_wrong_token_is_401_and_a_missing_one_may_read_but_not_write(server: ScriptedServer) -> None:
    with plain_client(server.url, token="guessed") as wrong:
        reply = wrong.get("/releases/latest")
        assert (reply.status_code, reply.json()["message"]) == (401, "Bad credentials")
        assert reply.headers["x-ratelimit-limit"] == "60"
    with plain_client(server.url, token=None) as anonymous:
        assert anonymous.get("/releases/latest").status_code == 200
        reply = anonymous.post("/releases", json={"tag_name": "v1"})
        assert (reply.status_code, reply.json()["message"]) == (401, "Requires authentication")
    with plain_client(server.url, token=READ_TOKEN) as reader:
        assert reader.get("/releases/latest").headers["x-ratelimit-limit"] == "5000"
        assert reader.post("/releases", json={"tag_name": "v1"}).status_code == 403
        assert reader.delete("/git/refs/tags/deploy-000001").status_code == 403
    assert [r.authorization for r in server.requests.all()] == ["refused", "absent", "absent", *["accepted"] * 3]


def test_an_asset_is_downloaded_through_a_redirect_whose_link_opens_once(
    client: httpx.Client, server: ScriptedServer, clock: HandClock
) -> None:
    asset = client.get("/releases/latest").json()["assets"][0]
    redirect = client.get(asset["url"], headers=OCTETS)
    assert (redirect.status_code, redirect.content) == (302, b"")
    link = redirect.headers["location"]
    # PyGithub follows a redirect on its own host only below /api/.
    assert urlsplit(link).path.startswith("/api/")
    stored = httpx.get(link)
    assert (stored.status_code, stored.content, stored.headers["content-length"]) == (200, b"the weights", "11")
    assert httpx.get(link).status_code == 403
    assert httpx.get(link.replace("sig=", "sig=x")).status_code == 403
    late = client.get(asset["url"], headers=OCTETS).headers["location"]
    clock.advance(timedelta(minutes=6))
    assert httpx.get(late).status_code == 403
    assert httpx.get(asset["browser_download_url"], follow_redirects=True).content == b"the weights"
    shown = httpx.get(client.get("/releases/latest").json()["html_url"], follow_redirects=True).json()
    assert shown["assets"][0]["id"] == asset["id"], "in the place of GitHub's page: the release"
    storage = [r for r in server.requests.all() if "/_storage/" in r.path]
    assert {(r.authorization, r.counted) for r in storage} == {("absent", False)}


def test_a_page_links_to_its_neighbours_by_repository_number(client: httpx.Client, server: ScriptedServer) -> None:
    with repository_client(server.url) as repository:
        for number in range(2, 8):
            repository.create_git_release(f"deploy-{number:06}", "", "")
    middle = client.get("/releases", params={"per_page": 3, "page": 2})
    links = middle.links
    assert set(links) == {"prev", "next", "last", "first"}
    assert f"/repositories/{client.get(f'{server.url}/repos/{REPOSITORY}').json()['id']}/releases?" in links["next"]["url"]
    last = client.get(links["next"]["url"])
    assert (len(last.json()), set(last.links)) == (1, {"prev", "first"})
    assert "link" not in client.get("/releases").headers
    assert client.get("/releases", params={"per_page": "many", "page": "-1"}).status_code == 200
    assert client.get("/releases", params={"page": 99}).json() == []


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("GET", "/releases/999999", None, 404),
        ("GET", "/nothing", None, 404),
        ("GET", "/releases/tags/none", None, 404),
        ("DELETE", "/releases/999999", None, 404),
        ("POST", "/releases", b"{", 400),
        ("POST", "/releases", b"\xff\xfe", 400),
        ("POST", "/releases", b"[]", 422),
        ("POST", "/releases", b"{}", 422),
        ("POST", "/releases", b'{"tag_name": 7}', 422),
        ("POST", "/releases", b'{"tag_name":"v1","make_latest":"perhaps"}', 422),
        ("POST", "/git/refs", b'{"ref":"refs/tags/x"}', 422),
        ("POST", "/releases", b" " * (2 * 1024**2), 413),
        ("PUT", "/releases", b"{}", 404),
    ],
)
def test_a_bad_request_is_a_client_error_that_leaves_the_server_alive(
    client: httpx.Client, method: str, path: str, content: bytes | None, status: int
) -> None:
    reply = client.request(method, path, content=content)
    assert reply.status_code == status
    assert reply.json()["message"]
    assert client.get("/releases/latest").status_code == 200


@pytest.mark.parametrize(("name", "content", "status"), [("", b"x", 422), ("empty", b"", 400), ("model", b"x", 422)])
def test_an_upload_without_name_or_bytes_or_under_a_taken_name_is_refused(
    client: httpx.Client, name: str, content: bytes, status: int
) -> None:
    release = client.get("/releases/latest").json()
    url = release["upload_url"].split("{")[0]
    assert client.post(url, params={"name": name}, content=content).status_code == status
    assert [a["name"] for a in client.get("/releases/latest").json()["assets"]] == ["model"]


def test_an_upload_of_unknown_length_is_refused(client: httpx.Client) -> None:
    url = client.get("/releases/latest").json()["upload_url"].split("{")[0]
    assert client.post(url, params={"name": "x"}, content=iter([b"chunk"])).status_code == 400


def test_one_connection_serves_many_requests_and_head_has_no_body(client: httpx.Client) -> None:
    reply = client.head("/releases/latest")
    assert (reply.status_code, reply.content) == (200, b"")
    assert int(reply.headers["content-length"]) > 100
    stream = client.get("/releases/latest").extensions["network_stream"]
    same = client.get("/releases/latest").extensions["network_stream"]
    assert stream.get_extra_info("client_addr") == same.get_extra_info("client_addr")


def test_another_repository_is_not_there(server: ScriptedServer, client: httpx.Client) -> None:
    assert client.get(f"{server.url}/repos/{REPOSITORY}-else/releases").status_code == 404
    assert client.get(f"{server.url}/repos/{REPOSITORY.upper()}/releases").status_code == 200
