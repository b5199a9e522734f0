"""A process that dies at a chosen side effect of what it does: run as a script by `test_crash_points`.

Side effects are the commits of the platform's database, the calls and scripts that write to Redis, and the events that Dagster stores of
materializations and of the end of a run. They are numbered in the order in which they happen; `before:n` and `after:n` end the process
with SIGKILL there, and no number lets it run to its end and prints how many there were. The process is forked from one that has
imported everything, because starting Python takes longer than the run. Product code knows nothing of this: what is counted is
counted by listeners and wrappers around the objects of this process.
"""

import os
import signal
import sys
import warnings
from collections.abc import Callable
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import msgspec

Work = Literal["collection", "collection in Dagster", "prices to online features", "articles to scores"]


class Case(msgspec.Struct, frozen=True):
    """One run: the environment of its platform, its clock and day, Dagster's storage, what it does, and where it dies.

    `vendor` is the address of a source of prices.
    """

    overrides: dict[str, str]
    now: str
    partition: str
    home: str
    work: Work
    vendor: str = ""
    kill_at: tuple[str, int] | None = None


class Answer(msgspec.Struct, frozen=True):
    """How a run ended: its exit status (-9: killed); its side effects and data versions if it came to its end."""

    status: int
    effects: list[str] = []
    versions: list[str] = []


class Effects:
    """Counts side effects and dies at one of them."""

    def __init__(self, kill_at: tuple[str, int] | None) -> None:
        self.names: list[str] = []
        self._kill_at = kill_at

    def around(self, name: str, effect: Callable[[], Any]) -> Any:
        """Do `effect` as the next side effect."""
        number = len(self.names)
        self.names.append(name)
        self._die(("before", number))
        done = effect()
        self._die(("after", number))
        return done

    def _die(self, place: tuple[str, int]) -> None:
        if place == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)


def watch(effects: Effects) -> None:
    """Count what every engine, Redis client and Dagster instance of this process does from now on."""
    from dagster import DagsterEventType, DagsterInstance
    from redis.client import Pipeline, Redis
    from sqlalchemy.engine.default import DefaultDialect

    def commit(dialect: Any, connection: Any, then: Callable[..., Any] = DefaultDialect.do_commit) -> None:
        # Only of PostgreSQL: Dagster's own storage is SQLite here. A transaction that wrote nothing is no side effect.
        wrote = dialect.name == "postgresql" and _wrote(connection)
        effects.around(f"commit {wrote}", lambda: then(dialect, connection)) if wrote else then(dialect, connection)

    def execute(pipeline: Any, *args: Any, then: Callable[..., Any] = Pipeline.execute, **kwargs: Any) -> Any:
        return effects.around("redis", lambda: then(pipeline, *args, **kwargs))

    def command(client: Any, *args: Any, then: Callable[..., Any] = Redis.execute_command, **kwargs: Any) -> Any:
        # Reads go by other commands; a pipeline has its own.
        return (
            effects.around("redis EVAL", lambda: then(client, *args, **kwargs))
            if args[0] == "EVAL"
            else then(client, *args, **kwargs)
        )

    def store(
        instance: Any, event: Any, *args: Any, then: Callable[..., Any] = DagsterInstance.handle_new_event, **kwargs: Any
    ) -> None:
        kinds = (DagsterEventType.ASSET_MATERIALIZATION, DagsterEventType.RUN_SUCCESS)
        kind = event.dagster_event.event_type if event.is_dagster_event else None
        if kind is not None and kind in kinds:
            effects.around(f"event {kind.value}", lambda: then(instance, event, *args, **kwargs))
        else:
            then(instance, event, *args, **kwargs)

    DefaultDialect.do_commit = commit  # type: ignore[method-assign]
    Pipeline.execute = execute  # type: ignore[method-assign]
    Redis.execute_command = command  # type: ignore[method-assign]
    DagsterInstance.handle_new_event = store  # type: ignore[method-assign]


def _wrote(connection: Any) -> str:
    """The tables that the open transaction of a psycopg connection has written to, by their locks; empty where it only read."""
    driver = getattr(connection, "driver_connection", connection)
    with driver.cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_locks JOIN pg_class ON pg_class.oid = relation "
            "WHERE pid = pg_backend_pid() AND mode = 'RowExclusiveLock' AND relkind = 'r' AND relnamespace = 'platform'::regnamespace"
        )
        return (cursor.fetchone() or [""])[0] or ""


def by_steps(case: Case) -> list[str]:
    """What the assets of collection do, one after the other, without Dagster; their data versions."""
    from contextlib import closing
    from datetime import datetime, timedelta

    from sentiment_platform.features.connection import connect
    from sentiment_platform.features.pipeline import refresh_context, run
    from sentiment_platform.features.schema import V1
    from sentiment_platform.news.articles import cluster_days
    from sentiment_platform.news.collect.days import collect_days
    from sentiment_platform.news.sources.configured import configured_sources
    from sentiment_platform.news.sources.protocol import Window
    from sentiment_platform.settings import Settings
    from sentiment_platform.store.engine import create_platform_engine

    settings, now = Settings.from_environment(case.overrides), datetime.fromisoformat(case.now)
    engine = create_platform_engine(settings.require("database_url"))
    start = datetime.fromisoformat(f"{case.partition}T00:00:00+00:00")
    end = start + timedelta(days=1)
    sources = configured_sources(settings, {})
    collected = collect_days(engine, settings, sources, Window(start, end), run_id="run", now=now)
    clustered = cluster_days(engine, start, end, run_id="run", now=now)
    with closing(connect(settings.require("redis_url"))) as client:
        featured = run(engine, client, V1, start, end, now, run_id="run")
        refresh_context(engine, client, V1, now)
    return [collected.digest, clustered.digest, featured.digest]


def what_follows(case: Case) -> list[str]:
    """What the assets market_prices, outcomes and online_features do, one after the other; their data versions."""
    from contextlib import closing
    from datetime import datetime, timedelta

    from sentiment_platform.features.connection import connect
    from sentiment_platform.features.reconciliation import reconcile
    from sentiment_platform.features.schema import V1
    from sentiment_platform.market.json_source import PriceSource
    from sentiment_platform.market.outcomes import update_outcomes
    from sentiment_platform.market.prices import collect_prices
    from sentiment_platform.settings import Settings
    from sentiment_platform.store.engine import create_platform_engine

    settings, now = Settings.from_environment(case.overrides), datetime.fromisoformat(case.now)
    engine = create_platform_engine(settings.require("database_url"))
    start = datetime.fromisoformat(f"{case.partition}T00:00:00+00:00")
    fields = {"session": "day", "open": "open", "high": "high", "low": "low", "close": "close", "volume": "volume"}
    source = PriceSource(
        url=f"{case.vendor}/prices/{{symbol}}", headers={}, rows="rows", fields=fields, verified=False, requests_per_s=1000.0
    )
    catalogue = {settings.price_source: source}
    last = (now - timedelta(days=1)).date()
    prices = collect_prices(engine, settings, start.date(), last, run_id="run", now=now, catalogue=catalogue)
    outcomes = update_outcomes(engine, start, now, now, run_id="run")
    with closing(connect(settings.require("redis_url"))) as client:
        reconciled = reconcile(engine, client, V1, now)
    return [prices.digest, outcomes.digest, reconciled.after_repair.digest]


def scoring(case: Case) -> list[str]:
    """What the asset of sentiment does with a few articles a transaction, for a day of collection, then for history."""
    from datetime import datetime, timedelta

    from sentiment_platform.registry.access import RegistryAccess
    from sentiment_platform.sentiment.scorers import load_scorer, scoring_versions
    from sentiment_platform.sentiment.scoring import score_days
    from sentiment_platform.settings import Settings
    from sentiment_platform.store.engine import create_platform_engine

    settings, now = Settings.from_environment(case.overrides), datetime.fromisoformat(case.now)
    engine, access = create_platform_engine(settings.require("database_url")), RegistryAccess(settings)
    start = datetime.fromisoformat(f"{case.partition}T00:00:00+00:00")
    return [
        score_days(
            engine,
            scoring_versions(engine, version, only_new=only_new),
            start,
            start + timedelta(days=1),
            load=lambda scoring: load_scorer(access, scoring),
            now=lambda: now,
            chunk=3,
        ).digest
        for version, only_new in (("", True), ("v0.9.0-vader", False))
    ]


def through_dagster(case: Case) -> list[str]:
    """One run of the assets of collection; their data versions."""
    import dagster as dg

    from sentiment_platform.features.assets import article_features
    from sentiment_platform.news.assets import articles, raw_news
    from sentiment_platform.store.resources import PlatformResource

    platform = PlatformResource(overrides=case.overrides, fixed_now=case.now)
    assets = [raw_news, articles, article_features]
    with dg.DagsterInstance.local_temp(case.home) as instance:
        resources = {"platform": platform}
        assert dg.materialize(assets, instance=instance, partition_key=case.partition, resources=resources).success
        events = [instance.get_latest_materialization_event(asset.key) for asset in assets]
    made = [event.asset_materialization for event in events if event]
    return [(one.tags or {})["dagster/data_version"] for one in made if one]


WORK: dict[Work, Callable[[Case], list[str]]] = {
    "collection": by_steps,
    "collection in Dagster": through_dagster,
    "prices to online features": what_follows,
    "articles to scores": scoring,
}


def serve() -> None:
    """Read cases, one JSON document a line; fork a process for each, and answer with its exit status and the effects it counted."""
    warnings.filterwarnings("ignore")
    # Imported once, for every child.
    for module in (
        "psycopg",
        "redis",
        "pandera.polars",
        "pandera.backends.polars.builtin_checks",
        "rensa",
        "exchange_calendars",
        "sentiment_platform.definitions",
    ):
        import_module(module)
    import_module("sentiment_platform.market.calendar").trading_days(date(2024, 12, 1), date(2025, 1, 31))

    for line in sys.stdin:
        case = msgspec.json.decode(line, type=Case)
        counted = Path(case.home) / "effects.json"
        counted.unlink(missing_ok=True)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                effects = Effects(case.kill_at)
                watch(effects)
                versions = WORK[case.work](case)
                counted.write_bytes(msgspec.json.encode(Answer(0, effects.names, versions)))
                status = 0
            finally:
                sys.stderr.flush()
                os._exit(status)
        _, waited = os.waitpid(child, 0)
        answer = (
            msgspec.json.decode(counted.read_bytes(), type=Answer)
            if counted.exists()
            else Answer(os.waitstatus_to_exitcode(waited))
        )
        print(msgspec.json.encode(answer).decode(), flush=True)


if __name__ == "__main__":
    serve()
