"""What a process tells of itself is what happened: its counts, its load, what it holds, its log."""

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from sentiment_platform.settings import Settings
from sentiment_platform_tests.serving.publishing import Publisher
from sentiment_platform_tests.serving.running import ServingProcess, metric
from sentiment_platform_tests.source_code import ROOT
from serving.metrics import Metrics
from serving.watch.loop_watch import LoopWatch

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def logging_json(module_settings: Settings) -> Iterator[ServingProcess]:
    publisher = Publisher(module_settings)
    publisher.deploy(publisher.model())
    publisher.close()
    process = ServingProcess(module_settings, SENTIMENT_LOG_FORMAT="json")
    try:
        yield process.start()
    finally:
        process.stop()


def shown(serving: ServingProcess) -> str:
    return serving.client.get("/metrics").text


def test_the_load_that_is_told_is_the_load_that_was_sent(logging_json: ServingProcess) -> None:
    serving = logging_json
    serving.predict("A first one")
    sent, path = 400, "/predict/vader"
    series = (
        ("serving_requests_total", {"route": path, "method": "POST", "status": "200"}),
        ("serving_request_seconds_count", {"route": path}),
    )

    def counted() -> tuple[float, ...]:
        text = shown(serving)
        answers = metric(text, "serving_answers_total", version="v1.0.0-vader", arm="none")
        return answers, *(metric(text, name, **labels) if path in text else 0.0 for name, labels in series)

    def every_request() -> float:
        return sum(
            sample.value
            for family in text_string_to_metric_families(shown(serving))
            for sample in family.samples
            if sample.name == "serving_requests_total"
        )

    before = counted()
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda number: serving.predict(f"Net loss narrowed {number}", path), range(sent)))
    assert [now - then for now, then in zip(counted(), before, strict=True)] == [sent] * 3, "to the last one"

    time.sleep(0.3)  # the loop is looked at ten times a second
    all_of_them = every_request()
    process = serving.client.get("/monitoring/service", params={"window": "7d"}).json()["process"]
    load = process["load"]
    (answers,) = process["answers"]
    assert (answers["version"], answers["arm"], answers["answers"]) == ("v1.0.0-vader", None, counted()[0])
    assert 0 < load["saturation"] <= 1
    assert load["capacity_per_s"] == pytest.approx(load["requests_per_s"] / load["saturation"], rel=0.01)
    assert load["refused_per_s"] == 0
    # The names that people meet elsewhere: this one in flags, status and selections.
    assert load["replica"] == serving.client.get("/flags").json()["replica"]
    # The process is younger than the minute that is looked at, so the rate is of all that was ever asked of it.
    assert load["window_s"] < 59
    assert load["requests_per_s"] * load["window_s"] == pytest.approx(all_of_them, rel=0.01)
    assert load["instance"].endswith(f":{serving.process.pid}") if serving.process else False


def test_metrics_hold_the_process_its_loop_and_what_it_uses(logging_json: ServingProcess) -> None:
    serving = logging_json
    assert serving.process is not None
    text, seen = shown(serving), psutil.Process(serving.process.pid)
    assert metric(text, "process_resident_memory_bytes") == pytest.approx(seen.memory_info().rss, rel=0.1)
    assert metric(text, "process_open_fds") == pytest.approx(seen.num_fds(), abs=8)
    assert metric(text, "process_threads") == pytest.approx(seen.num_threads(), abs=4)
    assert metric(text, "process_start_time_seconds") == pytest.approx(seen.create_time(), abs=2)
    serving.wait_until(lambda: metric(shown(serving), "serving_loop_lag_seconds_count") > 5)
    serving.wait_until(lambda: metric(shown(serving), "serving_dependency_up", dependency="redis") == 1)
    assert metric(shown(serving), "serving_requests_in_flight") == 1, "this request"
    names = {family.name for family in text_string_to_metric_families(shown(serving))}
    assert {"serving_capacity_per_second", "serving_loop_saturation", "serving_requests_per_second"} <= names
    page = (ROOT / "serving" / "handlers" / "README.md").read_text()
    ours = {name for name in names if name.startswith("serving_") and not name.endswith("_created")}
    assert {name for name in ours if f"`{name}`" not in page} == set(), "a line in the table"


def test_an_event_loop_that_is_held_up_lags_and_is_saturated_and_an_idle_one_is_neither() -> None:
    async def watched(hold_s: float) -> LoopWatch:
        watch = LoopWatch(Metrics())
        task = asyncio.create_task(watch.run())
        for _ in range(8):
            ends = time.thread_time() + hold_s
            while time.thread_time() < ends:
                pass
            await asyncio.sleep(0.11)
        task.cancel()
        return watch

    idle, held = (asyncio.run(watched(hold_s)) for hold_s in (0.0, 0.3))
    assert held.lag_p99_s > 0.1
    assert held.saturation > idle.saturation + 0.2
    assert idle.capacity_per_s is None


def test_refusals_are_no_capacity_and_a_time_of_refusals_is_full() -> None:
    async def watched(refusals: int) -> LoopWatch:
        metrics = Metrics()
        watch = LoopWatch(metrics)
        task = asyncio.create_task(watch.run())
        for _ in range(40):
            ends = time.thread_time() + 0.004
            while time.thread_time() < ends:
                pass
            for _ in range(2):
                metrics.observe_request("/predict/vader", "POST", 200, 0.001)
            for _ in range(refusals):
                metrics.observe_refusal("/predict/vader", "answer")
            await asyncio.sleep(0.02)
        task.cancel()
        return watch

    quiet, refusing = (asyncio.run(watched(refusals)) for refusals in (0, 6))
    assert quiet.saturation < 0.5, "the control: most of the time it has nothing to do"
    assert quiet.refused_per_s == 0
    assert refusing.saturation > 0.95
    assert refusing.refused_per_s == pytest.approx(0.75 * refusing.requests_per_s)
    # It answered as many as it could: not four times as many, for the refusals, and no more for what it rested.
    answered = refusing.requests_per_s - refusing.refused_per_s
    assert refusing.capacity_per_s == pytest.approx(answered, rel=0.05)
    assert quiet.capacity_per_s is not None
    assert quiet.capacity_per_s > 1.5 * answered


def test_every_line_of_the_log_is_json_with_the_id_of_its_request_and_who_leaves_causes_no_traceback(
    logging_json: ServingProcess,
) -> None:
    serving = logging_json
    for path in (b"/predict", b"/feedback", b"/events"):
        for content in (b"", b'{"text":', b'{"text":"Profit rose"}'):
            with socket.create_connection(("127.0.0.1", serving.port)) as leaving:
                method = b"GET " if path == b"/events" else b"POST "
                leaving.sendall(method + path + b" HTTP/1.1\r\nHost: a\r\nContent-Length: 22\r\n\r\n" + content)
                leaving.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    serving.predict("And it goes on")
    lines = [json.loads(line) for line in serving.log_text().splitlines()[1:]]
    assert lines
    for line in lines:
        assert {"at", "level", "logger", "message", "request_id"} <= line.keys()
        assert "traceback" not in line, line


def test_series_of_versions_that_answer_no_more_end() -> None:
    metrics = Metrics()
    for number in range(20):
        metrics.show_live(number, {"vader": f"v1.0.{number}-vader"})
        metrics.count_answer("vader", f"v1.0.{number}-vader", None)
    versions = {line for line in metrics.render().decode().splitlines() if line.startswith("serving_answers_total{")}
    assert len(versions) == 2, versions
