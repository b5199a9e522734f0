"""A day of 96 ticks, a tenth of them dropped: what was published is stored once, in its own day, and as far as a feature vector.

The real code on injected time: collection, stories, features and late news, over PostgreSQL, Redis and an HTTP server. Two of the
ticks go through the schedule and Dagster, which shows that the graph does the same.
"""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from sqlalchemy import Engine, text

from sentiment_platform.features.assets import article_features
from sentiment_platform.features.connection import connect
from sentiment_platform.features.pipeline import refresh_context, run
from sentiment_platform.features.schema import V1
from sentiment_platform.fetching.http import FetchLimits, user_agent
from sentiment_platform.fetching.politeness import PoliteClient, Retries
from sentiment_platform.news import checks as news_checks
from sentiment_platform.news.articles import cluster_days
from sentiment_platform.news.assets import articles, raw_news
from sentiment_platform.news.collect.days import days_to_collect, midnight
from sentiment_platform.news.collect.turn import Collection, collect_live
from sentiment_platform.news.jobs import collect_job
from sentiment_platform.news.late import REMEMBERED, Asked, plan
from sentiment_platform.news.parsing.sandbox import FeedParser
from sentiment_platform.news.schedules import collection_schedule
from sentiment_platform.news.sources.configured import configured_sources
from sentiment_platform.sentiment.assets import article_sentiment
from sentiment_platform.settings import Settings
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform.store.late_news import waiting_days
from sentiment_platform.store.resources import PlatformResource
from sentiment_platform.store.sources import read_source_state, write_source_state
from sentiment_platform_tests.e2e.world import CATALOGUE, DAY, FORGETFUL, LATE_DAYS, MIDNIGHT, NAMES, World
from sentiment_platform_tests.news.parsing.hostile import Trap
from sentiment_platform_tests.news.server import ScriptedServer, canary, serving

pytestmark = pytest.mark.slow

TICK = timedelta(minutes=15)
TICKS = [MIDNIGHT + n * TICK for n in range(96)]
AFTER = [MIDNIGHT + timedelta(days=1) + n * TICK for n in range(6)]
DROPPED = frozenset(random.Random(3).sample(TICKS, 10))
THROUGH_DAGSTER = {TICKS[1], TICKS[70]}
HOSTILE_SENDS_GOOD = 6
"""Ticks between two at which even the hostile source sends its feed."""


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with serving() as server:
        yield server


@pytest.fixture
def world(server: ScriptedServer, tmp_path: Path) -> Iterator[World]:
    secret = tmp_path / "secret"
    secret.write_text("only ours")
    with canary() as watched:
        world = World(Trap(secret, watched.port))
        world.serve(server)
        yield world
    assert watched.seen == []


@dataclass
class Simulation:
    """The collector's side of the day."""

    world: World
    overrides: dict[str, str]
    engine: Engine
    redis: Any
    parser: FeedParser
    instance: dg.DagsterInstance
    asked: dict[date, Asked] = field(default_factory=dict[date, Asked])
    made: Counter[date] = field(default_factory=Counter[date])
    made_late: list[date] = field(default_factory=list[date])
    adds_up: bool = True

    def tick(self, now: datetime, *, forget: bool = False) -> None:
        self.world.now = now
        self.world.hostile_sends_good = (int((now - MIDNIGHT) / TICK) % HOSTILE_SENDS_GOOD) == 0 or now in THROUGH_DAGSTER
        if now in THROUGH_DAGSTER:
            self._through_dagster(now)
        else:
            self.collect(now, forget=forget)
            for day in days_to_collect(now):
                self.make(day, day, now)
        self._late_news(now)

    def collect(self, now: datetime, *, forget: bool = False) -> None:
        settings = Settings.from_environment(self.overrides)
        if forget:
            self._forget()
        client = PoliteClient(
            agent=user_agent(None),
            limits=FetchLimits(allow_private_hosts=True),
            retries=Retries(attempts=2),
            sleep=lambda _: None,
        )
        collection = Collection(self.engine, client, self.parser, f"run-{now:%d-%H%M}", now)
        reports = collect_live(collection, configured_sources(settings, {}))
        self.adds_up &= all(report.adds_up for report in reports)

    def make(self, first: date, last: date, now: datetime) -> None:
        start, end = midnight(first), midnight(last) + timedelta(days=1)
        run_id = f"run-{now:%d-%H%M}"
        cluster_days(self.engine, start, end, run_id=run_id, now=now)
        run(self.engine, self.redis, V1, start, end, now, run_id=run_id)
        refresh_context(self.engine, self.redis, V1, now)
        self.made.update(first + timedelta(days=n) for n in range((last - first).days + 1))

    def _late_news(self, now: datetime) -> None:
        with self.engine.connect() as connection:
            waiting = waiting_days(connection, since=now - REMEMBERED, before=midnight(days_to_collect(now)[-1]))
        late = plan(waiting, self.asked, now)
        self.asked = late.asked
        for first, last in late.ranges:
            self.make(first, last, now)
            self.made_late += [first + timedelta(days=n) for n in range((last - first).days + 1)]

    def _through_dagster(self, now: datetime) -> None:
        platform = PlatformResource(overrides=self.overrides, fixed_now=now.isoformat())
        job = dg.Definitions(
            assets=[raw_news, articles, article_features, article_sentiment],
            asset_checks=dg.load_asset_checks_from_modules([news_checks]),
            jobs=[collect_job],
            resources={"platform": platform},
        ).resolve_job_def("collect_job")
        with dg.build_schedule_context(
            instance=self.instance, scheduled_execution_time=now, resources={"platform": platform}
        ) as tick:
            requests = collection_schedule(tick)
        assert isinstance(requests, list)
        for request in requests:
            key, config = request.partition_key, request.run_config
            assert job.execute_in_process(instance=self.instance, partition_key=key, run_config=config).success
            self.made[date.fromisoformat(key or "")] += 1

    def _forget(self) -> None:
        with self.engine.begin() as connection:
            state = read_source_state(connection, "forgetful")
            write_source_state(connection, type(state)(source="forgetful"))

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]


@pytest.fixture
def simulation(world: World, server: ScriptedServer, database_url: str, redis_url: str, tmp_path: Path) -> Iterator[Simulation]:
    file = tmp_path / "sources.toml"
    file.write_text(CATALOGUE.format(url=server.url))
    overrides = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SENTIMENT_SOURCES": str(file),
        "SENTIMENT_STATE_DIR": str(tmp_path / "state"),
        "SENTIMENT_ALLOW_PRIVATE_HOSTS": "yes",
    }
    engine, redis = create_platform_engine(database_url), connect(redis_url)
    with dg.DagsterInstance.ephemeral() as instance, FeedParser() as parser:
        yield Simulation(world, overrides, engine, redis, parser, instance)
    redis.close()
    engine.dispose()


def test_a_day_with_dropped_ticks_and_bad_sources_ends_with_every_good_item_stored_once_in_its_day(
    simulation: Simulation,
) -> None:
    world = simulation.world
    for now in [*TICKS, *AFTER]:
        if now not in DROPPED:
            simulation.tick(now)

    expected = Counter({(one.title, one.day) for one in world.items})
    stored = simulation.rows(
        "SELECT title, CAST(timezone('UTC', published_at) AS date) FROM platform.raw_data WHERE canonical_url NOT LIKE 'https://e.example/%'"
    )
    assert Counter(stored) == expected
    assert len(stored) > 400
    sighted = simulation.rows(
        "SELECT sightings.source, url FROM platform.sightings JOIN platform.raw_data ON id = article_id WHERE title LIKE 'told twice%'"
    )
    assert len(sighted) == 10

    # Everything that was fetched has one fate, and the reports say the same as the rows.
    assert simulation.adds_up
    reported = simulation.rows(
        "SELECT source, sum(stored), sum(fetched - stored - duplicate - quarantined) FROM platform.collection_runs GROUP BY 1 ORDER BY 1"
    )
    rows = simulation.rows("SELECT source, count(*), 0 FROM platform.raw_data GROUP BY 1 ORDER BY 1")
    assert reported == rows
    assert {source for source, *_ in rows} == set(NAMES)
    titles = {one.title for one in world.items}
    refused = simulation.rows("SELECT source, payload ->> 'title' FROM platform.quarantine")
    assert {source for source, _ in refused} == {"hostile"}
    assert titles.isdisjoint(title for _, title in refused)

    # As far as a vector, and nothing twice.
    for table in ("story_clusters", "processed_features"):
        assert simulation.rows(
            f"SELECT count(*), count(DISTINCT article_id) FROM platform.{table} WHERE article_id IS NOT NULL"
        ) == [(sum(count for _, count, _ in rows),) * 2]

    # Each tick made its day; what came late made the days that it belongs to, each time once.
    midnights = [now for now in TICKS[:4] if now not in DROPPED]
    assert simulation.made[DAY] == len(TICKS) - len(DROPPED) + 4 + simulation.made_late.count(DAY)
    yesterday, tomorrow = DAY - timedelta(days=1), DAY + timedelta(days=1)
    assert simulation.made[yesterday] == len(midnights) + simulation.made_late.count(yesterday)
    late = Counter(one.day for one in world.items if one.title.startswith("late"))
    hostile_days = {
        day
        for (day,) in simulation.rows(
            "SELECT DISTINCT CAST(timezone('UTC', published_at) AS date) FROM platform.raw_data WHERE canonical_url LIKE 'https://e.example/%'"
        )
    }
    assert set(late) == set(LATE_DAYS)
    made_late = Counter(day for day in simulation.made_late if day not in hostile_days)
    assert made_late == late + Counter({yesterday: 1})
    assert simulation.asked == {}
    assert tomorrow in simulation.made

    with simulation.engine.connect() as connection:
        states = {name: read_source_state(connection, name) for name in NAMES}
    assert (states["liar"].validators_broken, states["wire"].validators_broken) == (True, False)
    assert states["down"].consecutive_failures == 0
    outage = simulation.rows("SELECT count(*) FROM platform.collection_runs WHERE source = 'down' AND outcome = 'failed'")
    assert outage[0][0] >= 16


def test_a_collector_without_memory_of_its_last_window_loses_what_dropped_ticks_would_have_brought(
    simulation: Simulation, server: ScriptedServer
) -> None:
    """The control: only the windows that reach back to the last finished one make up for ticks."""
    vendor = CATALOGUE[CATALOGUE.index("[vendor]") :]
    Path(simulation.overrides["SENTIMENT_SOURCES"]).write_text((vendor + FORGETFUL).format(url=server.url))
    for now in [*TICKS, *AFTER]:
        if now not in DROPPED:
            simulation.world.now = now
            simulation.collect(now, forget=True)
    seen = {source: {article for _, article in simulation.rows(f"SELECT 1, article_id FROM platform.sightings WHERE source = '{source}'")} for source in ("vendor", "forgetful")}  # fmt: skip
    assert len(seen["vendor"]) == sum(one.source == "vendor" for one in simulation.world.items)
    assert len(seen["forgetful"]) < 0.9 * len(seen["vendor"])
