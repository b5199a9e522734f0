"""Training in processes of their own that are killed or left behind: the next run ends where an undisturbed one does."""

import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from sentiment_platform.models.family import TrainingOptions
from sentiment_platform.models.training_data import read_training_data
from sentiment_platform.models.vader_training import VaderFamily
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.settings import Settings
from sentiment_platform.store import leases
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform_tests.models.test_publishing import drafts, label, registered, released, train
from sentiment_platform_tests.serving.running import environment_of

DIES = """
import os, signal, sys
from sentiment_platform.settings import Settings
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform_tests.models.test_publishing import train
from sentiment_platform_tests.promotion.stepping import SteppedAccess

def die(happened):
    if happened == sys.argv[1]:
        os.kill(os.getpid(), signal.SIGKILL)

settings = Settings.from_environment(os.environ)
engine = create_platform_engine(settings.database_url)
train(engine, SteppedAccess(settings, die), run="killed", progress=lambda progress: die(progress.stage))
die("registered")
"""
LEFT_BEHIND = """
import os
from sqlalchemy import text
from sentiment_platform.errors import ConflictError
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.settings import Settings
from sentiment_platform.store import leases
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform_tests.models.test_publishing import train

settings = Settings.from_environment(os.environ)
engine = create_platform_engine(settings.database_url)

def waits(progress):
    if progress.stage == "vader: fitted":
        print("ready", flush=True)
        input()

def write(lease):
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO written VALUES (:holder)"), {"holder": lease.holder})
        leases.require(connection, lease)

try:
    train(engine, RegistryAccess(settings), run="orphan", progress=waits)
except ConflictError:
    print("refused", flush=True)
for number in range(20):
    lease = leases.acquire(engine, "step", f"orphan {number}", 60, take_over=True)
    print("ready", flush=True)
    input()
    try:
        write(lease)
        print("written", flush=True)
    except ConflictError:
        print("refused", flush=True)
"""


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    engine = create_platform_engine(settings.database_url)
    label(engine)
    yield engine
    engine.dispose()


def undisturbed(engine: Engine, folder: Path) -> dict[str, str]:
    """sha256 of the files that training makes of this data."""
    family, data = VaderFamily(), read_training_data(engine)
    folder.mkdir()
    trained = family.train(data, TrainingOptions(seed=1, parameters={"trials": 0}), lambda _: None)
    family.export(trained, data, folder, lambda _: None)
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


@pytest.mark.parametrize("step", ["vader: fitted", "vader.json uploaded", "published", "registered"])
def test_after_kill_9_anywhere_the_next_run_ends_like_an_undisturbed_one(
    engine: Engine, settings: Settings, tmp_path: Path, step: str
) -> None:
    died = subprocess.run([sys.executable, "-c", DIES, step], env=environment_of(settings), check=False, timeout=120)
    assert died.returncode == -9
    assert registered(engine) == (["v1.0.0-vader"] if step == "registered" else [])
    made = train(engine, RegistryAccess(settings), run="next")
    assert made.new is (step not in ("published", "registered"))
    assert {name: entry.sha256 for name, entry in made.manifest.files.items()} == undisturbed(engine, tmp_path / "undisturbed")
    assert (registered(engine), released(settings), drafts(settings)) == (["v1.0.0-vader"], ["v1.0.0-vader"], [])


def test_an_orphan_that_finishes_last_writes_nothing_21_of_21_times(engine: Engine, settings: Settings) -> None:
    """Once the whole training, and 20 times the transaction in which every step shows its token."""
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE written (holder text)"))
    orphan = subprocess.Popen(
        [sys.executable, "-c", LEFT_BEHIND],
        env=environment_of(settings),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert orphan.stdin is not None
    assert orphan.stdout is not None

    def goes_on() -> str:
        assert orphan.stdin is not None
        assert orphan.stdout is not None
        orphan.stdin.write("\n")
        orphan.stdin.flush()
        return orphan.stdout.readline().strip()

    try:
        assert orphan.stdout.readline().strip() == "ready"
        made = train(engine, RegistryAccess(settings), run="retry")
        assert goes_on() == "refused"
        for number in range(20):
            assert orphan.stdout.readline().strip() == "ready"
            lease = leases.acquire(engine, "step", f"retry {number}", 60, take_over=True)
            with engine.begin() as connection:
                connection.execute(text("INSERT INTO written VALUES (:holder)"), {"holder": lease.holder})
                leases.require(connection, lease)
            assert goes_on() == "refused"
    finally:
        orphan.kill()
        orphan.communicate()
    assert released(settings) == registered(engine) == [made.version]
    with engine.connect() as connection:
        holders = set(connection.execute(text("SELECT holder FROM written")).scalars())
    assert holders == {f"retry {number}" for number in range(20)}
