"""A run whose parent was killed goes on by itself; once its retry has started, nothing that it writes counts."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine, text

from sentiment_platform.models.versions.working_folder import TRAINING_WORK
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.settings import Settings
from sentiment_platform.store import leases
from sentiment_platform_tests.models.versions.vader_versions import drafts, label, registered, released, train
from sentiment_platform_tests.serving.running import environment_of

pytestmark = pytest.mark.slow

STEPS = ("vader: fitted", "draft created", "vader.json uploaded", "manifest.json uploaded", "published")
"""Where orphans wait while their retry runs to its end: before, in and after what they would write."""

Ask = Callable[..., str]


@pytest.fixture
def engine(engine: Engine) -> Engine:
    """With a training set."""
    label(engine)
    return engine


@pytest.fixture(scope="module")
def process() -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "sentiment_platform_tests.models.versions.orphaned_training"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


@pytest.fixture
def ask(process: "subprocess.Popen[str]", settings: Settings) -> Ask:
    """Send a command to the process that makes orphans; returns its answer."""

    def ask(*command: str) -> str:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps([environment_of(settings), command]) + "\n")
        process.stdin.flush()
        return process.stdout.readline().strip()

    return ask


@pytest.mark.parametrize("step", STEPS)
def test_an_orphan_that_finishes_last_writes_nothing_20_of_20_times(
    engine: Engine, settings: Settings, ask: Ask, step: str
) -> None:
    """At each of the five steps two whole trainings, and two times the transaction in which every step shows its token."""
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE written (holder text)"))
    made: list[str] = []
    for seed in (0, 1):
        assert ask("train", str(seed), step) == "orphaned"
        retry = train(engine, RegistryAccess(settings), seed=seed, run=f"retry {seed}")
        assert retry.new is (step != "published"), "what an orphan has published already is taken up"
        made.append(retry.version)
        assert ask("go on") == "refused", step
    for number in (0, 1):
        assert ask("write", str(number)) == "orphaned"
        lease = leases.acquire(engine, "step", f"retry {number}", 60, take_over=True)
        with engine.begin() as connection:
            connection.execute(text("INSERT INTO written VALUES (:holder)"), {"holder": lease.holder})
            leases.require(connection, lease)
        assert ask("go on") == "refused"
    assert released(settings) == registered(engine) == sorted(made)
    assert (drafts(settings), len(set(made))) == ([], 2)
    assert list((settings.state_dir / TRAINING_WORK).glob("*/*")) == []
    with engine.connect() as connection:
        runs = set(connection.execute(text("SELECT run_id FROM platform.model_versions")).scalars())
        holders = set(connection.execute(text("SELECT holder FROM written")).scalars())
    assert runs == holders == {f"retry {number}" for number in (0, 1)}


def test_an_orphan_without_a_retry_writes(engine: Engine, settings: Settings, ask: Ask) -> None:
    """Negative control: it is the retry that it is refused for."""
    assert ask("train", "1", STEPS[0]) == "orphaned"
    assert ask("go on") == "written"
    assert released(settings) == registered(engine) == ["v1.0.0-vader"]
