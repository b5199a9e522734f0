"""Whether handing days to workers costs more than it gives: two worker processes against one process that uses both cores.

Each of them scores the same days, in turn, so that what else the machine does meets both.
"""

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psutil
from sqlalchemy import Engine, text

from sentiment_platform.clock import utc_now
from sentiment_platform.errors import PermanentError
from sentiment_platform.local.parts.redis import BROKER_EVICTION_POLICY, LocalRedis
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.sentiment.scorers import deployed_scorers, load_scorer
from sentiment_platform.sentiment.scoring import score_days
from sentiment_platform.settings import Settings
from sentiment_platform.starters.bootstrap import bootstrap
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform_tests.benchmarks.features import DAY, store_articles
from sentiment_platform_tests.benchmarks.rows import TABLE, Figure
from sentiment_platform_tests.benchmarks.serving_start import local_settings
from sentiment_platform_tests.serving.running import environment_of
from sentiment_platform_tests.source_code import ROOT

DAYS = 6
ARTICLES_A_DAY = 10_000
"""As an archive of 70 million articles over 20 years has. Each run brings a second or two of its own, whatever its day holds."""
ROUNDS = 3
WORKERS = 2
LIMIT_S = 600.0
PROGRAM = str(Path(sys.executable).with_name("sentiment-platform"))
RUNS_TOOK = text("SELECT max(end_time) - min(start_time), count(*) FROM dagster.runs WHERE status = 'SUCCESS'")


@TABLE.row("F.14", "the same days scored by two workers, and by one process that uses both cores")
def two_workers() -> Iterator[Figure]:
    with local_settings() as settings:
        engine = create_platform_engine(settings.database_url)
        store_articles(engine, DAYS * ARTICLES_A_DAY, days=DAYS)
        bootstrap(engine, RegistryAccess(settings), run_id="bench", now=utc_now)
        ones: list[Took] = []
        boths: list[Took] = []
        loads: list[float] = []
        with workers(settings) as (environment, processes):
            for _ in range(ROUNDS):
                loads.append(round(os.getloadavg()[0], 1))
                ones.append(_by_one_process(engine, settings))
                rows = _scores_taken_away(engine)
                boths.append(_by_workers(engine, environment, processes))
                if _scores_taken_away(engine) != rows:
                    raise PermanentError("Workers made other rows than one process.", remedy="See test_workers.py.")
        engine.dispose()
    ratios = [one.seconds / both.seconds for one, both in zip(ones, boths, strict=True)]
    yield Figure(
        f"{WORKERS} workers, of the speed of one process with {WORKERS} threads",
        statistics.median(ratios),
        "of its speed",
        0.85,
        ROUNDS,
        at_least=True,
        explains={
            "days": DAYS,
            "articles_a_day": ARTICLES_A_DAY,
            "rounds": [round(ratio, 3) for ratio in ratios],
            "one_process_s": [round(one.seconds, 1) for one in ones],
            "workers_s": [round(both.seconds, 1) for both in boths],
            "one_process_processor_s": [round(one.processor_s, 1) for one in ones],
            "workers_processor_s": [round(both.processor_s, 1) for both in boths],
            "coordinators_processor_s": [round(both.coordinators_s, 1) for both in boths],
            "load_before": loads,
        },
    )


@dataclass(frozen=True)
class Took:
    """One way to do the days.

    Attributes:
        seconds: from the start of the first day to the end of the last.
        processor_s: seconds of the processor, of whoever scores. PostgreSQL's are not in them.
        coordinators_s: those of the processes that hand days out, their imports included.
    """

    seconds: float
    processor_s: float
    coordinators_s: float = 0.0


@contextmanager
def workers(settings: Settings) -> Generator[tuple[dict[str, str], list[psutil.Process]]]:
    """Workers of queue `short`, ready, over a broker of their own; the first value is the environment of whoever starts runs."""
    broker = LocalRedis(settings.state_dir, name="broker", eviction_policy=BROKER_EVICTION_POLICY)
    broker.start()
    # With other kernels of BLAS than this process has, scores differ in their last digits.
    kernels = {name: value for name, value in os.environ.items() if name.startswith("OPENBLAS_")}
    environment = (
        environment_of(settings)
        | kernels
        | {
            "SENTIMENT_EXECUTOR": "celery",
            "SENTIMENT_BROKER_URL": broker.url,
            "SENTIMENT_FIRST_DAY": f"{DAY:%Y-%m-%d}",
        }
    )
    logs = [settings.state_dir / f"worker-{number}.log" for number in range(WORKERS)]
    started: list[subprocess.Popen[bytes]] = []
    try:
        for log in logs:
            with log.open("wb") as output:
                started.append(
                    subprocess.Popen([PROGRAM, "worker", "short"], env=environment, cwd=ROOT, stdout=output, stderr=output)
                )
        ends = time.monotonic() + LIMIT_S
        while not all("Waiting for steps" in log.read_text() for log in logs):
            if time.monotonic() > ends or any(process.poll() is not None for process in started):
                raise PermanentError(f"A worker does not start: {logs[0].read_text()[-2000:]}", remedy="See what it says.")
            time.sleep(0.2)
        yield environment, [psutil.Process(process.pid) for process in started]
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(60)
        broker.stop()


def _by_one_process(engine: Engine, settings: Settings) -> Took:
    """This process has the days scored by as many threads as there are workers: the transformer computes outside Python's lock."""
    access = RegistryAccess(settings)
    with engine.connect() as connection:
        scorers = deployed_scorers(connection, only_new=False)
    started, used = time.perf_counter(), time.process_time()
    loaded = {scoring.version: load_scorer(access, scoring) for scoring in scorers}

    def score(day: int) -> int:
        start = DAY + timedelta(days=day)
        return score_days(
            engine, scorers, start, start + timedelta(days=1), load=lambda scoring: loaded[scoring.version], now=utc_now
        ).scored

    with ThreadPoolExecutor(WORKERS) as threads:
        done = sum(threads.map(score, range(DAYS)))
    assert done == DAYS * ARTICLES_A_DAY * len(scorers)
    return Took(time.perf_counter() - started, time.process_time() - used)


def _by_workers(engine: Engine, environment: dict[str, str], processes: list[psutil.Process]) -> Took:
    """One run a day, through the command line, and each day's check."""
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM dagster.runs"))
    days = [f"{DAY + timedelta(days=day):%Y-%m-%d}" for day in (0, DAYS - 1)]
    scoring_s, handing_s = sum(map(_used_s, processes)), _of_ended_children_s()
    command = [PROGRAM, "run", "score_job", "--from", days[0], "--to", days[1]]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    if done.returncode:
        raise PermanentError(f"The run failed: {done.stdout[-1000:]}{done.stderr[-2000:]}", remedy="See what it says.")
    with engine.connect() as connection:
        took, runs = connection.execute(RUNS_TOOK).one()
    assert runs == DAYS
    return Took(float(took), sum(map(_used_s, processes)) - scoring_s, _of_ended_children_s() - handing_s)


def _used_s(process: psutil.Process) -> float:
    """Of a worker, with the processes of its steps, which have ended."""
    return sum(process.cpu_times()[:4])


def _of_ended_children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _scores_taken_away(engine: Engine) -> tuple[int, str]:
    """How many rows there were, and a digest of what they say."""
    saying = "article_id, version, negative, neutral, positive, label, text_hash"
    digest = f"SELECT count(*), md5(string_agg(md5(ROW({saying})::text), '' ORDER BY article_id, version)) FROM platform.article_sentiment"
    with engine.begin() as connection:
        count, said = connection.execute(text(digest)).one()
        connection.execute(text("TRUNCATE platform.article_sentiment"))
    return count, said
