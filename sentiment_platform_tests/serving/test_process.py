"""Claims about the process: what it imports, how it leaves, that its page needs no network."""

import re
import socket
import subprocess
import sys
import threading
import time

import httpx
import pytest
from sqlalchemy import Engine, select

from sentiment_platform.local.processes.ports import free_port
from sentiment_platform.settings import Settings
from sentiment_platform.store.tables import Feedback, Prediction
from sentiment_platform_tests.serving.conftest import StartServing
from sentiment_platform_tests.serving.publishing import Publisher
from sentiment_platform_tests.serving.running import ServingProcess
from serving.server import LEFT_S, TOLD_S

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


def test_a_second_signal_ends_it_at_once_with_one_line_and_no_traceback(start_serving: StartServing) -> None:
    serving = start_serving(ready=False, SENTIMENT_DRAIN_S="1")
    assert serving.process is not None
    serving.process.terminate()
    serving.wait_until(lambda: not serving.answers("/health/live") or "shutting down" in serving.client.get("/health").text)
    began = time.monotonic()
    assert serving.terminate() == 0
    assert time.monotonic() - began < 2.5
    assert serving.log_text().count("left at once at the second signal") == 1
    assert "Traceback" not in serving.log_text()


HANGS = """
import threading, time
import serving.server
serving.server.LEFT_S = 2.0
threading.Thread(target=time.sleep, args=(3600,), name="a driver").start()
serving.run()
"""


def test_a_thread_that_hangs_does_not_hold_up_the_exit_and_what_was_acknowledged_is_stored_by_the_next_start(
    settings: Settings, engine: Engine, publisher: Publisher, start_serving: StartServing
) -> None:
    assert Settings.from_environment({}).drain_s + LEFT_S + TOLD_S < 15
    publisher.deploy(publisher.model())
    serving = start_serving(program=HANGS, DATABASE_URL=f"postgresql://nobody@127.0.0.1:{free_port()}/none")
    answered = [serving.predict(f"Profit rose {number} times")["prediction_id"] for number in range(5)]
    reply = serving.client.post("/feedback", json={"prediction_id": answered[0], "label": "positive"})
    assert reply.status_code in (200, 202), reply.text
    began = time.monotonic()
    assert serving.terminate() == 0
    assert 2.5 <= time.monotonic() - began < 4.5, "not before, so that the rest can end by itself"
    assert "although these did not end: " in serving.log_text()
    assert "a driver" in serving.log_text()
    again = start_serving()
    again.wait_until(lambda: again.health()["journal_backlog_records"] == 0)
    with engine.connect() as connection:
        assert set(connection.scalars(select(Prediction.id))) == set(answered)
        assert list(connection.scalars(select(Feedback.prediction_id))) == answered[:1]
    # The control: where nothing hangs it leaves by itself.
    began = time.monotonic()
    assert again.terminate() == 0
    assert time.monotonic() - began < 5
    assert "did not end" not in again.log_text()
