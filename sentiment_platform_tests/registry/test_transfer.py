"""Claims about where the token goes, and which addresses are read."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sentiment_platform.errors import TransientError
from sentiment_platform.registry.documents import digest
from sentiment_platform.registry.reader import LatestDeployment, RegistryReader
from sentiment_platform.registry.refusal import Refused
from sentiment_platform.registry.releases import ReleaseRegistry
from sentiment_platform.registry.signing import PrivateKeys
from sentiment_platform.registry.transfer import Limits, Transfer
from sentiment_platform_tests.github_server.faults import Fault
from sentiment_platform_tests.github_server.scripted import ScriptedServer
from sentiment_platform_tests.registry.conftest import READ_TOKEN, MakeReader
from sentiment_platform_tests.registry.examples import FILES, deployment_of, manifest_of, write_files


class OtherHost(ThreadingHTTPServer):
    """Another origin: it remembers what it was asked, and redirects `/hop/N` N times."""

    daemon_threads = True

    def __init__(self, body: bytes) -> None:
        self.seen: list[tuple[str, str | None]] = []
        super().__init__(("127.0.0.1", 0), _handler(body))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


def _handler(body: bytes) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server = self.server
            assert isinstance(server, OtherHost)
            server.seen.append((self.path, self.headers.get("Authorization")))
            hops = int(self.path.removeprefix("/hop/")) if self.path.startswith("/hop/") else 0
            self.send_response(302 if hops else 200)
            if hops:
                self.send_header("Location", f"/hop/{hops - 1}")
            self.send_header("Content-Length", "0" if hops else str(len(body)))
            self.end_headers()
            if not hops:
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    return Handler


@pytest.fixture
def other_host() -> Iterator[OtherHost]:
    host = OtherHost(FILES["model.json"])
    thread = threading.Thread(target=host.serve_forever, args=(0.05,))
    thread.start()
    yield host
    host.shutdown()
    thread.join()
    host.server_close()


@pytest.fixture
def transfer() -> Iterator[Transfer]:
    # Nothing answers here; the tests below read other addresses.
    opened = Transfer("http://127.0.0.1:9/api/v3", "secret", Limits(connect_s=1, read_s=1, total_s=5))
    yield opened
    opened.close()


def test_the_token_is_not_sent_to_another_host_that_a_download_redirects_to(
    tmp_path: Path,
    server: ScriptedServer,
    registry: ReleaseRegistry,
    reader: RegistryReader,
    keys: PrivateKeys,
    other_host: OtherHost,
) -> None:
    model = registry.publish_model(write_files(tmp_path / "model"), manifest_of(), keys)
    server.requests.clear()
    redirect = {"Location": f"{other_host.url}/bucket/model.json?sig=1"}
    asset = _asset_path(server, "model.json")
    server.faults.add(Fault(kind="status", path=asset, status=302, headers=redirect, body=b""))
    assert reader.fetch_model("v1.0.0-vader", model.manifest_digest, tmp_path / "cache") == manifest_of()
    assert other_host.seen == [("/bucket/model.json?sig=1", None)]
    to_api = {record.authorization for record in server.requests.all() if record.path.startswith("/api/v3")}
    assert to_api == {"accepted"}, "negative control: the API itself does get the token"


def _asset_path(server: ScriptedServer, name: str) -> str:
    import httpx

    release = httpx.get(
        f"{server.url}/repos/acme/registry/releases/tags/v1.0.0-vader", headers={"Authorization": f"Bearer {READ_TOKEN}"}
    ).json()
    return next(f"/releases/assets/{asset['id']}$" for asset in release["assets"] if asset["name"] == name)


@pytest.mark.parametrize(
    "location",
    [
        "http://example.org/model.json",
        "http://127.0.0.1.example.org/x",
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "https://user:word@example.org/x",
        "http://[::ffff:10.0.0.1]/x",
        "https:///x",
        "//example.org/x",
        "http://127.0.0.1:99999/x",
    ],
)
def test_an_unsafe_redirect_is_refused_without_a_request(server: ScriptedServer, reader: RegistryReader, location: str) -> None:
    server.faults.add(Fault(kind="status", path="/releases/latest", status=302, headers={"Location": location}, body=b""))
    with pytest.raises(Refused) as refused:
        reader.poll_latest()
    assert refused.value.reason == "unsafe_url"


def test_plain_http_is_only_for_loopback(transfer: Transfer, other_host: OtherHost) -> None:
    with pytest.raises(Refused, match="https"):
        Transfer("http://github.example.org/api/v3", "", Limits())
    with pytest.raises(Refused, match="https"):
        transfer.get_bytes("http://192.0.2.1/x", max_bytes=10)
    remote = Transfer("https://api.github.com", "secret", Limits())
    with pytest.raises(Refused, match="https"):
        remote.get_bytes(f"{other_host.url}/x", max_bytes=10**6)
    remote.close()
    assert other_host.seen == [], "an API on the internet cannot point us at our own loopback"


def test_a_few_redirects_are_followed_and_a_loop_is_not(transfer: Transfer, other_host: OtherHost) -> None:
    assert transfer.get_bytes(f"{other_host.url}/hop/5", max_bytes=10**6) == FILES["model.json"]
    with pytest.raises(TransientError, match="redirects"):
        transfer.get_bytes(f"{other_host.url}/hop/6", max_bytes=10**6)
    assert {authorization for _, authorization in other_host.seen} == {None}


def test_a_body_is_cut_off_at_its_cap(transfer: Transfer, other_host: OtherHost) -> None:
    content = FILES["model.json"]
    assert transfer.get_bytes(other_host.url, max_bytes=len(content)) == content
    assert transfer.download(other_host.url, size=len(content), deadline=transfer.deadline()) == digest(content)
    for size in (len(content) - 1, 1):
        with pytest.raises(Refused) as refused:
            transfer.get_bytes(other_host.url, max_bytes=size)
        assert refused.value.reason == "size"
    with pytest.raises(Refused, match="arrived"):
        transfer.download(other_host.url, size=len(content) + 1, deadline=transfer.deadline())


def test_nobody_listening_is_transient(transfer: Transfer) -> None:
    with pytest.raises(TransientError, match="failed"):
        transfer.get_api("repos/x/y")


def test_small_documents_that_drip_are_given_up_in_time_alone_and_together(
    server: ScriptedServer, registry: ReleaseRegistry, keys: PrivateKeys, make_reader: MakeReader, tmp_path: Path
) -> None:
    registry.publish_model(write_files(tmp_path / "model"), manifest_of(), keys)
    registry.publish_deployment(deployment_of(), keys, fence=lambda: None)
    reader = make_reader(limits=Limits(read_s=5, documents_s=0.6))
    assert isinstance(reader.poll_latest(), LatestDeployment), "the control"
    for drip in (
        # One that would take for ever, and several of which each is in time.
        Fault(kind="slow_body", path=".*", count=0, chunk_bytes=1, delay_s=0.05),
        Fault(kind="slow_body", path=".*", count=0, chunk_bytes=10**6, delay_s=0.25),
    ):
        server.faults.add(drip)
        began = time.monotonic()
        with pytest.raises(TransientError, match="longer than it may"):
            make_reader(limits=Limits(read_s=5, documents_s=0.6)).poll_latest()
        assert time.monotonic() - began < 2
        server.faults.clear()
