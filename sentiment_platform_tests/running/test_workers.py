"""Claims about workers: partitions side by side in real processes, a killed worker's partition taken over, duplicates that change nothing,
a training and what it needs.

A lock on the table of scores holds every step where it writes, so that what is claimed to happen in the meantime surely does.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import psutil
import pytest
from click.testing import CliRunner
from dagster_celery.make_app import make_app
from sqlalchemy import Engine, text

from sentiment_platform.cli import main
from sentiment_platform.clock import utc_now
from sentiment_platform.errors import PermanentError, PlatformError, TransientError
from sentiment_platform.local.parts.redis import BROKER_EVICTION_POLICY, LocalRedis
from sentiment_platform.local.session import session
from sentiment_platform.models.assets import TrainingConfig
from sentiment_platform.models.families import FAMILIES, trainer
from sentiment_platform.models.family import TrainingOptions
from sentiment_platform.models.training_data import read_training_data
from sentiment_platform.models.versions.description import file_entry
from sentiment_platform.models.versions.training_world import training_world
from sentiment_platform.queues.broker import check_broker
from sentiment_platform.queues.executors import celery_executor
from sentiment_platform.queues.work_queues import GPU, QUEUES, SHORT, WorkQueue, queue_url
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.registry.manifest import FileEntry
from sentiment_platform.registry.signing import generate_private_key
from sentiment_platform.running.headless import dagster_instance, run_job
from sentiment_platform.running.worker import celery_app, require_workers
from sentiment_platform.running.worker_needs import require_what_steps_need
from sentiment_platform.settings import Settings
from sentiment_platform.store.versions import latest_version
from sentiment_platform_tests.features.articles import DAY, article, insert
from sentiment_platform_tests.models.tiny_transformer import write_tiny_checkpoint
from sentiment_platform_tests.models.versions.vader_versions import label
from sentiment_platform_tests.sentiment.rig import headline
from sentiment_platform_tests.serving.publishing import Publisher
from sentiment_platform_tests.serving.running import environment_of

pytestmark = pytest.mark.slow

PROGRAM = str(Path(sys.executable).with_name("sentiment-platform"))
DAYS = [f"{DAY + timedelta(days=number):%Y-%m-%d}" for number in range(2)]
VISIBILITY_S = 6
WAIT_LIMIT_S = 90.0
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def broker_url(servers_dir: Path) -> Iterator[str]:
    server = LocalRedis(servers_dir, name="broker", eviction_policy=BROKER_EVICTION_POLICY)
    server.start()
    yield server.url
    server.stop()


@pytest.fixture
def publisher(settings: Settings, engine: Engine) -> Iterator[Publisher]:
    publisher = Publisher(settings, engine)
    yield publisher
    publisher.close()


@pytest.fixture
def environment(settings: Settings, broker_url: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Of every process: servers of this test alone, workers switched on."""
    workers = {
        "SENTIMENT_EXECUTOR": "celery",
        "SENTIMENT_BROKER_URL": broker_url,
        "SENTIMENT_VISIBILITY_S": str(VISIBILITY_S),
    }
    variables = environment_of(settings) | workers
    monkeypatch.chdir(ROOT)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


class Worker:
    """`sentiment-platform worker`, once `ready` has returned."""

    def __init__(self, environment: dict[str, str], log: Path, *options: str, queue: str = "short") -> None:
        self.log = log
        with log.open("wb") as output:
            command = [PROGRAM, "worker", queue, *options]
            self.process = subprocess.Popen(command, env=environment, stdout=output, stderr=output, cwd=ROOT)

    def ready(self) -> "Worker":
        wait_until(lambda: "Waiting for steps" in self.log.read_text(), self.log.read_text)
        return self

    def kill(self) -> None:
        """As a machine that lost its power: the worker and all of its processes, at once."""
        try:
            family = psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return
        self.process.kill()
        for child in family:
            child.kill()
        self.process.wait()


@pytest.fixture
def start_worker(environment: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., Worker]]:
    started: list[Worker] = []

    def start(*options: str, queue: str = "short") -> Worker:
        started.append(Worker(environment, tmp_path / f"worker-{len(started)}.log", *options, queue=queue))
        return started[-1]

    yield start
    for worker in started:
        worker.kill()
    # What copies a step's output ends with the step, unless both were killed before its watcher stood.
    for process in psutil.process_iter(["cmdline"]):
        if (command := process.info["cmdline"] or [""])[0] == "tail" and command[-1].startswith(str(tmp_path)):
            process.kill()


@contextmanager
def running(environment: dict[str, str], log: Path, days: Sequence[str] = DAYS) -> Generator["subprocess.Popen[bytes]"]:
    """One run a day, through the command line."""
    command = [PROGRAM, "run", "score_job", "--from", days[0], "--to", days[-1]]
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=output, stderr=output, start_new_session=True)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def wait_until(holds: Callable[[], Any], told: Callable[[], object] = lambda: "") -> Any:
    ends = time.monotonic() + WAIT_LIMIT_S
    while not (value := holds()):
        assert time.monotonic() < ends, f"not within {WAIT_LIMIT_S:g} s: {told()}"
        time.sleep(0.2)
    return value


def scored(engine: Engine) -> list[tuple[Any, ...]]:
    """Every row, but for when it was made."""
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT * FROM platform.article_sentiment ORDER BY article_id, version")).mappings()
        return [tuple(value for name, value in row.items() if name != "scored_at") for row in rows]


def data_versions(instance: dg.DagsterInstance) -> list[str | None]:
    key = dg.AssetKey("article_sentiment")
    events = [instance.get_latest_data_version_record(key, partition_key=day) for day in DAYS]
    return [event.asset_materialization.tags["dagster/data_version"] for event in events if event and event.asset_materialization]


def starts(instance: dg.DagsterInstance, job: str = "score_job") -> list[tuple[str, str]]:
    """(run, worker) of every step that a worker began, in the order of time."""
    return [
        (run.run_id, str(entry.dagster_event.engine_event_data.metadata["Celery worker"].value))
        for run in instance.get_runs(dg.RunsFilter(job_name=job))
        for entry in instance.all_logs(run.run_id)
        if entry.dagster_event and (entry.dagster_event.message or "").endswith("in celery worker")
    ]


@contextmanager
def nothing_can_be_written(engine: Engine) -> Generator[Callable[[], None]]:
    """Until the block ends, or its value is called."""
    with engine.connect() as connection:
        connection.execute(text("LOCK TABLE platform.article_sentiment IN SHARE MODE"))
        try:
            yield connection.rollback
        finally:
            connection.rollback()


def store_days(engine: Engine) -> None:
    articles = [article(number, number, title=headline(number)) for number in range(20)]
    later = [article(number, number + 24 * 60, title=headline(number)) for number in range(20, 40)]
    insert(engine, articles + later)


@pytest.mark.timeout(280)
def test_two_days_run_side_by_side_a_killed_worker_loses_nothing_and_duplicates_change_nothing(
    engine: Engine,
    publisher: Publisher,
    environment: dict[str, str],
    start_worker: Callable[..., Worker],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    log = tmp_path / "run.log"
    store_days(engine)
    publisher.deploy(publisher.model())
    with session(), dagster_instance() as instance:
        workers = [start_worker(), start_worker()]
        for worker in workers:
            worker.ready()
        with nothing_can_be_written(engine) as release, running(environment, log) as command:
            wait_until(lambda: command.poll() is not None or len(starts(instance)) >= 2)
            begun = starts(instance)
            assert command.poll() is None, log.read_text()
            assert len({run for run, _ in begun}) == 2, "a run a day"
            assert len({worker for _, worker in begun}) == 2, "each with a worker of its own, while neither could end"

            workers[0].kill()
            start_worker().ready()
            # The killed one's step is taken over; the living one's has become visible too, and is begun a second time.
            wait_until(lambda: len(starts(instance)) >= 3)
            release()
            assert command.wait(WAIT_LIMIT_S) == 0, log.read_text()
        wait_until(lambda: len(starts(instance)) >= 4)
        wait_until(lambda: not waiting(environment))
        by_workers = scored(engine), data_versions(instance)
        assert len(by_workers[0]) == 40

        with engine.begin() as connection:
            connection.execute(text("TRUNCATE platform.article_sentiment"))
        monkeypatch.setenv("SENTIMENT_EXECUTOR", "here")
        for day in DAYS:
            assert run_job(instance, "score_job", partition=day, log_level="ERROR").success
        assert (scored(engine), data_versions(instance)) == by_workers


def waiting(environment: dict[str, str]) -> int:
    """Steps that wait in the broker, or that a worker has not said to be done."""
    from redis import Redis

    with Redis.from_url(queue_url(Settings.from_environment(environment), SHORT)) as client:
        # A list for each priority.
        return sum(client.llen(name) for name in client.keys("dagster*") if client.type(name) == b"list") + client.hlen("unacked")


def test_a_worker_that_is_to_end_gives_its_step_back_at_once_and_an_ended_command_cancels_its_run(
    engine: Engine,
    publisher: Publisher,
    environment: dict[str, str],
    start_worker: Callable[..., Worker],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Nothing here waits for a step to become visible again.
    monkeypatch.delenv("SENTIMENT_VISIBILITY_S")
    del environment["SENTIMENT_VISIBILITY_S"]
    store_days(engine)
    publisher.deploy(publisher.model())
    log = tmp_path / "run.log"
    with session(), dagster_instance() as instance:
        worker = start_worker("--grace", "1").ready()
        with nothing_can_be_written(engine), running(environment, log, DAYS[:1]) as command:
            wait_until(lambda: command.poll() is not None or starts(instance))
            assert command.poll() is None, log.read_text()
            worker.process.terminate()
            assert worker.process.wait(WAIT_LIMIT_S) == 0, worker.log.read_text()
            assert "The worker has ended." in worker.log.read_text()
            assert waiting(environment) == 1, worker.log.read_text()

            command.terminate()
            assert command.wait(WAIT_LIMIT_S) == 143, log.read_text()
        (run,) = instance.get_runs()
        assert run.status is dg.DagsterRunStatus.CANCELED
        assert run.tags["dagster/max_runtime"] == str(SHORT.max_runtime_s)


TINY_RECIPE = {
    "ops": {
        "vader_model": {"config": {"parameters": {"trials": 0}}},
        "finbert_model": {
            "config": {"threads": 1, "parameters": {"epochs": 1, "distillation_share": 0, "consistency": 0, "device": "cpu"}}
        },
    }
}


@pytest.mark.timeout(560)
def test_a_worker_does_every_step_of_a_training_and_its_models_are_those_of_one_process_byte_for_byte(
    engine: Engine,
    settings: Settings,
    environment: dict[str, str],
    start_worker: Callable[..., Worker],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    # With other kernels of BLAS than this process has, sums differ in their last digits.
    environment |= {name: value for name, value in os.environ.items() if name.startswith("OPENBLAS_")}
    environment["TRANSFORMER_BASE"] = str(write_tiny_checkpoint(tmp_path / "base"))
    environment["SENTIMENT_VISIBILITY_S"] = "0"
    for name in ("TRANSFORMER_BASE", "SENTIMENT_VISIBILITY_S"):
        monkeypatch.setenv(name, environment[name])
    label(engine)
    with session(), dagster_instance() as instance:
        worker = start_worker("--processes", "2", queue="gpu").ready()
        by_worker = run_job(instance, "train_job", run_config=TINY_RECIPE, log_level="ERROR")
        assert by_worker.success, (by_worker.failures, worker.log.read_text()[-3000:])
        steps = [
            entry for entry in instance.all_logs(by_worker.run_id) if entry.dagster_event and entry.dagster_event.is_step_start
        ]
        assert len(starts(instance, "train_job")) == len(steps) > len(by_worker.metadata) == 8, "every step had a worker"
        assert by_worker.metadata["deployment"]["deployment"] == "deploy-000001"
    assert by_worker.metadata["training_set"]["unchanged"], "the one that this process made of the same labels"
    for family in FAMILIES:
        with engine.connect() as connection:
            published = latest_version(connection, family)
        assert published is not None
        assert trained_here(engine, settings, family, tmp_path / family) == published.manifest.files


def trained_here(engine: Engine, settings: Settings, family: str, directory: Path) -> dict[str, FileEntry]:
    """The files of a version that this process trains on the newest training set, published nowhere."""
    recipe = TINY_RECIPE["ops"][f"{family}_model"]["config"]
    world = replace(training_world(engine, RegistryAccess(settings)), transformer_base=os.environ["TRANSFORMER_BASE"])
    data, training = read_training_data(engine), trainer(family, world)
    options = TrainingOptions(seed=TrainingConfig().seed, threads=recipe.get("threads", 0), parameters=recipe["parameters"])
    directory.mkdir()
    training.export(training.train(data, options, lambda _: None), data, directory, lambda _: None)
    return {name: file_entry(directory / name) for name in training.files}


def test_a_worker_that_could_not_publish_what_it_trains_does_not_start(
    engine: Engine, settings: Settings, environment: dict[str, str]
) -> None:
    model, _, _ = settings.signing_keys.partition(",")
    unable = {
        "SENTIMENT_REGISTRY_TOKEN is not set": {"registry_token": ""},
        "401": {"registry_token": "ghs_of_somebody_else"},
        "holds no model key": {"signing_keys": ""},
        "holds no operator key": {"signing_keys": model},
        "is not the one that SENTIMENT_PUBLIC_KEYS trusts": {"signing_keys": f"model={generate_private_key()}"},
        "neither a directory nor a hub id": {"transformer_base": "./nowhere"},
    }
    for words, changes in unable.items():
        with pytest.raises(PlatformError, match=words):
            require_what_steps_need(replace(settings, **changes), GPU, utc_now)
        # What only scores publishes nothing.
        require_what_steps_need(replace(settings, **changes), SHORT, utc_now)
    require_what_steps_need(settings, GPU, utc_now)
    ended = CliRunner().invoke(main, ["worker", "gpu"], env=environment | {"SENTIMENT_SIGNING_KEYS": model})
    assert (ended.exit_code, "holds no operator key" in " ".join(ended.output.split())) == (1, True)


@pytest.mark.parametrize("variable", ["DATABASE_URL", "REDIS_URL", "SENTIMENT_REGISTRY_REPOSITORY"])
def test_a_worker_over_anothers_broker_starts_no_servers_of_its_own(variable: str, environment: dict[str, str]) -> None:
    ended = CliRunner().invoke(main, ["worker", "short"], env=environment | {variable: ""})
    assert ended.exit_code == 1
    assert f"SENTIMENT_BROKER_URL is set, but {variable} is not" in " ".join(ended.output.split())


def test_a_broker_that_evicts_is_refused_by_worker_and_doctor(environment: dict[str, str], redis_url: str) -> None:
    environment = environment | {"SENTIMENT_BROKER_URL": redis_url}
    settings = Settings.from_environment(environment)
    with pytest.raises(PermanentError, match=r"maxmemory-policy is allkeys-lru: it may evict a queue"):
        check_broker(settings, SHORT)
    for command in (["worker", "short"], ["doctor"]):
        ended = CliRunner().invoke(main, command, env=environment)
        assert ended.exit_code == 1
        assert "Give SENTIMENT_BROKER_URL a Redis of its own" in " ".join(ended.output.split())


def test_a_queue_that_nobody_reads_is_refused_before_a_run_waits_in_it(environment: dict[str, str]) -> None:
    settings = Settings.from_environment(environment)
    assert check_broker(settings, GPU) == "answers, maxmemory-policy noeviction"
    with pytest.raises(TransientError, match=r"No worker reads queue gpu.*sentiment-platform worker gpu"):
        require_workers(settings, GPU)


@pytest.mark.parametrize("queue", QUEUES.values(), ids=QUEUES)
def test_worker_and_executor_are_told_the_same_and_each_queue_has_a_database(
    queue: WorkQueue, environment: dict[str, str]
) -> None:
    settings = Settings.from_environment(environment | {"SENTIMENT_VISIBILITY_S": "0"})
    worker, executor = celery_app(settings, queue), make_app(celery_executor(settings, queue).app_args())
    for app in (worker, executor):
        assert app.conf.broker_url == app.conf.result_backend == queue_url(settings, queue)
        assert app.conf.broker_url.endswith(f"/{queue.database}")
        assert (app.conf.task_acks_late, app.conf.task_reject_on_worker_lost) == (True, True)
        assert app.conf.broker_transport_options["visibility_timeout"] == queue.visibility_s
    assert len({queue.database for queue in QUEUES.values()}) == len(QUEUES)
