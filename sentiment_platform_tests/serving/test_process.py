"""Claims about the process: what it imports, how it leaves, that its page needs no network."""

import re
import socket
import subprocess
import sys
import threading
import time

import httpx
import pytest

from sentiment_platform_tests.serving.conftest import StartServing
from sentiment_platform_tests.serving.publishing import Publisher
from sentiment_platform_tests.serving.running import ServingProcess

pytestmark = pytest.mark.slow

NEVER = ("dagster", "torch", "transformers", "pandas", "scipy", "polars", "optuna", "pandera", "matplotlib")
STUCK = b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"
NOT_FOR_VADER = ("github", "onnxruntime", "tokenizers")
ASK_MODULES = """
import sys, threading, time, atexit, json
import serving
def show():
    print("MODULES", json.dumps(sorted({name.partition(".")[0] for name in sys.modules})), flush=True)
atexit.register(show)
serving.run()
"""


def test_importing_the_application_reads_nothing_and_imports_nothing_heavy() -> None:
    code = "import sys, serving.app, serving.server; print(sorted({m.partition('.')[0] for m in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"SENTIMENT_POLL_S": "nonsense"}
    )
    for name in (*NEVER, *NOT_FOR_VADER, "sqlalchemy"):
        assert f"'{name}'" not in done.stdout, name
    assert "'litestar'" in done.stdout


def test_a_process_that_serves_vader_never_loads_training_tables_or_the_graph(
    publisher: Publisher, start_serving: StartServing
) -> None:
    publisher.deploy(publisher.model())
    serving = start_serving(program=ASK_MODULES)
    serving.predict(explain=True)
    serving.wait_until(lambda: serving.answers("/models/performance"))
    serving.client.post("/models/select", json={}, headers={"X-API-Key": "sp_a_b"})
    assert serving.terminate() == 0
    (loaded,) = re.findall(r"^MODULES (.*)$", serving.log_text(), re.MULTILINE)
    assert '"sqlalchemy"' in loaded, "the list is of the process that talked to the database"
    for name in (*NEVER, *NOT_FOR_VADER):
        assert f'"{name}"' not in loaded, name


def test_the_openapi_page_loads_nothing_from_anywhere(answering: ServingProcess) -> None:
    page = answering.client.get("/schema")
    assert page.headers["content-type"].startswith("text/html")
    outside = re.compile(r"""(?:src|href|url|import|action)\s*[=(]?\s*["'(]?\s*(?:https?:)?//""", re.IGNORECASE)
    assert outside.search('<script src="https://cdn.example/x.js">'), "the pattern finds what it looks for"
    assert not outside.search(page.text)
    # Addresses in examples are text, of places that are nowhere.
    hosts = set(re.findall(r"https?://([^/\s\"\\]+)", page.text))
    assert {host for host in hosts if not host.endswith(".example") and not host.startswith("127.0.0.1")} == set()
    assert "/predict/compare" in page.text
    document = answering.client.get("/schema/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    wanted = {"/predict", "/predict/vader", "/predict/finbert", "/predict/compare", "/predict/batch", "/feedback", "/health"}
    wanted |= {"/models/status", "/models/performance", "/models/select", "/models/rollback", "/health/live", "/metrics"}
    assert wanted <= set(document["paths"]), "every route is documented"
    assert document["paths"]["/models/select"]["post"]["security"]
    for path in ("/models/select", "/models/rollback"):
        assert {"401", "403", "409", "503"} <= set(document["paths"][path]["post"]["responses"])
    assert "not a forecast" in document["components"]["schemas"]["Prediction"]["properties"]["price_direction"]["description"]


def test_sigterm_under_load_beside_stuck_bodies_and_idle_connections_fails_no_request_and_exits_0(
    publisher: Publisher, start_serving: StartServing
) -> None:
    publisher.deploy(publisher.model())
    serving = start_serving()
    outcomes: list[str] = []

    def ask() -> None:
        with httpx.Client(base_url=serving.url, timeout=10) as client:
            while True:
                try:
                    reply = client.post("/predict", json={"text": "Net loss narrowed"})
                except httpx.ConnectError:
                    return
                except httpx.TransportError as error:
                    outcomes.append(repr(error))
                    return
                outcomes.append(str(reply.status_code))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    held = [socket.create_connection(("127.0.0.1", serving.port)) for _ in range(6)]
    for connection in held[::2]:
        connection.sendall(STUCK)
    for thread in threads:
        thread.start()
    serving.wait_until(lambda: len(outcomes) > 50)
    assert serving.process is not None
    serving.process.terminate()
    signalled = time.monotonic()
    while (leaving := serving.client.get("/health")).status_code == 200:
        assert time.monotonic() - signalled < 0.4, "readiness turns at once, before the socket closes"
    assert leaving.status_code == 503
    assert leaving.headers["connection"] == "close"
    assert "shutting down" in leaving.json()["reason"]
    assert serving.process.wait(15) == 0
    for thread in threads:
        thread.join(10)
    for connection in held:
        connection.close()
    assert set(outcomes) == {"200"}
