"""R.25 and P.13: mixed load with swaps and faults. R.1: many swaps. P.12: 100 clients."""

import asyncio
import math
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from multiprocessing import Manager, get_context
from threading import Event

from sentiment_platform_tests.benchmarks.rows import Figure
from sentiment_platform_tests.faults import postgres, redis
from sentiment_platform_tests.faults.registry import faults as registry_faults
from sentiment_platform_tests.soak import options
from sentiment_platform_tests.soak.holding import Held, look
from sentiment_platform_tests.soak.load import Answered, anything, clients, predict
from sentiment_platform_tests.soak.rows import TABLE
from sentiment_platform_tests.soak.stack import Stack, stack

FAULTS_OF_REDIS = ("refused", "killed", "stopped by SIGSTOP", "200 ms slower", "connections reset", "emptied by FLUSHALL")
FAULTS_OF_POSTGRES = ("down", "refused", "stopped by SIGSTOP", "500 ms slower", "connections terminated", "restarted")
FAULTS_OF_REGISTRY = ("connections cut", "500", "no JSON")
QUIET_S = 3.0
"""After the load, until what it held is given back and the journal is shipped."""
STEADY_S = 10.0
CLIENTS, LOAD = 16, 0.7
"""How many ask while versions are swapped, and what share of what they get when they do not pause."""
LOOK_S = 0.5
Fault = tuple[str, Callable[[Stack], object], Callable[[Stack], object]]


def faults() -> list[Fault]:
    """Those of every part that end as soon as they are taken away."""
    known: list[Fault] = []
    for name in FAULTS_OF_REDIS:
        begin, end = redis.FAULTS[name]
        known.append((f"Redis {name}", lambda s, b=begin: b(s.redis), lambda s, e=end: e(s.redis)))
    for name in FAULTS_OF_POSTGRES:
        fault = postgres.FAULTS[name]
        known.append((f"PostgreSQL {name}", lambda s, b=fault.begin: b(s.postgres), lambda s, e=fault.end: e(s.postgres)))
    for name in FAULTS_OF_REGISTRY:
        each = registry_faults("http://127.0.0.1:1/")[name].faults
        known.append(
            (f"registry {name}", lambda s, f=each: [s.registry.faults.add(one) for one in f], lambda s: s.registry.faults.clear())
        )
    return known


@TABLE.row("R.25", "soak: mixed load with swaps and faults; what the process holds stays flat")
def soak() -> Iterator[Figure]:
    with stack() as made:
        answered, before, after, struck = asyncio.run(_soak(made))
    good = sum(count for status, count in answered.statuses.items() if status < 500)
    total = answered.total + len(answered.wrong)
    explains = {
        "requests": total,
        "statuses": dict(sorted(answered.statuses.items())),
        "faults": struck,
        "seconds": options.SOAK_S,
    }
    yield Figure(
        "P.13: answers that are no failure, of all", good / total * 100, "%", 99.5, total, at_least=True, explains=explains
    )
    yield Figure("P.13: degraded, counted apart", answered.degraded / total * 100, "%", 100, total)
    yield Figure("no whole answer, or 500", len(answered.wrong), "", 0, total, explains={"first": answered.wrong[:3]})
    yield from growth(before, after)


async def _soak(made: Stack) -> tuple[Answered, Held, Held, list[str]]:
    rng, known = random.Random(options.SEED), faults()
    began = time.monotonic()
    ends = began + options.SOAK_S
    load = asyncio.create_task(clients(made.serving.port, 6, anything, lambda: time.monotonic() > ends, every_s=0.0125))
    swap_s, fault_s = options.SOAK_S / 4, options.SOAK_S / 10
    # Imports, pools and the first of everything are no leak.
    await asyncio.sleep(options.SOAK_S / 10)
    swaps, struck = 0, list[str]()
    before: Held | None = None
    while time.monotonic() < ends - fault_s:
        if time.monotonic() - began > (swaps + 0.5) * swap_s:
            swaps += 1
            await asyncio.to_thread(made.swap)
        name, begin, end = rng.choice(known)
        await asyncio.to_thread(begin, made)
        await asyncio.sleep(min(15.0, fault_s / 3))
        await asyncio.to_thread(end, made)
        struck.append(name)
        await asyncio.sleep(max(0.0, fault_s - min(15.0, fault_s / 3)))
        if before is None and time.monotonic() - began > options.SOAK_S / 3:
            before = await asyncio.to_thread(look, made)
    answered = await load
    await asyncio.sleep(QUIET_S)
    after = await asyncio.to_thread(look, made)
    return answered, before or after, after, struck


def growth(before: Held, after: Held) -> Iterator[Figure]:
    """Each thing that a process holds, at the end against a third of the way."""
    yield Figure(
        "resident memory, growth",
        (after.resident_mb / before.resident_mb - 1) * 100,
        "%",
        10,
        1,
        explains={"mb": round(after.resident_mb)},
    )
    for name, allowed in (("descriptors", 8), ("threads", 2), ("connections", 8), ("series", 0.05 * before.series)):
        was, now = getattr(before, name), getattr(after, name)
        yield Figure(f"{name}, growth", now - was, "", allowed, 1, explains={"before": was, "after": now})


@TABLE.row("R.1", "swaps in a row under load: none fails, none is mixed, memory stays")
def swaps() -> Iterator[Figure]:
    with stack(SENTIMENT_POLL_S="0.2") as made:
        share, steady, answered, after_ten, after_all = _swaps(made)
    mixed = {version: values for version, values in answered.sentiments.items() if len(values) > 1}
    failed = answered.total - answered.statuses[200] + len(answered.wrong)
    seen = {
        "versions": len(answered.sentiments),
        "requests": answered.total,
        "wrong": answered.wrong[:3],
        "of capacity": round(share, 2),
    }
    yield Figure("failed answers", failed, "", 0, answered.total, explains=seen)
    yield Figure("versions that gave two figures of one text", len(mixed), "", 0, len(answered.sentiments))
    yield Figure(
        "versions that answered, of those deployed",
        len(answered.sentiments),
        "",
        0.9 * options.SWAPS,
        options.SWAPS,
        at_least=True,
    )
    yield Figure("p99 against steady", answered.quantile_ms(0.99) / steady.quantile_ms(0.99), "times", 2, answered.total)
    yield Figure("resident memory after all against after ten", (after_all / after_ten - 1) * 100, "%", 5, options.SWAPS)


def _swaps(made: Stack) -> tuple[float, Answered, Answered, float, float]:
    """Share of the capacity that was asked, answers before the first swap and during all, memory after ten and at the end."""
    # Clients in this process would wait for the interpreter that publishes, and measure that.
    with ProcessPoolExecutor(1, get_context("spawn")) as another, Manager() as shared:
        done = shared.Event()

        def ask(seconds: float = math.inf, every_s: float = 0.0) -> Future[Answered]:
            return another.submit(ask_the_same, made.serving.port, done, seconds, every_s)

        try:
            capacity = ask(STEADY_S).result().total / STEADY_S
            every_s = CLIENTS / (LOAD * capacity)
            steady = ask(STEADY_S, every_s).result()
            load = ask(every_s=every_s)
            began, after_ten = time.monotonic(), 0.0
            for number in range(options.SWAPS):
                _swap_and_wait(made)
                if number == min(9, options.SWAPS // 2):
                    after_ten = made.process.memory_info().rss
            took_s = time.monotonic() - began
        finally:
            done.set()
        answered = load.result()
        return answered.total / took_s / capacity, steady, answered, after_ten, made.process.memory_info().rss


def _swap_and_wait(made: Stack) -> None:
    """Until the version answers, or ten seconds; then until the next one is due."""
    began = time.monotonic()
    version = made.swap()
    while made.serving.status()["families"]["vader"]["version"] != version and time.monotonic() < began + 10:
        time.sleep(0.05)
    time.sleep(max(0.0, options.SWAP_EVERY_S - (time.monotonic() - began)))


def ask_the_same(port: int, done: Event, seconds: float, every_s: float) -> Answered:
    """The clients of R.1, which ask one text, until so many seconds or `done`."""
    ends, looked, over = time.monotonic() + seconds, 0.0, False

    def until() -> bool:
        nonlocal looked, over
        now = time.monotonic()
        if now - looked > LOOK_S:
            looked, over = now, done.is_set()
        return over or now > ends

    return asyncio.run(clients(port, CLIENTS, partial(predict, same=True), until, every_s=every_s))


@TABLE.row("P.12", "100 clients that keep their connections")
def hundred() -> Iterator[Figure]:
    with stack() as made:
        answered, before, after = asyncio.run(_hundred(made))
    refused = answered.statuses[503] + answered.statuses[429]
    failed = sum(count for status, count in answered.statuses.items() if status >= 500 and status != 503)
    explains = {
        "requests": answered.total,
        "per_s": round(answered.total / options.CLIENTS_S),
        "p99_ms": round(answered.quantile_ms(0.99), 1),
    }
    yield Figure("connections that failed", len(answered.wrong), "", 0, 100, explains={"first": answered.wrong[:3]})
    yield Figure("5xx beside 503", failed, "", 0, answered.total)
    yield Figure("refused with 503 or 429", refused / answered.total * 100, "%", 1, answered.total)
    yield Figure("p95", answered.quantile_ms(0.95), "ms", 200, answered.total, explains=explains)
    yield Figure("resident memory, change", abs(after / before - 1) * 100, "%", 10, 1)


async def _hundred(made: Stack) -> tuple[Answered, float, float]:
    warm = time.monotonic() + options.CLIENTS_S / 6
    await clients(made.serving.port, 100, predict, lambda: time.monotonic() > warm)
    before = made.process.memory_info().rss
    ends = time.monotonic() + options.CLIENTS_S
    answered = await clients(made.serving.port, 100, predict, lambda: time.monotonic() > ends)
    return answered, before, made.process.memory_info().rss
