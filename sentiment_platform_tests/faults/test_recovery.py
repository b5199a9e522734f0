"""kill -9 of each part of a running `sentiment-platform up`: the platform is ready again by itself, and nothing acknowledged is lost.

One stack for all four: a client goes on predicting and giving feedback throughout, and at the end every answer that it got must be
in the database.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import redis

from sentiment_platform.features.connection import connect
from sentiment_platform.features.reconciliation import compare
from sentiment_platform.features.schema import V1
from sentiment_platform.local.processes.keeping import WELL_AFTER_S
from sentiment_platform.local.processes.ports import free_port
from sentiment_platform.local.session import read_env_file
from sentiment_platform.news.admission import store_items
from sentiment_platform.news.items import RawItem
from sentiment_platform.news.jobs import WITHOUT_ASKING
from sentiment_platform.settings import Settings
from sentiment_platform.store.api_keys import create_key
from sentiment_platform.store.engine import create_platform_engine

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
START_LIMIT_S = 120.0
RECOVERY_LIMIT_S = 60.0
SHIPPED_LIMIT_S = 30.0
MADE_AGAIN_LIMIT_S = 240.0
PAUSE_S = 0.05
OUTAGE_S = 4.0
ARTICLES = 3_000
LOCATION = "sentiment_platform"
LAUNCH = """
mutation Launch($params: ExecutionParams!) {
  launchRun(executionParams: $params) { ... on LaunchRunSuccess { run { runId } } ... on Error { message } }
}
"""
SECONDS = "extract(epoch FROM timestamp AT TIME ZONE 'UTC')"


@dataclass
class Client:
    """Predicts and gives feedback without a pause; keeps what was acknowledged, with the time, and what was refused."""

    url: str
    key: str
    predictions: list[str] = field(default_factory=list[str])
    feedback: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])
    refused: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])
    _over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        number = 0
        while not self._over.wait(PAUSE_S):
            number += 1
            try:
                with httpx.Client(base_url=self.url, timeout=10, trust_env=False, headers={"X-API-Key": self.key}) as client:
                    answer = client.post("/predict", json={"text": f"Profit of unit {number} rose"}).raise_for_status().json()
                    self.predictions.append(answer["prediction_id"])
                    said = {"prediction_id": answer["prediction_id"], "label": "positive"}
                    accepted = client.post("/feedback", json=said).raise_for_status().json()
                    self.feedback.append((time.monotonic(), accepted["feedback_id"]))
            except httpx.HTTPError as error:
                self.refused.append((time.monotonic(), repr(error)))

    @contextmanager
    def at_work(self) -> Generator[None]:
        thread = threading.Thread(target=self.run)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def acknowledged_between(self, start: float, end: float) -> int:
        return sum(start <= at <= end for at, _ in self.feedback)


@dataclass(frozen=True)
class Platform:
    """A running `up`: its state folder, complete settings, and the address of serving."""

    process: "subprocess.Popen[bytes]"
    state: Path
    settings: Settings
    url: str
    dagster_url: str
    log: Path

    def pid(self, part: str) -> int | None:
        try:
            return int(json.loads((self.state / "run" / f"{part}.pid").read_text())["pid"])
        except (OSError, ValueError):
            return None

    def wait(self, holds: Callable[[], object], what: str, limit_s: float = RECOVERY_LIMIT_S) -> float:
        """Seconds until it holds."""
        started = time.monotonic()
        while not _true(holds):
            assert self.process.poll() is None, f"`up` ended:\n{self.log.read_text()[-3000:]}"
            assert time.monotonic() - started < limit_s, f"{what}: not within {limit_s} s\n{self.log.read_text()[-3000:]}"
            time.sleep(0.05)
        return time.monotonic() - started

    def kill(self, part: str, *, comes_back: bool = True) -> None:
        """kill -9, and wait until another process has taken the place."""
        pid = self.pid(part)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        if comes_back:
            self.wait(lambda: self.pid(part) not in (None, pid), f"another {part}")

    @contextmanager
    def nobody_restarts(self) -> Generator[None]:
        """Hold the process that starts parts again, so that an outage lasts as long as the block."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def dependency(self, name: str) -> bool:
        return httpx.get(f"{self.url}/health", trust_env=False).json()["dependencies"][name]["status"] == "ok"

    def ready(self) -> bool:
        return httpx.get(f"{self.url}/health", trust_env=False).status_code == 200

    def sql(self, statement: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.settings.database_url, connect_timeout=1) as connection:
            return connection.execute(statement).fetchall()  # type: ignore[arg-type]

    def new_key(self) -> str:
        """An API key: of feedback without one, only so much a minute is taken."""
        engine = create_platform_engine(self.settings.database_url)
        with engine.begin() as connection:
            key = create_key(connection, "viewer", "tests")
        engine.dispose()
        return key

    def daemon_beats_since(self, at: float) -> bool:
        """Whether every part of the daemon has given a sign of life since that time (Unix seconds); at its start each does."""
        ((parts, silent),) = self.sql(
            f"SELECT count(*), count(*) FILTER (WHERE {SECONDS} <= {at}) FROM dagster.daemon_heartbeats"
        )
        return bool(parts) and not silent

    def launch(self, job: str, config: Mapping[str, Any], partition: str) -> str:
        """Ask for a run of one partition as the Dagster UI does; its id."""
        selector = {"repositoryLocationName": LOCATION, "repositoryName": "__repository__", "jobName": job}
        tags = {"tags": [{"key": "dagster/partition", "value": partition}]}
        variables = {"params": {"selector": selector, "mode": "default", "runConfigData": config, "executionMetadata": tags}}
        asked = httpx.post(
            f"{self.dagster_url}/graphql", json={"query": LAUNCH, "variables": variables}, timeout=30, trust_env=False
        )
        return asked.json()["data"]["launchRun"]["run"]["runId"]

    def status_of(self, run: str) -> object:
        return self.sql(f"SELECT status FROM dagster.runs WHERE run_id = '{run}'")[0][0]

    def sensor_ticked_since(self, at: float) -> bool:
        """Whether the daemon has evaluated a sensor since that time; it does so every half minute."""
        return bool(self.sql(f"SELECT id FROM dagster.job_ticks WHERE {SECONDS} > {at} AND status IN ('SKIPPED', 'SUCCESS')"))

    def news_arrives(self) -> str:
        """Enough articles that a run over them is caught at work; the day that they belong to."""
        now = datetime.now(UTC)
        at = now - timedelta(minutes=1)
        title = "Unit {0} of the works in hall {1} reports a profit"
        items = [
            RawItem(source="wire", origin="o", position=n, title=title.format(n, n * 7), published_at=at, tickers=("EXM",))
            for n in range(ARTICLES)
        ]
        engine = create_platform_engine(self.settings.database_url)
        with engine.begin() as connection:
            assert store_items(connection, items, run_id="seed", now=now).stored == ARTICLES
        engine.dispose()
        return f"{at:%Y-%m-%d}"

    def redis_says_what_postgresql_says(self) -> bool:
        """Whether the vectors of all the articles are there, and online as they are offline."""
        engine = create_platform_engine(self.settings.database_url)
        with closing(connect(self.settings.redis_url)) as client:
            found = compare(engine, client, V1, datetime.now(UTC))
        engine.dispose()
        return found.compared > ARTICLES and found.differences == ()


def _true(holds: Callable[[], object]) -> bool:
    try:
        return bool(holds())
    except (httpx.HTTPError, psycopg.Error, redis.RedisError):
        return False


@pytest.fixture
def platform(servers_dir: Path) -> Iterator[Platform]:
    state = servers_dir / "recovery"
    state.mkdir()
    log = state / "up.log"
    port, dagster_port = free_port(), free_port()
    command = [str(Path(sys.executable).with_name("sentiment-platform")), "up", "--port", str(dagster_port)]
    environment = {**os.environ, "SENTIMENT_STATE_DIR": str(state), "PORT": str(port), "TRANSFORMER_BASE": "packaged:minilm"}
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
    try:
        url = f"http://127.0.0.1:{port}"
        dagster_url = f"http://127.0.0.1:{dagster_port}"
        waiting = Platform(process, state, Settings.from_environment({}), url, dagster_url, log)
        waiting.wait(lambda: httpx.get(f"{url}/health/live", trust_env=False).status_code == 200, "serving", START_LIMIT_S)
        # What ends sooner than this has never run well, and `up` ends with it instead of starting it again.
        time.sleep(WELL_AFTER_S + 1)
        settings = Settings.from_environment(read_env_file(state / "env"))
        started = Platform(process, state, settings, url, dagster_url, log)
        started.wait(started.ready, "the starters, which `up` deploys on an empty registry", START_LIMIT_S)
        started.wait(lambda: started.daemon_beats_since(0), "the daemon", START_LIMIT_S)
        yield started
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()


@pytest.mark.timeout(600)
def test_each_part_that_is_killed_comes_back_by_itself_and_nothing_acknowledged_is_lost(platform: Platform) -> None:
    client = Client(platform.url, platform.new_key())
    took: dict[str, float] = {}
    with client.at_work():
        platform.wait(lambda: len(client.feedback) >= 5, "the client")

        platform.kill("serving")
        took["serving"] = platform.wait(platform.ready, "serving answers again")
        assert client.refused  # the control: the client notices when something is really gone

        answered = len(client.predictions)
        platform.kill("redis")
        took["redis"] = platform.wait(lambda: platform.dependency("redis"), "serving uses Redis again")
        assert len(client.predictions) > answered

        with platform.nobody_restarts():
            platform.kill("postgres", comes_back=False)
            went = time.monotonic()
            assert not _true(lambda: platform.sql("SELECT 1"))
            time.sleep(OUTAGE_S)
            assert not _true(lambda: platform.sql("SELECT 1"))
            during = client.acknowledged_between(went, time.monotonic())
        platform.wait(lambda: platform.sql("SELECT 1"), "PostgreSQL is back")
        back = time.time()
        took["postgres"] = platform.wait(
            lambda: platform.dependency("postgresql") and platform.sensor_ticked_since(back), "all use PostgreSQL again"
        )

        run = platform.launch("collect_job", WITHOUT_ASKING, platform.news_arrives())
        platform.wait(lambda: platform.status_of(run) in ("STARTING", "STARTED"), "a run under way")
        killed = time.time()
        platform.kill("dagster-daemon")
        assert platform.status_of(run) == "FAILURE"  # closed before the new daemon works; nobody waits for its pool
        took["daemon"] = platform.wait(lambda: platform.daemon_beats_since(killed), "the daemon works again")

    assert during > 0  # feedback was acknowledged while there was no database
    stored = {"feedback": set[object](), "predictions": set[object]()}

    def all_there() -> bool:
        for table, ids in stored.items():
            ids.update(row[0] for row in platform.sql(f"SELECT id FROM platform.{table}"))
        return {each for _, each in client.feedback} <= stored["feedback"] and set(client.predictions) <= stored["predictions"]

    again = f"SELECT 1 FROM dagster.runs JOIN dagster.run_tags USING (run_id) WHERE value = '{run}' AND status = 'SUCCESS'"
    took["collection"] = platform.wait(lambda: platform.sql(again), "the run that was killed is made again", MADE_AGAIN_LIMIT_S)
    platform.wait(platform.redis_says_what_postgresql_says, "online features are those of PostgreSQL")
    platform.wait(all_there, "everything acknowledged is in the database", SHIPPED_LIMIT_S)
    print({"recovered_s": {part: round(seconds, 1) for part, seconds in took.items()}, "feedback": len(client.feedback)})
    platform.process.send_signal(signal.SIGTERM)
    assert platform.process.wait(60) == 0
