"""kill -9 before and after every side effect of what fills the stores, then the run again: they equal those of an uninterrupted run.

The points are not listed by hand: an uninterrupted run counts its side effects (`crashing.Effects`), and each is died at twice.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import dagster as dg
import msgspec
import pytest
import redis
from sqlalchemy import Engine, create_engine, text

from sentiment_platform.entities import feature_key
from sentiment_platform.features.online import decode, encode
from sentiment_platform.features.pipeline import run
from sentiment_platform.features.schema import V1
from sentiment_platform.market.prices import store_bars
from sentiment_platform.settings import Settings
from sentiment_platform.store.vectors import FeatureRow, write_features
from sentiment_platform_tests.faults.crashing import Answer, Case, Work
from sentiment_platform_tests.features.articles import article, insert
from sentiment_platform_tests.market.making import raw, sessions
from sentiment_platform_tests.news.server import ScriptedServer, item, reply, rss, serving
from sentiment_platform_tests.serving.publishing import Publisher
from sentiment_platform_tests.serving.running import environment_of

pytestmark = pytest.mark.slow

NOW = datetime(2025, 1, 6, 12, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
ASSETS = ("raw_news", "articles", "article_features")
# Without what tells one run from another: its name, how often it asked.
COLUMNS = {
    "raw_data": "id, source, external_id, title, tickers, published_at, fetched_at, available_at, content_hash",
    "sightings": "source, external_id, article_id, first_seen_at",
    "story_clusters": "article_id, story_id, method, similarity",
    "quarantine": "id, boundary, source, rule, payload, fetched_at, released_at",
    "processed_features": "entity, schema_version, as_of, article_id, values, revision, computed_at",
    "source_state": "source, etag, body_hash, last_success_at, last_failure, retry_after, cursor, validators_broken",
    "market_prices": "symbol, session, open, high, low, close, volume, source, available_at, fetched_at, revision",
    "price_revisions": "symbol, session, revision, open, high, low, close, volume, fetched_at",
    "article_sentiment": "article_id, version, manifest_digest, negative, neutral, positive, label, text_hash, characters_read, scored_at",
    "outcomes": "article_id, symbol, horizon_sessions, rule, reason, entry_at, available_at, adjusted_return, label, market",
}
COLLECTED = ("raw_data", "sightings", "story_clusters", "quarantine", "processed_features", "source_state")
TABLES: dict[Work, tuple[str, ...]] = {
    "collection": COLLECTED,
    "collection in Dagster": COLLECTED,
    "prices to online features": ("market_prices", "price_revisions", "quarantine", "outcomes", "processed_features"),
    "articles to scores": ("article_sentiment",),
}
SCRIPTS: dict[Work, int] = {"prices to online features": 2}
CALLS: dict[Work, int] = {"prices to online features": 1, "articles to scores": 0}
"""Writes to Redis that there are at least, where that is not three calls."""
SYMBOLS = ("EXM", "AAA", "BBB", "CCC")
FIRST_SESSION = "2024-12-18"
CATALOGUE = """
[wire]
kind = "rss"
title = "Wire"
url = "{url}/wire"
[gone]
kind = "rss"
title = "Gone"
url = "{url}/gone"
[vendor]
kind = "json_api"
title = "Vendor of two pages"
url = "{url}/vendor"
items_at = "items"
fields = {{ id = "id", title = "title", published_at = "at", tickers = "symbols" }}
paging = {{ kind = "cursor", parameter = "page", at = "next" }}
"""


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    def at(hours: float) -> datetime:
        return NOW - timedelta(hours=hours)

    def row(number: int) -> dict[str, Any]:
        title = f"Unit {number} of the works reports a profit"
        return {"id": number, "title": title, "at": at(number / 4).isoformat(), "symbols": ["ABC"]}

    with serving() as server:
        good = [item(f"Harbour {n} is dredged", f"https://wire.example/{n}", format_datetime(at(n))) for n in (1, 2, 30, 80)]
        bad = item("From the future", "https://wire.example/future", format_datetime(at(-900)))
        server.answers["/wire"] = reply(rss(*good, bad), etag='"1"')
        server.answers["/vendor"] = reply(msgspec.json.encode({"items": [row(n) for n in range(1, 8)], "next": "2"}))
        server.answers["/vendor?page=2"] = reply(msgspec.json.encode({"items": [row(n) for n in range(8, 12)]}))
        for symbol in SYMBOLS:
            server.answers[f"/prices/{symbol}"] = reply(msgspec.json.encode({"rows": bars(symbol)}))
        yield server


def bars(symbol: str, higher: float = 0.0) -> list[dict[str, Any]]:
    """Rows as the vendor gives them: EXM rises by the day; of AAA one is of a holiday, which the contract refuses."""
    days = [f"{day}" for day in sessions(FIRST_SESSION, "2025-01-03")]
    step = 2.0 if symbol == "EXM" else 0.0
    rows = [(day, 100.0 + higher + step * n) for n, day in enumerate(days)]
    rows += [("2025-01-01", 100.0)] if symbol == "AAA" else []
    return [{"day": day, "open": p, "high": p, "low": p, "close": p, "volume": 1000} for day, p in rows]


def seed(engine: Engine, client: Any) -> None:
    """Articles with outcomes to come, a bar that the vendor has changed since, and a Redis that says other things than PostgreSQL."""
    days = (1, 2, 3, 4, 18)
    insert(engine, [article(n, -n * 24 * 60, tickers=("EXM", "AAA")) for n in days])
    run(engine, client, V1, NOW - timedelta(days=20), NOW, NOW, run_id="before")
    context = [
        FeatureRow(
            entity="ticker:EXM",
            schema_version="v1",
            as_of=NOW - timedelta(days=d),
            article_id=None,
            values=(float(d),) * len(V1.names),
        )
        for d in (50, 40)
    ]
    former = [raw(row["day"], "EXM", row["close"]) for row in bars("EXM", higher=1.0)[:3]]
    with engine.begin() as connection:
        write_features(connection, context, NOW - timedelta(days=35))
        store_bars(connection, former, source="vendor", run_id="before", now=NOW - timedelta(days=1))
    names = [f"article:{n:032}" for n in days]
    values = dict.fromkeys(V1.names, 0.5)
    client.delete(feature_key("v1", names[0]))
    client.set(feature_key("v1", names[1]), encode("v1", values, NOW - timedelta(days=9), NOW))
    client.set(feature_key("v1", names[2]), encode("v1", values, NOW + timedelta(minutes=1), NOW))
    client.set(feature_key("v1", "ticker:NONE"), encode("v1", values, NOW, NOW))


class Collector:
    """The process that forks one run for each case; and what the stores hold afterwards."""

    def __init__(
        self, process: "subprocess.Popen[str]", engine: Engine, redis_url: str, overrides: dict[str, str], at: Path, vendor: str
    ) -> None:
        self._process, self._engine, self._overrides, self._vendor = process, engine, overrides, vendor
        self._redis = redis.Redis.from_url(redis_url)
        self._fresh_home, self._home = at / "fresh", at / "home"
        self._fresh_home.mkdir()
        with dg.DagsterInstance.local_temp(str(self._fresh_home)) as instance:
            assert instance.get_runs_count() == 0

    def reset(self, work: Work) -> None:
        """Everything as before the first run."""
        with self._engine.begin() as connection:
            connection.execute(
                text(f"TRUNCATE {', '.join(f'platform.{table}' for table in COLUMNS)}, platform.collection_runs CASCADE")
            )
        self._redis.flushall()
        if work == "prices to online features":
            seed(self._engine, self._redis)
        if work == "articles to scores":
            insert(self._engine, [article(n, n) for n in range(8)])
        shutil.rmtree(self._home, ignore_errors=True)
        shutil.copytree(self._fresh_home, self._home)

    def run(self, work: Work, kill_at: tuple[str, int] | None = None) -> Answer:
        """One run, in a process of its own."""
        day = FIRST_SESSION if work == "prices to online features" else f"{NOW:%Y-%m-%d}"
        case = Case(self._overrides, NOW.isoformat(), day, str(self._home), work, self._vendor, kill_at)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(case).decode() + "\n")
        self._process.stdin.flush()
        return msgspec.json.decode(self._process.stdout.readline(), type=Answer)

    def stores(self) -> dict[str, Any]:
        """Tables, Redis, and the data versions that Dagster knows."""
        found: dict[str, Any] = {}
        with self._engine.connect() as connection:
            for table, columns in COLUMNS.items():
                rows = connection.execute(text(f"SELECT CAST(({columns}) AS text) FROM platform.{table} ORDER BY 1"))
                found[table] = list(rows.scalars())
            report = (
                "SELECT source, sum(stored), bool_and(fetched = stored + duplicate + quarantined) FROM platform.collection_runs"
            )
            found["reports"] = [tuple(row) for row in connection.execute(text(f"{report} GROUP BY 1 ORDER BY 1"))]
        keys: list[Any] = sorted(self._redis.keys())  # type: ignore[type-var]
        found["redis"] = {key: decode(self._redis.get(key), "v1", NOW) for key in keys}  # type: ignore[arg-type]
        found["data versions"] = {}
        with dg.DagsterInstance.local_temp(str(self._home)) as instance:
            for asset in ASSETS:
                event = instance.get_latest_materialization_event(dg.AssetKey(asset))
                made = event.asset_materialization if event else None
                found["data versions"][asset] = (made.tags or {}).get("dagster/data_version") if made else None
        return found


@pytest.fixture
def collector(
    server: ScriptedServer, settings: Settings, redis_url: str, tmp_path: Path, servers_dir: Path
) -> Iterator[Collector]:
    home = Path(tempfile.mkdtemp(dir=servers_dir))
    sources = tmp_path / "sources.toml"
    sources.write_text(CATALOGUE.format(url=server.url))
    overrides = environment_of(settings) | {
        "SENTIMENT_SOURCES": str(sources),
        "SENTIMENT_PRICE_SOURCE": "vendor",
        "SENTIMENT_PRICE_KEY": "key",
        "SENTIMENT_PRICE_SYMBOLS": ",".join(SYMBOLS),
    }
    command = [sys.executable, "-m", "sentiment_platform_tests.faults.crashing"]
    engine = create_engine(settings.database_url.replace("postgresql://", "postgresql+psycopg://", 1))
    with closing(Publisher(settings, engine)) as publisher:
        publisher.model("v0.9.0-vader", steepness=2.0)
        publisher.deploy(publisher.model())
    with (tmp_path / "log").open("w") as log, started(command, log) as process:
        yield Collector(process, engine, redis_url, overrides, home, server.url)
    engine.dispose()


@contextmanager
def started(command: list[str], log: Any) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("work", TABLES)
def test_after_kill_9_at_any_side_effect_the_next_run_leaves_what_an_uninterrupted_one_does(
    collector: Collector, work: Work
) -> None:
    """What is written to the stores is died at step by step; the events are those of a run through Dagster, which writes the same."""
    dagster = work == "collection in Dagster"
    collector.reset(work)
    whole = collector.run(work)
    assert whole.status == 0
    expected = collector.stores()
    written = " ".join(name for name in whole.effects if name.startswith("commit"))
    assert all(table in written for table in TABLES[work])
    assert all(expected[name] for name in TABLES[work])
    scripts, calls = whole.effects.count("redis EVAL"), whole.effects.count("redis")
    assert scripts >= SCRIPTS.get(work, 0)
    assert calls >= CALLS.get(work, 3)
    assert bool(expected["redis"]) == bool(calls)
    events = ["event ASSET_MATERIALIZATION"] * 3 + ["event PIPELINE_SUCCESS"] if dagster else []
    assert [name for name in whole.effects if name.startswith("event")] == events
    assert [version for version in expected["data versions"].values() if version] == (whole.versions if dagster else [])
    points = [(number, name) for number, name in enumerate(whole.effects) if name.startswith("event") or not dagster]
    missing = 0
    for number, name in points:
        for when in ("before", "after"):
            collector.reset(work)
            assert collector.run(work, (when, number)).status == -9
            missing += collector.stores() != expected
            again = collector.run(work)
            assert (again.status, again.versions) == (0, whole.versions)
            found = collector.stores()
            for store, content in expected.items():
                assert found[store] == content, f"{store} after a kill {when} {name}, number {number}"
    # The control: the kills did leave work to do, all but those after the last write.
    assert missing == 2 * len(points) - (3 if dagster else 1)
