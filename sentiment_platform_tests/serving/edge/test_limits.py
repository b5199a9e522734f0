"""Claims about limits over two processes with one Redis, which is taken away in the end; and about who guesses keys."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine

from sentiment_platform.clock import utc_now
from sentiment_platform.local.parts.redis import LocalRedis
from sentiment_platform.settings import Settings
from sentiment_platform.store.api_keys import create_key, list_keys, revoke_key, rotate_key
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform_tests.serving.publishing import Publisher
from sentiment_platform_tests.serving.running import ServingProcess, metric
from serving.edge.access import GUESSES
from serving.edge.rate_limit import too_many
from serving.edge.security import CONFIGURED_ADMIN, KeyChecker
from serving.links.database import Database

PROXY = "127.0.0.9"
"""Where a proxy that the settings name asks from; other addresses of this machine are strangers."""
TEXT = {"text": "Harbour Mills beats expectations"}
SLOW = {"SENTIMENT_ADDRESS_LIMIT": "0.001/40", "SENTIMENT_KEY_LIMIT": "0.001/20", "SENTIMENT_TRUSTED_PROXIES": PROXY}
"""Tokens that do not come back while a test runs."""
PEPPER = "w8Yd_2kQe-Jr5TzXb7Lm3NpV"


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory, servers_dir: Path) -> Iterator[LocalRedis]:
    state = servers_dir / "limits-redis"
    state.mkdir(mode=0o711, exist_ok=True)
    server = LocalRedis(state)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def stored(module_settings: Settings) -> Iterator[Engine]:
    engine = create_platform_engine(module_settings.database_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def two(module_settings: Settings, redis: LocalRedis) -> Iterator[list[ServingProcess]]:
    publisher = Publisher(module_settings)
    publisher.deploy(publisher.model())
    publisher.close()
    settings = [replace(module_settings, redis_url=redis.url, state_dir=module_settings.state_dir / str(n)) for n in range(2)]
    processes = [ServingProcess(each, **SLOW, SENTIMENT_KEY_PEPPER=PEPPER) for each in settings]
    try:
        yield [process.start() for process in processes]
    finally:
        for process in processes:
            process.stop()


def ask(
    serving: ServingProcess, path: str, of: str = "", *, key: str = "", by: str = PROXY, body: object = None
) -> httpx.Response:
    """One request by way of `by`, for the client `of`."""
    headers = {**({"X-Forwarded-For": of} if of else {}), **({"X-API-Key": key} if key else {})}
    with httpx.Client(base_url=serving.url, transport=httpx.HTTPTransport(local_address=by), timeout=10) as client:
        return client.get(path, headers=headers) if body is None else client.post(path, headers=headers, json=body)


def left(reply: httpx.Response, limit: str = "address") -> int:
    (found,) = [part for part in reply.headers["RateLimit"].split(", ") if part.startswith(f'"{limit}"')]
    return int(found.split(";r=")[1].split(";")[0])


def new_key(stored: Engine, role: str = "viewer") -> str:
    with stored.begin() as connection:
        return create_key(connection, role, "a desk", pepper=PEPPER)  # type: ignore[arg-type]


def test_of_ninety_requests_over_two_processes_at_once_exactly_the_forty_of_the_limit_pass(two: list[ServingProcess]) -> None:
    before = sum(metric(process.client.get("/metrics").text, "serving_limits_alone_total") for process in two)
    with ThreadPoolExecutor(8) as threads:
        replies = list(threads.map(lambda n: ask(two[n % 2], "/predict", "203.0.113.1", body=TEXT), range(90)))
    # Exactly, where Redis answered in time; what it did not answer each process let through by its own count, and says so.
    alone = sum(metric(process.client.get("/metrics").text, "serving_limits_alone_total") for process in two) - before
    assert 40 <= [reply.status_code for reply in replies].count(200) <= 40 + alone
    refused = next(reply for reply in replies if reply.status_code == 429)
    assert refused.json()["code"] == "rate_limited"
    assert 900 < int(refused.headers["Retry-After"]) <= 1000
    assert refused.headers["RateLimit-Policy"] == '"address";q=40;w=40000'
    assert left(refused) == 0
    assert ask(two[0], "/predict", "203.0.113.2", body=TEXT).status_code == 200, "others are not held back"
    told = [metric(process.client.get("/metrics").text, "serving_rate_limited_total", told_by="memory") for process in two]
    assert sum(told) > 10, "whoever was refused is refused without asking Redis"


def test_what_a_stranger_writes_into_the_header_makes_no_new_client_of_him(two: list[ServingProcess]) -> None:
    replies = [ask(two[n % 2], "/about" if n < 3 else "/models/status", f"198.51.100.{n}", by="127.0.0.7") for n in range(50)]
    assert [reply.status_code for reply in replies].count(429) == 7, "three of what is not counted, forty of what is"
    assert ask(two[0], "/models/status", "203.0.113.3").status_code == 200, "a named proxy is believed"


def test_a_key_has_a_limit_of_its_own_wherever_it_is_used(two: list[ServingProcess], stored: Engine) -> None:
    key, other = new_key(stored), new_key(stored)
    passed = [ask(two[n % 2], "/models/status", f"203.0.113.{100 + n}", key=key).status_code for n in range(30)]
    assert passed.count(200) == 20
    assert ask(two[0], "/models/status", "203.0.113.150", key=other).status_code == 200


def test_costs_follow_the_work(two: list[ServingProcess]) -> None:
    asked = [
        ("/predict", TEXT, 1),
        ("/predict", {**TEXT, "explain": True}, 5),
        ("/predict/batch", {"items": [TEXT, TEXT, {**TEXT, "explain": True}]}, 7),
        ("/predict/finbert", TEXT, 10),
        ("/predict", {"text": 5}, 1),
        ("/monitoring/service", None, 3),
        ("/about", None, 0),
    ]
    before = 40
    for path, body, cost in asked:
        reply = ask(two[0], path, "203.0.113.20", body=body)
        assert ("RateLimit" in reply.headers) == (cost > 0)
        if cost:
            assert before - left(reply) == cost, path
            before = left(reply)


def test_twenty_who_guess_are_slowed_down_and_a_right_key_is_not_held_up(two: list[ServingProcess], stored: Engine) -> None:
    keys, serving = [new_key(stored, "admin") for _ in range(4)], two[1]
    # Its first look at keys loads what it needs for that, which is nobody's guessing.
    ask(serving, "/models/status", key=new_key(stored))
    ends = time.monotonic() + 3

    def guess(number: int) -> list[int]:
        told: list[int] = []
        headers = {"X-API-Key": f"sp_{number:012x}_{'x' * 43}"}
        with httpx.Client(base_url=serving.url, transport=httpx.HTTPTransport(local_address="127.0.0.8"), timeout=10) as client:
            while time.monotonic() < ends:
                told.append(client.post("/models/rollback", json={}, headers=headers).status_code)
                time.sleep(0.01)
        return told

    with ThreadPoolExecutor(20) as threads:
        guesses = [threads.submit(guess, number) for number in range(20)]
        time.sleep(1)
        waits: list[float] = []
        for key in keys:
            started = time.perf_counter()
            # From the guessers' own address, a key that was never seen; an empty body is refused only after the key was taken.
            assert ask(serving, "/models/rollback", key=key, by="127.0.0.8", body={}).status_code == 400
            waits.append(time.perf_counter() - started)
        told = [status for each in guesses for status in each.result()]
    assert set(told) == {401, 429}
    assert told.count(401) <= 25
    # Where guessers hold every thread, a key waits these 3 s and is refused.
    assert max(waits) < 1
    assert ask(serving, "/models/rollback", key=new_key(stored, "admin"), body={}).status_code == 400


def test_who_guesses_is_told_how_many_are_allowed_and_when_to_come_back() -> None:
    assert too_many(GUESSES, 4_200_000).detail == (
        "This address presented more than 20 wrong API keys; one every 6 s is allowed. Check the key, and try again in 5 s."
    )


def test_a_rotated_key_works_with_both_secrets_and_a_revoked_one_ends_everywhere_within_five_seconds(
    two: list[ServingProcess], stored: Engine
) -> None:
    old = new_key(stored)
    name = old.split("_")[1]
    with stored.begin() as connection:
        new = rotate_key(connection, name, utc_now().replace(year=2999), now=utc_now(), pepper=PEPPER)
    assert new is not None
    for key in (old, new):
        assert [ask(process, "/models/status", key=key).status_code for process in two] == [200, 200]
    with stored.begin() as connection:
        revoke_key(connection, name)
    revoked = time.monotonic()
    while {ask(process, "/models/status", key=key).status_code for process in two for key in (old, new)} != {401}:
        assert time.monotonic() - revoked < 5.5
        time.sleep(0.25)


def test_the_last_use_is_written_apart_and_once(module_settings: Settings, stored: Engine) -> None:
    key = new_key(stored)
    database = Database(module_settings.database_url, threads=1)
    keys = KeyChecker(database, "", pepper=PEPPER, clock=utc_now)

    def last_used() -> object:
        with stored.connect() as connection:
            return next(row["last_used_at"] for row in list_keys(connection) if row["id"] == key.split("_")[1])

    async def use() -> None:
        caller = await keys.caller(key)
        assert caller is not None
        assert last_used() is None
        await keys.tell_use_now()
        told = last_used()
        assert told is not None
        await keys.tell_use_now()
        assert last_used() == told

    asyncio.run(use())
    database.close()


@pytest.mark.parametrize(("admin_key", "opens"), [("admin", False), ("mZ4-kq9XcT2_wRv7LpNd0sYb", True)])
def test_an_admin_key_that_somebody_made_up_is_not_looked_at_once_its_address_has_guessed(admin_key: str, opens: bool) -> None:
    keys = KeyChecker(Database(""), admin_key, clock=utc_now)
    assert asyncio.run(keys.caller(admin_key)).key_id == CONFIGURED_ADMIN  # type: ignore[union-attr]
    caller = asyncio.run(keys.caller(admin_key, guesses_left=False))
    assert (caller is not None) == opens


def test_without_redis_the_processes_give_one_limit_together_acts_are_refused_and_both_can_be_set_otherwise(
    two: list[ServingProcess], redis: LocalRedis, stored: Engine, module_settings: Settings
) -> None:
    key = new_key(stored, "admin")
    others = {
        mode: ServingProcess(
            replace(module_settings, redis_url=redis.url, state_dir=module_settings.state_dir / mode),
            **SLOW,
            SENTIMENT_LIMITS_WITHOUT_REDIS=mode,
            SENTIMENT_KEY_PEPPER=PEPPER,
        ).start()
        for mode in ("local", "refuse")
    }
    try:
        numbers = count()
        for process in two:
            # By now both have heard of each other; the others were asked nothing.
            process.wait_until(
                lambda process=process: (
                    ask(process, "/models/status", f"192.0.2.{next(numbers)}").status_code == 200
                    and metric(process.client.get("/metrics").text, "serving_replicas") == 2
                )
            )
            time.sleep(0.2)
        redis.stop()
        told: dict[str, list[int]] = {}
        for name, process in {"one": two[0], "two": two[1], **others}.items():
            reads = [ask(process, "/models/status", "203.0.113.200").status_code for _ in range(45)]
            act = ask(process, "/models/rollback", "203.0.113.201", key=key, body={})
            told[name] = [reads.count(200), reads.count(503), act.status_code]
            if act.status_code == 503:
                assert (act.json()["code"], "Retry-After" in act.headers) == ("limits_unavailable", True)
                assert "SENTIMENT_LIMITS_WITHOUT_REDIS" in act.json()["detail"]
        assert told == {"one": [20, 0, 503], "two": [20, 0, 503], "local": [40, 0, 400], "refuse": [0, 45, 503]}
        redis.start()
        # It knows no script and no bucket: both are there again with the next request.
        two[0].wait_until(lambda: ask(two[0], "/models/rollback", "203.0.113.202", key=key, body={}).status_code == 400, 5)
        assert ask(two[1], "/models/status", "203.0.113.203").status_code == 200
    finally:
        for process in others.values():
            process.stop()
