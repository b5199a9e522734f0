"""What one core does in an hour: scoring by each starter, and features. The figures of `sentiment_platform/queues/SCALE.md`.

Counted in seconds of the processor, so that whatever else the machine does changes little. PostgreSQL's own are its machine's.
"""

import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

from sqlalchemy import text

from sentiment_platform.clock import utc_now
from sentiment_platform.features.connection import connect
from sentiment_platform.features.pipeline import run
from sentiment_platform.features.schema import V1
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.sentiment.scorers import deployed_scorers, load_scorer
from sentiment_platform.sentiment.scoring import score_days
from sentiment_platform.starters.bootstrap import bootstrap
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform_tests.benchmarks.features import ARTICLES, DAY, store_articles
from sentiment_platform_tests.benchmarks.rows import TABLE, Figure
from sentiment_platform_tests.benchmarks.serving_start import local_settings

TABLES = ("raw_data", "story_clusters", "processed_features", "article_sentiment")
SIZE = text("SELECT pg_total_relation_size(CAST(:table AS regclass))")


@TABLE.row("SCALE", "what one core does: articles through each starter, and through features, from and into PostgreSQL")
def one_core() -> Iterator[Figure]:
    with local_settings() as settings:
        engine = create_platform_engine(settings.database_url)
        store_articles(engine)
        end = DAY + timedelta(days=20)
        access = RegistryAccess(settings)
        bootstrap(engine, access, run_id="bench", now=utc_now)
        with engine.connect() as connection:
            scorers = deployed_scorers(connection, only_new=False)
        for scoring in scorers:
            loaded = load_scorer(access, scoring)
            loaded.probabilities(["The first one loads what the others have."])
            started, used = time.perf_counter(), time.process_time()
            done = score_days(engine, [scoring], DAY, end, load=lambda _, it=loaded: it, now=utc_now).scored
            yield _figure(f"scored by {scoring.version}", done, started, used, 1_000 if scoring is scorers[0] else 100)
        with closing(connect(settings.redis_url)) as client:
            # Pandera, Polars and the lexicon are loaded by the first.
            run(engine, client, V1, DAY, DAY + timedelta(hours=1), end, run_id="warm")
            started, used = time.perf_counter(), time.process_time()
            done = run(engine, client, V1, DAY + timedelta(days=1), end, end, run_id="bench").articles
            yield _figure("features, schema v1", done, started, used, 2_000)
        with engine.connect() as connection:
            stored = {table: connection.execute(SIZE, {"table": f"platform.{table}"}).scalar_one() for table in TABLES}
        explains = {table: round(size / ARTICLES) for table, size in stored.items()}
        yield Figure(
            "PostgreSQL, with indexes", sum(stored.values()) / ARTICLES, "bytes an article", 5_000, ARTICLES, explains=explains
        )
        engine.dispose()


def _figure(what: str, articles: int, started: float, used: float, least: float) -> Figure:
    assert articles > ARTICLES * 0.9
    processor_s, seconds = time.process_time() - used, time.perf_counter() - started
    explains = {"processor_s": round(processor_s, 2), "seconds": round(seconds, 2)}
    return Figure(what, articles / processor_s, "articles/s of a core", least, articles, at_least=True, explains=explains)
