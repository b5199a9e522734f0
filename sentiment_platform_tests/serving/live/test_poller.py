"""The order of a poll and of a choice that is made meanwhile, whose moment cannot be hit from outside; and whom an idle process wakes."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest
import redis
from sqlalchemy import Engine

from sentiment_platform.clock import utc_now
from sentiment_platform.github_server import GithubServer
from sentiment_platform.registry.cache import RegistryCache
from sentiment_platform.registry.deployment import Deployment
from sentiment_platform.registry.reader import LatestDeployment, RegistryReader, Unchanged
from sentiment_platform.settings import Settings
from sentiment_platform_tests.serving.conftest import StartServing
from sentiment_platform_tests.serving.live.selected import selection
from sentiment_platform_tests.serving.publishing import Publisher
from sentiment_platform_tests.serving.running import ServingProcess, metric
from serving.live.live import LiveModels
from serving.live.loading import ModelLoader
from serving.live.machine import Machine
from serving.live.poller import Poller
from serving.live.selection_requests import record_selections
from serving.live.selections import Selection
from serving.live.trial import Trials
from serving.metrics import Metrics
from serving.services import PROBE_S
from serving.work.scheduler import Scheduler

OLDER = [selection("v1.0.0-vader")]


class Seen:
    """Stands for a snapshot."""


class Played:
    """What a poller follows and where it reads: `current` changes while the selections are read, where `chooses` says so."""

    def __init__(self, chooses: bool) -> None:
        self.current = Seen()
        self.facts = None
        self.registry = type("Registry", (), {"reachable": True})()
        self.polled: list[list[Selection] | None] = []
        self._chooses = chooses

    def selections(self) -> list[Selection]:
        return []

    def in_force(self, _connection: object, *, live_revision: int) -> list[Selection]:
        raise AssertionError(f"read at {live_revision} by `call`")

    @property
    def kept(self) -> "Played":
        return self

    read = selections

    def follow(self, selections: Sequence[Selection]) -> None:
        assert not selections

    def start_from_cache(self, selections: Sequence[Selection]) -> None:
        assert list(selections) == OLDER

    async def call(self, _read: object, *, limit_s: float) -> list[Selection]:
        assert limit_s > 0
        if self._chooses:
            self.current = Seen()
        return OLDER

    def is_behind(self) -> bool:
        return False

    def poll(self, selections: list[Selection] | None) -> None:
        self.polled.append(selections)


async def one_poll(played: Played) -> None:
    poller = Poller(cast("Any", played), cast("Any", played), cast("Any", played), lambda: 0, poll_s=60.0)
    running = asyncio.create_task(poller.run())
    while not played.polled:
        await asyncio.sleep(0.01)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    poller.close()


@pytest.mark.parametrize(("chooses", "polled"), [(True, None), (False, OLDER)])
def test_a_poll_forgets_what_it_read_before_a_choice_was_made(chooses: bool, polled: list[Selection] | None) -> None:
    played = Played(chooses)
    asyncio.run(asyncio.wait_for(one_poll(played), 20))
    assert played.polled == [polled]


class Interrupted(RegistryReader):
    """Something happens while it looks at the registry."""

    happens: Callable[[], object] = staticmethod(lambda: None)

    def poll_latest(self, etag: str | None = None, *, known: Deployment | None = None) -> LatestDeployment | Unchanged | None:
        self.happens()
        return super().poll_latest(etag, known=known)


@pytest.mark.slow
def test_a_rollback_during_a_look_at_the_registry_is_not_undone_by_the_choices_that_were_read_before_it(
    settings: Settings, publisher: Publisher, tmp_path: Path
) -> None:
    keys = publisher.keys.public()
    reader = Interrupted(settings.registry_repository, url=settings.registry_url, token=settings.registry_token, public_keys=keys)
    cache = RegistryCache(tmp_path / "copies", keys)
    with ThreadPoolExecutor(1) as threads:
        machine = Machine(cache.folder, fresh_s=0, clock=utc_now)
        live = LiveModels(
            ModelLoader(cache, reader, Trials(cache.folder), Scheduler(threads, 1), machine),
            cache,
            reader,
            Metrics(),
            clock=utc_now,
        )
        publisher.deploy(publisher.model("v1.0.0-vader"))
        live.poll([])
        publisher.deploy(publisher.model("v1.0.1-vader", steepness=2.0))
        live.poll([])

        async def go_back() -> None:
            facts = live.facts
            assert facts is not None
            back = replace(selection("v1.0.0-vader"), expected_revision=2, restores=1)
            assert live.way_back.take(facts, live.way_back.target(facts, at_hand=True), [back])

        reader.happens = lambda: asyncio.run(go_back())
        live.poll([])
        assert live.facts is not None
        assert live.facts.versions == {"vader": "v1.0.0-vader"}
        reader.happens = lambda: None
        live.poll([])
        assert live.facts.versions == {"vader": "v1.0.1-vader"}, "the control: what is read after it counts"
    reader.close()


def statements(database_url: str) -> list[Any]:
    """When each connection to the database began its last statement; ours is left out."""
    with psycopg.connect(database_url) as connection:
        return connection.execute(
            """SELECT pid, query_start FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid() ORDER BY pid"""
        ).fetchall()


def polled(serving: ServingProcess) -> float:
    """By a scrape, which asks for nothing."""
    return metric(serving.client.get("/metrics").text, "serving_polls_total", outcome="answered")


@pytest.mark.slow
def test_an_idle_process_wakes_neither_postgres_nor_redis_and_a_choice_made_elsewhere_answers_once_somebody_asks(
    settings: Settings, engine: Engine, publisher: Publisher, start_serving: StartServing
) -> None:
    publisher.deploy(publisher.model("v1.0.0-vader"))
    publisher.deploy(publisher.model("v1.0.1-vader", steepness=2.0))
    serving = start_serving(SENTIMENT_POLL_S="0.5")

    def version() -> str:
        return serving.predict()["performance"]["model_version"]

    assert version() == "v1.0.1-vader"
    serving.wait_until(lambda: serving.health()["journal_backlog_records"] == 0)
    with redis.Redis.from_url(settings.redis_url) as client:

        def looked() -> tuple[list[Any], int]:
            # Each look is a command itself.
            looks[0] += 1
            return statements(settings.database_url), client.info("stats")["total_commands_processed"] - looks[0]

        looks = [0]
        # What follows an answer: it is shipped, and the servers are probed once more within five seconds.
        time.sleep(1.5 * PROBE_S)
        before = looked()
        polls = polled(serving)
        time.sleep(1.5 * PROBE_S)
        assert looked() == before
        assert polled(serving) >= polls + 3, "the control: it looks at the registry meanwhile"
    with engine.begin() as connection:
        chosen = replace(selection("v1.0.0-vader"), expected_revision=2)
        record_selections(connection, [chosen], action="models:select", before=({}, "vader"), after=({}, "vader"))
    time.sleep(1.5)
    assert serving.status()["families"]["vader"]["version"] == "v1.0.1-vader", "the control: nobody asks, and nothing was read"
    version()
    asked = time.monotonic()
    serving.wait_until(lambda: version() == "v1.0.0-vader", 10)
    assert time.monotonic() - asked < 5


@pytest.mark.slow
def test_what_people_chose_and_went_back_from_elsewhere_answers_here_also_while_the_registry_is_away(
    settings: Settings, publisher: Publisher, github_server: GithubServer, start_serving: StartServing
) -> None:
    publisher.deploy(publisher.model("v1.0.0-vader"))
    publisher.deploy(publisher.model("v1.0.1-vader", steepness=2.0))
    elsewhere = replace(settings, state_dir=settings.state_dir / "elsewhere")
    asked, *_ = every = [start_serving(over=over, SENTIMENT_ADMIN_KEY="the-key") for over in (settings, settings, elsewhere)]

    def versions() -> set[str]:
        return {each.predict()["performance"]["model_version"] for each in every}

    for each in every:
        each.wait_until(lambda each=each: each.status()["rollback"] == {"revision": 1, "held": True})
    github_server.stop()
    for each in every:
        each.wait_until(lambda each=each: each.status()["registry"]["reachable"] is False)
    for version, path in (("v1.0.0-vader", "rollback"), ("v1.0.1-vader", "select")):
        wanted = {"family": "vader", "version": version} if path == "select" else {}
        reply = asked.client.post(f"/models/{path}", json={"reason": "a test", **wanted}, headers={"X-API-Key": "the-key"})
        assert (reply.status_code, reply.json()["recorded"]) == (200, True), reply.text
        asked.wait_until(lambda version=version: versions() == {version}, 10)
        assert all(each.status()["registry"]["reachable"] is False for each in every), "the control: nobody heard of it there"
