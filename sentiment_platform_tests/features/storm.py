"""Writers that may be killed between PostgreSQL and Redis: the processes behind the proof of the store's guarantee."""

import os
import random
import signal
from collections.abc import Callable, Sequence
from datetime import timedelta
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from typing import Any

from sqlalchemy import Engine

from sentiment_platform.features.connection import connect
from sentiment_platform.features.online import write
from sentiment_platform.features.pipeline import online_row
from sentiment_platform.features.schema import V1
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform.store.vectors import FeatureRow, write_features
from sentiment_platform_tests.features.articles import DAY, NOW

ENTITIES = [f"ticker:T{number}" for number in range(50)]
BATCH = 25
CRASH_SHARE = 0.15
Store = Callable[[Engine, Any, Sequence[FeatureRow], Callable[[], None]], None]


def row(entity: str, version: int) -> FeatureRow:
    """The version-th value of an entity; every fourth corrects the one before it instead of following it."""
    values = tuple(float(version) if name == "ticker_articles_1d" else None for name in V1.names)
    return FeatureRow(
        entity=entity,
        schema_version="v1",
        as_of=DAY + timedelta(milliseconds=version - version % 4 // 3),
        article_id=None,
        values=values,
    )


def postgresql_first(engine: Engine, redis: Any, rows: Sequence[FeatureRow], crash: Callable[[], None]) -> None:
    """What `features.pipeline` does."""
    with engine.begin() as connection:
        stored = write_features(connection, rows, NOW)
    crash()
    write(redis, "v1", [online_row(V1, one.entity, one) for one in stored], NOW)


def redis_first(engine: Engine, redis: Any, rows: Sequence[FeatureRow], crash: Callable[[], None]) -> None:
    """The wrong order, for the trial that must fail."""
    write(redis, "v1", [online_row(V1, one.entity, one) for one in rows], NOW)
    crash()
    with engine.begin() as connection:
        write_features(connection, rows, NOW)


class Storm:
    """`writers` processes with `writes` writes in all, in shuffled order; one that is killed is followed by another."""

    def __init__(self, database_url: str, redis_url: str, store: Store, *, writers: int = 4, writes: int = 10_000) -> None:
        self._addresses = database_url, redis_url
        self._store = store
        self.crashes = 0
        versions = [(entity, version) for version in range(writes // len(ENTITIES)) for entity in ENTITIES]
        random.Random(11).shuffle(versions)
        batches = [versions[start : start + BATCH] for start in range(0, len(versions), BATCH)]
        self._context = get_context("fork")
        self._done = [self._context.Value("i", 0) for _ in range(writers)]
        self._work = [batches[number::writers] for number in range(writers)]
        self._processes: list[BaseProcess] = [self._start(number) for number in range(writers)]

    def running(self) -> bool:
        """Whether work is left; whoever was killed is replaced."""
        for number, process in enumerate(self._processes):
            status = process.exitcode  # once: it may be killed between two looks
            if status == -signal.SIGKILL:
                self.crashes += 1
                self._processes[number] = self._start(number)
            else:
                assert status in (None, 0), f"a writer ended with {status}"
        return any(process.exitcode is None for process in self._processes)

    def stop(self) -> None:
        for process in self._processes:
            process.kill()
            process.join()

    def _start(self, number: int) -> BaseProcess:
        process = self._context.Process(target=self._write, args=(number,), daemon=True)
        process.start()
        return process

    def _write(self, number: int) -> None:
        engine, redis = create_platform_engine(self._addresses[0], pool_size=1), connect(self._addresses[1])
        done = self._done[number]
        while done.value < len(self._work[number]):
            batch = self._work[number][done.value]
            done.value += 1
            chance = random.Random(f"{number} {done.value}").random()
            # A key may stand in one statement once; the last of the batch is the newest.
            rows = {
                (one.entity, one.as_of): one
                for one in sorted((row(*pair) for pair in batch), key=lambda one: one.values[11] or 0)
            }
            self._store(engine, redis, list(rows.values()), _die if chance < CRASH_SHARE else _live)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _live() -> None:
    pass
