"""Every scripted fault does what it says, and only to the requests it names."""

import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import httpx
import pytest
from github import GithubException, GithubRetry, RateLimitExceededException
from github.Repository import Repository

from sentiment_platform_tests.github_server.faults import Fault, FaultKind, secondary_rate_limit
from sentiment_platform_tests.github_server.rig import (
    TOKEN,
    plain_client,
    publish,
    repository_client,
    server_in,
)
from sentiment_platform_tests.github_server.scripted import ScriptedServer

MODEL = bytes(range(256)) * 40
STORAGE = r"/_storage/\d+/model"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ScriptedServer]:
    with server_in(tmp_path / "hub") as running:
        with repository_client(running.url) as repository:
            publish(repository, "deploy-000001", model=MODEL)
        running.requests.clear()
        yield running


@pytest.fixture
def repository(server: ScriptedServer) -> Iterator[Repository]:
    with repository_client(server.url) as client:
        yield client


@pytest.fixture
def client(server: ScriptedServer) -> Iterator[httpx.Client]:
    with plain_client(server.url) as plain:
        yield plain


def download(client: httpx.Client) -> httpx.Response:
    asset = client.get("/releases/latest").json()["assets"][0]
    return client.get(asset["url"], headers={"Accept": "application/octet-stream"}, follow_redirects=True)


def upload(repository: Repository, tag: str, content: bytes = b"x" * 1000) -> None:
    draft = next(r for r in repository.get_releases() if r.tag_name == tag)
    draft.upload_asset_from_memory(io.BytesIO(content), len(content), "model")


def states(repository: Repository, tag: str) -> list[tuple[str, int, str | None]]:
    draft = next(r for r in repository.get_releases() if r.tag_name == tag)
    return [(a.state, a.size, a.digest) for a in draft.get_assets()]


def test_a_fault_strikes_from_the_nth_match_on_and_as_often_as_told(server: ScriptedServer, client: httpx.Client) -> None:
    server.faults.add(Fault(kind="status", path="/releases/latest$", method="GET", nth=2, count=2, status=503))
    assert [client.get("/releases/latest").status_code for _ in range(5)] == [200, 503, 503, 200, 200]
    assert client.get("/tags").status_code == 200
    assert [r.fault for r in server.requests.all()].count("status") == 2


def test_a_fault_without_end_strikes_until_it_is_cleared(server: ScriptedServer, client: httpx.Client) -> None:
    server.faults.add(Fault(kind="status", path="/releases", count=0, status=500))
    assert {client.get("/releases").status_code for _ in range(4)} == {500}
    server.faults.clear()
    assert client.get("/releases").status_code == 200


def test_a_truncated_download_is_well_formed_but_short(server: ScriptedServer, client: httpx.Client) -> None:
    server.faults.add(Fault(kind="truncate_body", path=STORAGE, keep_bytes=100))
    assert download(client).content == MODEL[:100]
    assert download(client).content == MODEL


@pytest.mark.parametrize("bit", [0, 7, 4097, 8 * len(MODEL) - 1, 8 * len(MODEL)])
def test_exactly_one_bit_is_flipped(server: ScriptedServer, client: httpx.Client, bit: int) -> None:
    server.faults.add(Fault(kind="flip_bit", path=STORAGE, bit=bit))
    got = download(client).content
    assert len(got) == len(MODEL)
    assert sum((a ^ b).bit_count() for a, b in zip(got, MODEL, strict=True)) == 1


def test_a_download_is_replaced_by_a_page(server: ScriptedServer, client: httpx.Client) -> None:
    page = b"<html><body>Sign in</body></html>"
    server.faults.add(Fault(kind="replace_body", path=STORAGE, body=page, content_type="text/html"))
    reply = download(client)
    assert (reply.status_code, reply.content, reply.headers["content-type"]) == (200, page, "text/html")


def test_a_missing_file_is_404(server: ScriptedServer, client: httpx.Client) -> None:
    server.faults.add(Fault(kind="status", path=STORAGE, status=404))
    assert download(client).status_code == 404


def test_a_download_is_ten_times_its_declared_size(server: ScriptedServer, client: httpx.Client) -> None:
    server.faults.add(Fault(kind="inflate", path=STORAGE))
    assert download(client).content == MODEL * 10


@pytest.mark.parametrize("sent", [1, len(MODEL) // 2, len(MODEL) - 1])
def test_a_cut_download_ends_before_its_length(server: ScriptedServer, client: httpx.Client, sent: int) -> None:
    server.faults.add(Fault(kind="cut_connection", path=STORAGE, after_bytes=sent))
    with pytest.raises(httpx.RemoteProtocolError, match=f"received {sent} bytes, expected {len(MODEL)}"):
        download(client)
    assert download(client).content == MODEL


def test_a_slow_body_comes_in_pieces(server: ScriptedServer, client: httpx.Client) -> None:
    server.faults.add(Fault(kind="slow_body", path=STORAGE, chunk_bytes=len(MODEL) // 4, delay_s=0.05))
    begun = time.monotonic()
    assert download(client).content == MODEL
    assert time.monotonic() - begun >= 0.2


def test_a_stop_does_not_wait_for_a_slow_body(server: ScriptedServer, client: httpx.Client) -> None:
    server.faults.add(Fault(kind="slow_body", path="/releases/latest", chunk_bytes=1, delay_s=30))
    with client.stream("GET", "/releases/latest") as reply:
        assert reply.status_code == 200
        begun = time.monotonic()
        server.stop()
        assert time.monotonic() - begun < 2
        with pytest.raises(httpx.TransportError):
            reply.read()


def test_an_upload_may_be_stored_though_the_answer_is_502_and_its_retry_is_refused(
    server: ScriptedServer, repository: Repository
) -> None:
    repository.create_git_release("v1", "", "", draft=True)
    server.faults.add(Fault(kind="stored_then_502", path="/api/uploads/.*name=model", method="POST"))
    with pytest.raises(GithubException) as error:
        upload(repository, "v1")
    assert error.value.status == 502
    assert [(s, n) for s, n, _ in states(repository, "v1")] == [("uploaded", 1000)]
    with pytest.raises(GithubException) as error:
        upload(repository, "v1")
    assert (error.value.status, error.value.data["errors"][0]["code"]) == (422, "already_exists")


@pytest.mark.parametrize("kind", ["starter_then_502", "cut_upload"])
def test_a_failed_upload_leaves_a_starter_that_blocks_the_name_until_it_is_deleted(
    server: ScriptedServer, repository: Repository, kind: FaultKind
) -> None:
    draft = repository.create_git_release("v1", "", "", draft=True)
    server.faults.add(Fault(kind=kind, path="/api/uploads/", after_bytes=300))
    with pytest.raises(Exception, match=r"502|Connection"):
        upload(repository, "v1")
    assert states(repository, "v1") == [("starter", 0, None)]
    with pytest.raises(GithubException, match="422"):
        upload(repository, "v1")
    asset = draft.get_assets()[0]
    with pytest.raises(Exception, match="404"):
        asset.download_asset()
    asset.delete_asset()
    upload(repository, "v1")
    assert states(repository, "v1")[0][:2] == ("uploaded", 1000)


def test_an_upload_whose_sender_dies_leaves_a_starter(server: ScriptedServer, repository: Repository) -> None:
    import socket

    draft = repository.create_git_release("v1", "", "", draft=True)
    path = draft.upload_url.split("{")[0].partition(str(server.port))[2]
    with socket.create_connection(("127.0.0.1", server.port)) as sender:
        head = f"POST {path}?name=model HTTP/1.1\r\nHost: x\r\nAuthorization: token {TOKEN}\r\nContent-Length: 5000\r\n\r\n"
        sender.sendall(head.encode() + b"x" * 1200)
    deadline = time.monotonic() + 5
    while not any(r.path == path for r in server.requests.all()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert states(repository, "v1") == [("starter", 0, None)]


@pytest.mark.parametrize(("kind", "published"), [("cut_before", False), ("cut_connection", True)])
def test_a_publication_without_an_answer_may_or_may_not_have_happened(
    server: ScriptedServer, repository: Repository, kind: FaultKind, published: bool
) -> None:
    draft = repository.create_git_release("deploy-000002", "", "", draft=True)
    server.faults.add(Fault(kind=kind, path=r"/releases/\d+$", method="PATCH"))
    with pytest.raises(Exception, match="Connection aborted"):
        draft.update_release("", "", draft=False)
    assert (repository.get_latest_release().tag_name == "deploy-000002") is published
    assert server.requests.all()[-2].status == 0


def test_a_ref_may_exist_though_its_creator_saw_502(server: ScriptedServer, repository: Repository) -> None:
    sha = repository.get_branch("main").commit.sha
    server.faults.add(Fault(kind="stored_then_502", path="/git/refs$", method="POST"))
    with pytest.raises(GithubException, match="502"):
        repository.create_git_ref("refs/tags/deploy-000009", sha)
    with pytest.raises(GithubException, match="Reference already exists"):
        repository.create_git_ref("refs/tags/deploy-000009", sha)


@pytest.mark.parametrize("status", [403, 429])
def test_a_secondary_limit_says_when_to_come_back(
    server: ScriptedServer, client: httpx.Client, repository: Repository, status: Literal[403, 429]
) -> None:
    server.faults.add(secondary_rate_limit("/releases/latest", status=status, retry_after_s=7, count=2))
    reply = client.get("/releases/latest")
    assert (reply.status_code, reply.headers["retry-after"]) == (status, "7")
    assert "secondary rate limit" in reply.json()["message"]
    with pytest.raises(RateLimitExceededException if status == 403 else GithubException):
        repository.get_latest_release().complete()
    assert client.get("/releases/latest").status_code == 200


def test_the_retries_of_pygithub_turn_a_lost_answer_into_a_conflict(server: ScriptedServer) -> None:
    """What a publisher must expect from PyGithub as it is configured by default: it repeats a POST on its own."""
    from github import Auth, Github

    github = Github(auth=Auth.Token(TOKEN), base_url=server.url, retry=GithubRetry(total=2, backoff_factor=0))
    repository = github.get_repo("newsroom/models")
    server.faults.add(Fault(kind="stored_then_502", path="/releases$", method="POST"))
    with pytest.raises(GithubException) as error:
        repository.create_git_release("deploy-000002", "", "")
    github.close()
    assert error.value.status == 422
    assert [r.status for r in server.requests.all() if r.method == "POST"] == [502, 422]
