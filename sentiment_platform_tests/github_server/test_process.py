"""The server as a process of its own: how a supervisor starts, stops and kills it."""

import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from sentiment_platform.errors import ConflictError, PermanentError
from sentiment_platform.github_server import GithubServer
from sentiment_platform_tests.github_server.rig import READ_TOKEN, REPOSITORY, TOKEN, plain_client, publish, repository_client

DEADLINE_S = 20


def command(folder: Path, *options: str) -> list[str]:
    where = ["--state", str(folder / "hub"), "--port-file", str(folder / "port")]
    module = "sentiment_platform.github_server"
    return [sys.executable, "-m", module, *where, "--repository", REPOSITORY, *options]


def wait_for_port(folder: Path) -> int:
    deadline = time.monotonic() + DEADLINE_S
    while not (folder / "port").exists():
        assert time.monotonic() < deadline, "the server did not come up"
        time.sleep(0.02)
    return int((folder / "port").read_text())


@contextmanager
def process(folder: Path, *options: str) -> Generator[tuple[subprocess.Popen[bytes], str]]:
    (folder / "port").unlink(missing_ok=True)
    child = subprocess.Popen(command(folder, *options), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert child.stdin is not None
    with child.stdin:
        child.stdin.write(f"{TOKEN}\n{READ_TOKEN}\n".encode())
    try:
        yield child, f"http://127.0.0.1:{wait_for_port(folder)}/api/v3"
    finally:
        child.kill()
        child.wait()


def test_sigterm_ends_it_with_status_0_and_a_new_one_goes_on(tmp_path: Path) -> None:
    with process(tmp_path) as (child, url):
        with repository_client(url) as repository:
            publish(repository, "deploy-000001", model=b"bytes")
        child.send_signal(signal.SIGTERM)
        assert child.wait(DEADLINE_S) == 0
    with process(tmp_path) as (_, url), plain_client(url) as client:
        assert client.get("/releases/latest").json()["tag_name"] == "deploy-000001"


def test_its_tokens_are_what_it_was_told_and_no_other_user_sees_them(tmp_path: Path) -> None:
    with process(tmp_path) as (child, url):
        shown = [(Path("/proc") / str(child.pid) / name).read_bytes() for name in ("cmdline", "environ")]
        assert b"sentiment_platform.github_server" in shown[0]
        assert not [text for text in shown if TOKEN.encode() in text or READ_TOKEN.encode() in text]
        draft = {"tag_name": "v1", "draft": True}
        statuses: list[int] = []
        for token in (TOKEN, READ_TOKEN, "another"):
            with plain_client(url, token) as client:
                statuses += [client.get("/releases").status_code, client.post("/releases", json=draft).status_code]
    assert statuses == [200, 201, 200, 403, 401, 401]


def test_a_server_that_is_told_no_token_does_not_start(tmp_path: Path) -> None:
    done = subprocess.run(command(tmp_path), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE_S)
    assert done.returncode == 1
    assert "oken" in done.stderr


@pytest.mark.parametrize("token", [TOKEN, READ_TOKEN, None])
def test_nobody_scripts_faults_or_reads_a_log_over_http(tmp_path: Path, token: str | None) -> None:
    with process(tmp_path) as (_, url), plain_client(url, token) as client:
        base = url.removesuffix("/api/v3")
        fault = {"kind": "status", "path": "/releases"}
        paths = [f"{base}/_control{path}" for path in ("", "/faults", "/requests")] + [f"{url}/_control/faults"]
        statuses = [
            client.request(method, path, json=fault).status_code for path in paths for method in ("GET", "POST", "DELETE")
        ]
        assert set(statuses) == {404}
        assert client.get("/releases").status_code == 200


def test_a_kill_in_an_upload_leaves_a_starter_and_no_bytes(tmp_path: Path) -> None:
    with process(tmp_path) as (child, url), plain_client(url) as client:
        draft = client.post("/releases", json={"tag_name": "v1", "draft": True}).json()

        def body() -> Iterator[bytes]:
            yield b"x" * 500_000
            with plain_client(url) as observer:
                deadline = time.monotonic() + DEADLINE_S
                while not observer.get(f"/releases/{draft['id']}/assets").json():
                    assert time.monotonic() < deadline
            child.kill()
            child.wait()
            yield b"x" * 500_000

        upload_url = draft["upload_url"].split("{")[0]
        with pytest.raises(httpx.TransportError):
            client.post(upload_url, params={"name": "model"}, content=body(), headers={"Content-Length": "1000000"})
    with process(tmp_path) as (_, url), plain_client(url) as client:
        assets = client.get(f"/releases/{draft['id']}").json()["assets"]
    assert [(a["name"], a["state"], a["size"]) for a in assets] == [("model", "starter", 0)]
    assert list((tmp_path / "hub" / "incoming").iterdir()) == []
    assert list((tmp_path / "hub" / "blobs").iterdir()) == []


def test_a_folder_serves_one_server_and_one_repository(tmp_path: Path) -> None:
    with GithubServer(tmp_path, REPOSITORY, TOKEN) as running:
        with pytest.raises(ConflictError, match="already uses"):
            GithubServer(tmp_path, REPOSITORY, TOKEN).start()
        with pytest.raises(PermanentError, match="Choose another port"):
            GithubServer(tmp_path / "other", REPOSITORY, TOKEN, running.port).start()
    with pytest.raises(PermanentError, match="newsroom/models"):
        GithubServer(tmp_path, "newsroom/other", TOKEN).start()
    (tmp_path / "repository.json").write_text("{")
    with pytest.raises(PermanentError, match="not readable"):
        GithubServer(tmp_path, REPOSITORY, TOKEN).start()


@pytest.mark.parametrize(("repository", "token"), [("models", "t"), ("a/b/c", "t"), ("/b", "t"), ("a/b", "")])
def test_a_server_needs_a_repository_and_a_token(tmp_path: Path, repository: str, token: str) -> None:
    with pytest.raises(PermanentError):
        GithubServer(tmp_path, repository, token)


def test_only_loopback_is_listened_on(tmp_path: Path) -> None:
    with GithubServer(tmp_path, REPOSITORY, TOKEN) as running:
        listening = Path("/proc/net/tcp").read_text().splitlines()[1:]
        mine = [line.split()[1] for line in listening if line.split()[1].endswith(f":{running.port:04X}")]
        assert "0100007F" in {entry.partition(":")[0] for entry in mine}
        assert "00000000" not in {entry.partition(":")[0] for entry in mine}
