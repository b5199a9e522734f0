"""Answers a second of the serving process, side by side with what others would write, in one run and turn about.

The load is Debian's `wrk` in a process of its own, so that measuring costs little of the two processors that the server has. Every
round of ours has one of the peer's right after it: whatever else the machine does meets both.
"""

import importlib.util
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from sentiment_platform.errors import PermanentError
from sentiment_platform.local.processes.ports import free_port
from sentiment_platform.settings import Settings
from sentiment_platform_tests.benchmarks.rows import TABLE, Figure
from sentiment_platform_tests.benchmarks.serving_start import local_settings, publisher
from sentiment_platform_tests.serving.running import ServingProcess

CONNECTIONS = (1, 16, 100)
ROUNDS = 5
ROUND_S = 4
TEXTS = 50_000
ROUTE = "/predict/vader"
_SCRIPT = """
local bodies, n = {}, 0
for line in io.lines(os.getenv("BODIES")) do n = n + 1; bodies[n] = line end
local i = 0
function init(args) i = tonumber(args[1]) end
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
function request()
  i = i + 1
  return wrk.format(nil, nil, nil, bodies[(i % n) + 1])
end
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('\\n{"answers": %d, "seconds": %.4f, "p50_ms": %.3f, "p99_ms": %.3f, "errors": %d}\\n', summary.requests,
    summary.duration / 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


@dataclass(frozen=True)
class Load:
    """What one round of `wrk` saw; only good answers count among those a second."""

    answers_s: float
    p50_ms: float
    p99_ms: float
    errors: int


class Wrk:
    """Posts the bodies of a file, one a line, in turn.

    Raises:
        PermanentError: `wrk` is not installed.
    """

    def __init__(self, folder: Path, texts: Sequence[str]) -> None:
        self._program = shutil.which("wrk")
        if self._program is None:
            raise PermanentError("This row needs wrk.", remedy="On Debian: apt-get install wrk.")
        self._script = folder / "post.lua"
        self._script.write_text(_SCRIPT)
        self._bodies = folder / "bodies"
        self._bodies.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
        self._next = 0

    def round(self, url: str, connections: int, seconds: int = ROUND_S) -> Load:
        """Load `url` for `seconds`, from where the last round stopped."""
        command = [
            str(self._program),
            "-t1",
            f"-c{connections}",
            f"-d{seconds}s",
            "--timeout",
            "10s",
            "-s",
            str(self._script),
            url,
        ]
        done = subprocess.run(
            [*command, "--", str(self._next)],
            env={**os.environ, "BODIES": str(self._bodies)},
            capture_output=True,
            text=True,
            check=True,
            timeout=seconds + 30,
        )
        told = json.loads(done.stdout.strip().splitlines()[-1])
        self._next += told["answers"] + connections
        return Load((told["answers"] - told["errors"]) / told["seconds"], told["p50_ms"], told["p99_ms"], told["errors"])


@TABLE.row(
    "F.2", "POST /predict/vader with everything on, against FastAPI and vaderSentiment with nothing on: answers a second, p99"
)
def vader_throughput() -> Iterator[Figure]:
    if importlib.util.find_spec("fastapi") is None:
        raise PermanentError("This row needs FastAPI to compare with.", remedy="pip install fastapi.")
    texts = [
        f"Harbour Mills reports {('great profit', 'a heavy loss')[n % 2]} for quarter {n} of its grain trade"
        for n in range(TEXTS)
    ]
    with serving_vader() as serving, peer("vader", {}) as beside, loader(texts) as wrk:
        for connections in CONNECTIONS:
            ours, theirs = side_by_side(wrk, f"{serving.url}{ROUTE}", f"{beside}{ROUTE}", connections)
            yield from compared("FastAPI", connections, ours, theirs, 2.0)
        with (
            running(replace(serving.settings, state_dir=serving.settings.state_dir / "second")) as second,
            loader(texts) as other,
        ):
            yield from _two_processes((wrk, other), (serving.url, second.url), beside)


def side_by_side(wrk: Wrk, ours: str, theirs: str, connections: int) -> tuple[list[Load], list[Load]]:
    """Rounds of both addresses, turn about, after one of each that counts for nothing."""
    ran: tuple[list[Load], list[Load]] = ([], [])
    for number in range(ROUNDS + 1):
        for url, rounds in zip((ours, theirs), ran, strict=True):
            load = wrk.round(url, connections)
            if number:
                rounds.append(load)
    return ran


def _two_processes(loaders: tuple[Wrk, Wrk], ours: tuple[str, str], theirs: str) -> Iterator[Figure]:
    """Two of our processes, each with half of the connections, against one of the peer with all of them."""
    connections, rounds = CONNECTIONS[-1], list[tuple[float, float]]()
    with ThreadPoolExecutor(2) as threads:
        for _ in range(ROUNDS):
            halves = [
                threads.submit(wrk.round, f"{url}{ROUTE}", connections // 2) for wrk, url in zip(loaders, ours, strict=True)
            ]
            both = sum(half.result().answers_s for half in halves)
            rounds.append((both, loaders[0].round(f"{theirs}{ROUTE}", connections).answers_s))
    explains = {
        "ours_a_second": [round(both) for both, _ in rounds],
        "theirs_a_second": [round(one) for _, one in rounds],
        "processors": os.cpu_count(),
    }
    yield Figure(
        f"answers a second of two processes at {connections} connections, times that of one FastAPI",
        statistics.median(both / one for both, one in rounds),
        "times",
        2.0,
        len(rounds),
        at_least=True,
        explains=explains,
    )


def compared(peer_name: str, connections: int, ours: list[Load], theirs: list[Load], at_least: float) -> Iterator[Figure]:
    """The ratios of each round: answers a second, which is to be `at_least` so much, and p99."""
    ratio = statistics.median(a.answers_s / b.answers_s for a, b in zip(ours, theirs, strict=True))
    p99 = statistics.median(a.p99_ms / b.p99_ms for a, b in zip(ours, theirs, strict=True))
    explains = {
        "ours_a_second": [round(load.answers_s) for load in ours],
        "theirs_a_second": [round(load.answers_s) for load in theirs],
        "errors": sum(load.errors for load in ours),
        "errors_of_theirs": sum(load.errors for load in theirs),
    }
    at = f"at {connections} connections, times that of {peer_name}"
    yield Figure(f"answers a second {at}", ratio, "times", at_least, len(ours), at_least=True, explains=explains)
    times = {"ours_p99_ms": [load.p99_ms for load in ours], "theirs_p99_ms": [load.p99_ms for load in theirs]}
    yield Figure(f"p99 {at}", p99, "times", 1.0, len(ours), explains=times)


@contextmanager
def serving_vader() -> Generator[ServingProcess]:
    """Our process over its own PostgreSQL, Redis and registry, with VADER deployed."""
    with local_settings() as settings, publisher(settings) as publish:
        publish.deploy(publish.model())
        with running(settings) as serving:
            yield serving


@contextmanager
def running(settings: Settings) -> Generator[ServingProcess]:
    """Our process, ready."""
    serving = ServingProcess(settings, SENTIMENT_POLL_S="60")
    try:
        yield serving.start()
    finally:
        serving.stop()


@contextmanager
def peer(name: str, environment: dict[str, str], path: str = ROUTE) -> Generator[str]:
    """The address of a peer (`peers`) under uvicorn with uvloop, as ours runs."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", f"sentiment_platform_tests.benchmarks.peers:{name}", "--factory"]
    command += ["--port", str(port), "--loop", "uvloop", "--no-access-log", "--log-level", "warning"]
    process = subprocess.Popen(command, env={**os.environ, **environment})
    try:
        _wait_for(f"http://127.0.0.1:{port}{path}")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def loader(texts: Sequence[str]) -> Generator[Wrk]:
    """`wrk` over these texts."""
    with tempfile.TemporaryDirectory(prefix="sentiment-benchmark-") as folder:
        yield Wrk(Path(folder), texts)


def _wait_for(url: str) -> None:
    ends = time.monotonic() + 30
    while time.monotonic() < ends:
        try:
            httpx.post(url, json={"text": "Profit rose"}, timeout=5).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise PermanentError(f"Nothing answers at {url}.", remedy="Look at what it printed.")
