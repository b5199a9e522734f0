"""The feature store: how soon a request has its vector, how fast a pass is, what hot queries cost at a million rows, Redis at fault."""

import asyncio
import math
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine

from sentiment_platform.features.connection import connect
from sentiment_platform.features.online import OnlineRow, write
from sentiment_platform.features.pipeline import run
from sentiment_platform.features.schema import SCHEMAS, V1, V2
from sentiment_platform.local.parts.redis import LocalRedis
from sentiment_platform.store.articles import NewArticle, insert_articles
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform.store.stories import StoryAssignment, write_stories
from sentiment_platform_tests.benchmarks.rows import TABLE, Figure
from sentiment_platform_tests.benchmarks.serving_start import local_settings
from sentiment_platform_tests.faults.proxy import Proxy
from sentiment_platform_tests.faults.redis import EMPTYING, FAULTS, Rig
from sentiment_platform_tests.serving.publishing import Publisher
from sentiment_platform_tests.serving.running import ServingProcess
from sentiment_platform_tests.store.million import HOT, WINDOWS, explain, fill
from serving.links.redis_link import RedisLink
from serving.predict.online_features import FeatureReader, Input

REQUESTS = 1_000
ARTICLES = 10_000
ROWS = 1_000_000
DAY = datetime(2025, 1, 6, tzinfo=UTC)
_WORDS = (
    "profit",
    "loss",
    "growth",
    "great",
    "terrible",
    "board",
    "meets",
    "shares",
    "rise",
    "fall",
    "not",
    "record",
    "weak",
    "12%",
)


def headline(number: int) -> str:
    """A made-up headline of 11 words."""
    return f"Company {number} " + " ".join(_WORDS[(number * step + step) % len(_WORDS)] for step in range(1, 10))


@TABLE.row("F.6", "features: compute and Redis fetch of one request, single client")
def one_vector() -> Iterator[Figure]:
    with local_settings() as settings:
        for schema in (V1, V2):
            took_ms = asyncio.run(_ask(settings.redis_url, schema.version))
            yield Figure(
                f"95th percentile of a vector of schema {schema.version}",
                float(np.quantile(took_ms, 0.95)),
                "ms",
                5.0,
                len(took_ms),
                explains={
                    "median_ms": round(statistics.median(took_ms), 3),
                    "p99_ms": round(float(np.quantile(took_ms, 0.99)), 3),
                },
            )


async def _ask(redis_url: str, version: str) -> list[float]:
    now = datetime.now(UTC)
    with closing(connect(redis_url)) as client:
        for kind in ("ticker", "source"):
            values = dict.fromkeys(SCHEMAS[version].names_of(kind), 0.5)
            write(client, version, [OnlineRow(f"{kind}:{n}", values, now) for n in range(100)], now)
    link = RedisLink(redis_url)
    await link.probe()
    reader = FeatureReader(link)
    took_ms: list[float] = []
    for number in range(REQUESTS + 50):
        request = Input(headline(number), str(number % 100), str(number % 100), now)
        started = time.perf_counter()
        found = await reader.read(request, version)
        took_ms.append((time.perf_counter() - started) * 1000)
        assert found.status == "PRESENT"
    await link.close()
    # The first ones load the lexicon.
    return took_ms[50:]


@TABLE.row("F.7-features", "features: one pass over 10,000 articles of 20 days, into PostgreSQL and Redis")
def one_pass() -> Iterator[Figure]:
    with local_settings() as settings:
        engine = create_platform_engine(settings.database_url)
        store_articles(engine)
        end = DAY + timedelta(days=20)
        with closing(connect(settings.redis_url)) as client:
            # Pandera, Polars and the lexicon are loaded by the first.
            run(engine, client, V1, DAY, DAY + timedelta(hours=1), end, run_id="warm")
            for name, schema, days in (("in one range", V1, 20), ("day by day", V1, 1), ("in one range", V2, 20)):
                _empty(engine)
                started, used = time.perf_counter(), time.process_time()
                done = sum(
                    run(
                        engine, client, schema, DAY + timedelta(days=n), DAY + timedelta(days=n + days), end, run_id="bench"
                    ).articles
                    for n in range(0, 20, days)
                )
                seconds = time.perf_counter() - started
                assert done == ARTICLES
                yield Figure(
                    f"schema {schema.version}, {name}",
                    done / seconds,
                    "articles/s",
                    4_000 if schema is V1 and days == 20 else 2_000,
                    done,
                    at_least=True,
                    explains={"seconds": round(seconds, 2), "processor_s": round(time.process_time() - used, 2)},
                )
        engine.dispose()


def store_articles(engine: Engine, articles: int = ARTICLES, days: int = 20) -> None:
    """So many articles, evenly over so many days."""
    rows = []
    for n in range(articles):
        at = DAY + timedelta(days=days) * n / articles
        tickers = (f"T{n % 200}", f"T{n * 7 % 200}") if n % 2 else ()
        rows.append(
            NewArticle(
                id=f"{n:032}",
                source="wire",
                external_id=str(n),
                url=None,
                canonical_url=None,
                outlet=f"Outlet {n % 50}",
                title=headline(n),
                summary=None,
                language=None,
                tickers=tickers,
                published_at=at,
                published_text=None,
                fetched_at=at,
                available_at=at,
                content_hash=f"{n:064}",
                run_id="bench",
            )
        )
    for first in range(0, articles, 5_000):
        some = rows[first : first + 5_000]
        with engine.begin() as connection:
            insert_articles(connection, some)
            write_stories(connection, [StoryAssignment(a.id, f"{int(a.id) // 2 * 2:032}", "minhash", 1.0) for a in some])
    _command(engine, "ANALYZE")


def _empty(engine: Engine) -> None:
    _command(engine, "TRUNCATE platform.processed_features")


def _command(engine: Engine, statement: str) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)


@TABLE.row("S3.7", "hot queries at 1,000,000 rows in each table")
def hot_queries() -> Iterator[Figure]:
    with local_settings() as settings:
        engine = create_platform_engine(settings.database_url)
        fill(engine, ROWS)
        for name, ask in HOT.items():
            yield _query(engine, name, ask, target_ms=50.0)
        # Without a bound: their answers are so many rows that no index makes them short.
        for name, ask in WINDOWS.items():
            yield _query(engine, name, ask, target_ms=math.inf)
        engine.dispose()


def _query(engine: Engine, name: str, ask: Callable[[Connection], Any], target_ms: float) -> Figure:
    plans = [explain(engine, ask) for _ in range(5)]
    explains = {"rows": plans[0].rows, "indexes": plans[0].indexes, "read_from_end_to_end": plans[0].scanned}
    median_ms = statistics.median(plan.execution_ms for plan in plans)
    return Figure(name, median_ms, "ms", target_ms if not plans[0].scanned else 0.0, len(plans), explains=explains)


@TABLE.row("R.8", "Redis at fault: what it adds to the 99th percentile of a prediction, and how soon it is over")
def redis_faults() -> Iterator[Figure]:
    with local_settings() as settings:
        folder = Path(settings.state_dir) / "faulty-redis"
        folder.mkdir(mode=0o711)
        server = LocalRedis(folder)
        server.start()
        engine = create_platform_engine(settings.database_url)
        publisher = Publisher(settings, engine)
        publisher.deploy(publisher.model())
        publisher.close()
        engine.dispose()
        with Proxy(server.port) as proxy:
            rig = Rig(server, proxy)
            serving = ServingProcess(replace(settings, redis_url=rig.url))
            try:
                serving.start()
                yield from _each_fault(rig, serving)
            finally:
                serving.stop()
                server.stop()


def _each_fault(rig: Rig, serving: ServingProcess) -> Iterator[Figure]:
    for name, (begin, end) in FAULTS.items():
        rig.fill()
        serving.wait_until(lambda: _whole(serving), 10)
        usual = _answers_ms(serving, f"before {name}")
        begin(rig)
        try:
            during = _answers_ms(serving, name)
        finally:
            end(rig)
        ended = time.monotonic()
        if name in EMPTYING:
            rig.fill()
        serving.wait_until(lambda: _whole(serving), 15)
        recovery_s = time.monotonic() - ended
        added = float(np.quantile(during, 0.99) - np.quantile(usual, 0.99))
        yield Figure(f"{name}: added to the 99th percentile", added, "ms", 60.0, len(during))
        yield Figure(f"{name}: until cache and context are back", recovery_s, "s", 5.0, 1)


def _whole(serving: ServingProcess) -> bool:
    answer = serving.predict(headline(0), ticker="HML", source="Quill")
    return answer["performance"]["cache_hit"] and answer["feature_status"] == "PRESENT"


def _answers_ms(serving: ServingProcess, name: str) -> list[float]:
    took_ms: list[float] = []
    for number in range(300):
        started = time.perf_counter()
        # Anything but 200 ends the row.
        serving.predict(f"{headline(number // 2)} {name}", ticker="HML", source="Quill")
        took_ms.append((time.perf_counter() - started) * 1000)
    return took_ms
