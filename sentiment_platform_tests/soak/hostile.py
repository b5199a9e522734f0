"""R.7: drains under load. R.18: slow clients. R.24 and X.2: requests of the document, and bytes that are nearly HTTP."""

import asyncio
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from sentiment_platform_tests.benchmarks.rows import Figure
from sentiment_platform_tests.benchmarks.serving_start import local_settings
from sentiment_platform_tests.serving.fuzzing.documented import findings, operations_without_success
from sentiment_platform_tests.serving.fuzzing.raw_bytes import fuzz
from sentiment_platform_tests.serving.fuzzing.world import world
from sentiment_platform_tests.serving.running import ServingProcess
from sentiment_platform_tests.soak import options
from sentiment_platform_tests.soak.load import Answered, Connection, clients, predict
from sentiment_platform_tests.soak.rows import TABLE
from sentiment_platform_tests.soak.stack import Stack, stack

REQUESTS_OF_A_DRAIN = 1_000
STUCK = b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"


@TABLE.row("R.7", "SIGTERM under load, with stuck bodies and idle connections")
def drains() -> Iterator[Figure]:
    failed, statuses, turned, left, requests = list[str](), list[int](), list[float](), list[float](), 0
    with stack() as made:
        made.serving.terminate()
        for number in range(options.DRAINS):
            # A busy machine refuses some of any load; here it is to fail nothing.
            serving = ServingProcess(
                replace(made.settings, state_dir=made.settings.state_dir / f"drain-{number}"), SENTIMENT_DEADLINE_MS="5000"
            )
            try:
                serving.start()
                answered, ready_s, left_s, status = asyncio.run(_drain(serving))
            finally:
                serving.stop()
            requests += answered.total
            failed += answered.wrong + [str(other) for other in answered.statuses if other != 200]
            turned.append(ready_s)
            left.append(left_s)
            statuses.append(status)
    yield Figure("failed requests", len(failed), "", 0, requests, explains={"first": failed[:3]})
    yield Figure("readiness turned 503, the slowest", max(turned) * 1e3, "ms", 100, options.DRAINS)
    yield Figure("the process left, the slowest", max(left), "s", 15, options.DRAINS)
    yield Figure("other exit statuses than 0", sum(map(bool, statuses)), "", 0, options.DRAINS)


async def _drain(serving: ServingProcess) -> tuple[Answered, float, float, int]:
    assert serving.process is not None
    with ExitStack() as held:
        for content in [b""] * 10 + [STUCK] * 5:
            held.enter_context(connection := socket.create_connection(("127.0.0.1", serving.port)))
            connection.sendall(content)
        load = asyncio.create_task(clients(serving.port, 8, predict, lambda: False))
        probe = Connection(serving.port)
        await probe.send("GET", "/health")
        while (await probe.send("GET", "/metrics"))[1].count(b"\n") and not await _asked(probe):
            await asyncio.sleep(0.1)
        began = time.monotonic()
        serving.process.terminate()
        ready_s = 0.0
        while not ready_s:
            status, _ = await probe.send("GET", "/health")
            ready_s = time.monotonic() - began if status == 503 else 0.0
        answered = await load
        status = await asyncio.to_thread(serving.process.wait, 20)
        return answered, ready_s, time.monotonic() - began, status


async def _asked(probe: Connection) -> bool:
    text = (await probe.send("GET", "/metrics"))[1].decode()
    counted = [line for line in text.splitlines() if line.startswith("serving_request_seconds_count") and '"/predict"' in line]
    return bool(counted) and float(counted[0].rpartition(" ")[2]) >= REQUESTS_OF_A_DRAIN


@TABLE.row("R.18", "sockets that trickle heads, bodies or nothing, beside good traffic")
def slow_clients() -> Iterator[Figure]:
    with stack() as made:
        steady, answered, heads_s, bodies_s = asyncio.run(_slow(made))
    explains = {
        "steady_p99_ms": round(steady.quantile_ms(0.99), 1),
        "p99_ms": round(answered.quantile_ms(0.99), 1),
        "first": answered.wrong[:3],
        "statuses": dict(answered.statuses),
    }
    bad = answered.total - answered.statuses[200] + len(answered.wrong)
    yield Figure("good requests that failed", bad, "", 0, answered.total, explains=explains)
    yield Figure("p99 of good requests", answered.quantile_ms(0.99), "ms", 200, answered.total)
    yield Figure("the last slow head was closed after", heads_s, "s", 10, options.SLOW_SOCKETS // 3)
    yield Figure("the last slow body was closed after", bodies_s, "s", 15, options.SLOW_SOCKETS // 3)


async def _slow(made: Stack) -> tuple[Answered, Answered, float, float]:
    ends = time.monotonic() + 5
    steady = await clients(made.serving.port, 4, predict, lambda: time.monotonic() > ends, every_s=0.0125)
    ends = time.monotonic() + 17
    good = asyncio.create_task(clients(made.serving.port, 4, predict, lambda: time.monotonic() > ends, every_s=0.0125))
    each = options.SLOW_SOCKETS // 3
    heads, bodies, _ = await asyncio.gather(
        asyncio.gather(*(_trickle(made.serving.port, b"GET / HTTP/1.1\r\nHost: a\r\nX: ") for _ in range(each))),
        asyncio.gather(*(_trickle(made.serving.port, STUCK) for _ in range(each))),
        asyncio.gather(*(_trickle(made.serving.port, b"") for _ in range(each))),
    )
    return steady, await good, max(heads), max(bodies)


async def _trickle(port: int, first: bytes) -> float:
    """Seconds until the other side closed, or 20."""
    began = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(first)
        while time.monotonic() - began < 20:
            try:
                async with asyncio.timeout(1):
                    if not await reader.read(65_536):
                        break
            except TimeoutError:
                writer.write(b"a" if first else b"")
    except OSError:
        pass
    writer.close()
    return time.monotonic() - began


@TABLE.row("R.24", "requests made of the OpenAPI document, with and without a key, and bytes that are nearly HTTP")
def made_up() -> Iterator[Figure]:
    with ExitStack() as held:
        settings, folder = held.enter_context(local_settings()), held.enter_context(tempfile.TemporaryDirectory())
        live = held.enter_context(world(replace(settings, state_dir=Path(folder)), transformer=True))
        for key in (False, True):
            found = findings(live, key=key, examples=options.EXAMPLES, seed=options.SEED, limit_s=3_600)
            what = f"findings of schemathesis, {'with' if key else 'without'} a key"
            yield Figure(what, float(bool(found)), "", 0, options.EXAMPLES, explains={"said": found[-6_000:]} if found else {})
        without = operations_without_success(live)
        yield Figure("operations without one 2xx", len(without), "", 0, 1, explains={"which": without})
        failed, deaf = list[bytes](), 0
        for seed in range(max(1, options.RAW_REQUESTS // 100)):
            failed += fuzz(("127.0.0.1", live.serving.port), options.SEED + seed, 100).failed
            deaf += live.serving.client.post("/predict", json={"text": "Profit rose"}).status_code != 200
        yield Figure(
            "bytes that were answered with 500",
            len(failed),
            "",
            0,
            options.RAW_REQUESTS,
            explains={"first": [repr(one) for one in failed[:2]]},
        )
        yield Figure("hundreds after which a good request failed", deaf, "", 0, options.RAW_REQUESTS // 100)
