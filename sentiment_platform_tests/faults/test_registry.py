"""Whatever happens to the registry: what runs answers on at its speed, the token stays at its host, and the next good deployment goes live."""

import statistics
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise

import httpx
import pytest

from sentiment_platform.settings import Settings
from sentiment_platform_tests.faults.registry import FILES, LATEST, SILENT, WAIT_S, faults
from sentiment_platform_tests.github_server.faults import Fault, secondary_rate_limit
from sentiment_platform_tests.github_server.request_log import RequestRecord
from sentiment_platform_tests.github_server.scripted import ScriptedServer
from sentiment_platform_tests.serving.conftest import StartServing
from sentiment_platform_tests.serving.publishing import Publisher
from sentiment_platform_tests.serving.running import ServingProcess

pytestmark = pytest.mark.slow


class Elsewhere:
    """A host of somebody else's, which writes down what it is sent."""

    def __init__(self) -> None:
        self.headers: list[dict[str, str]] = []
        seen = self.headers

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                seen.append({name.lower(): value for name, value in self.headers.items()})
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/models"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    other = Elsewhere()
    yield other
    other.close()


def live(serving: ServingProcess) -> str:
    return serving.status()["families"]["vader"]["version"]


def ask(serving: ServingProcess, count: int) -> list[float]:
    """Milliseconds of each answer; anything but 200 fails in here."""
    taken: list[float] = []
    for number in range(count):
        began = time.perf_counter()
        serving.predict(f"Profit rose {number} {began}")
        taken.append((time.perf_counter() - began) * 1e3)
    return taken


def looks(github_server: ScriptedServer) -> list[RequestRecord]:
    return [record for record in github_server.requests.all() if record.path.endswith("/releases/latest")]


def latest_goes_backwards(settings: Settings) -> Fault:
    """The first deployment in the place of the newest."""
    page = f"{settings.registry_url}/repos/{settings.registry_repository}/releases/tags/deploy-000001"
    first = httpx.get(page, headers={"Authorization": f"Bearer {settings.registry_token}"}, trust_env=False).raise_for_status()
    return Fault(kind="replace_body", path=LATEST, count=0, body=first.content)


def test_serving_answers_on_and_follows_again_whatever_the_registry_did(
    publisher: Publisher,
    settings: Settings,
    github_server: ScriptedServer,
    start_serving: StartServing,
    elsewhere: Elsewhere,
) -> None:
    publisher.deploy(publisher.model("v1.0.0-vader"))
    serving = start_serving()
    steady = statistics.median(ask(serving, 100))
    for number, (name, fault) in enumerate(faults(elsewhere.url).items(), 1):
        before, version = live(serving), f"v1.0.{number}-vader"
        wanted = publisher.model(version, steepness=4.0 + number)
        github_server.requests.clear()
        # What strikes files has to be there before there is a new one; what strikes every request would stop the publisher too.
        early = [each for each in fault.faults if each.path == FILES]
        for each in early:
            github_server.faults.add(each)
        publisher.deploy(wanted)
        for each in fault.faults:
            if each not in early:
                github_server.faults.add(each)
        serving.wait_until(lambda: any(record.fault for record in github_server.requests.all()), 10)
        if name == SILENT:
            struck = serving.wait_until(
                lambda: len(all_struck := [r for r in github_server.requests.all() if r.fault]) > 3 and all_struck, 20
            )
            waits = [each.at - last.at for last, each in pairwise(struck)]
            # Polled five times a second, each time is what its thread waited for one answer.
            assert max(waits).total_seconds() < 2 + 0.8
        if live(serving) == before:
            taken = ask(serving, 40)
            assert statistics.median(taken) < 5 * steady + 20, name
        github_server.faults.clear()
        if fault.refused:
            # What was refused rests for minutes; a newer deployment of the same version does not.
            publisher.deploy(wanted)
        serving.wait_until(lambda version=version: live(serving) == version, 20 + WAIT_S)
    assert all(headers.get("authorization") is None for headers in elsewhere.headers)
    version = live(serving)
    github_server.faults.add(latest_goes_backwards(settings))
    serving.wait_until(lambda: any(record.fault for record in github_server.requests.all()), 10)
    # What a fault before had refused may still stand there.
    refused = serving.wait_until(
        lambda: (tried := serving.status()["candidate"]) and tried["reason"] == "older_revision" and tried
    )
    assert (refused["outcome"], live(serving)) == ("refused", version), refused
    github_server.requests.clear()
    serving.wait_until(lambda: len(looks(github_server)) > 5, 10)
    # Looked at once a minute, as usual, that is 60 an hour.
    assert github_server.requests.counted() <= len(looks(github_server)), "one call a look, however often it goes on"
    github_server.faults.clear()
    publisher.deploy(publisher.model("v1.1.0-vader", steepness=3.5))
    serving.wait_until(lambda: live(serving) == "v1.1.0-vader", 20)


def test_the_other_host_would_have_seen_a_token(elsewhere: Elsewhere) -> None:
    """The control."""
    httpx.get(elsewhere.url, headers={"Authorization": "Bearer leaked"})
    assert elsewhere.headers[-1]["authorization"] == "Bearer leaked"


def test_a_registry_that_asks_to_be_left_alone_is_and_polling_an_unchanged_one_costs_no_quota(
    publisher: Publisher, github_server: ScriptedServer, start_serving: StartServing
) -> None:
    publisher.deploy(publisher.model())
    serving = start_serving()
    serving.wait_until(lambda: any(record.status == 304 for record in github_server.requests.all()), 10)
    github_server.requests.clear()
    serving.wait_until(lambda: len(github_server.requests.all()) > 5, 10)
    assert github_server.requests.counted() == 0

    github_server.faults.add(secondary_rate_limit(r".*", retry_after_s=WAIT_S, count=1))
    limited = serving.wait_until(lambda: next((r for r in github_server.requests.all() if r.fault), None), 10)
    following = serving.wait_until(lambda: [r for r in github_server.requests.all() if r.at > limited.at], 10)
    # Polled five times a second, it would have been asked ten times.
    assert (following[0].at - limited.at).total_seconds() >= WAIT_S - 0.05
    serving.wait_until(lambda: serving.status()["registry"]["reachable"], 10)
