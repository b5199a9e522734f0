"""kill -9 around the side effects of training and evaluation, then the run again: all that lasts is as after an undisturbed run."""

import dataclasses
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from sqlalchemy import text

from sentiment_platform.github_server import GithubServer
from sentiment_platform.registry.access import CACHE_FOLDER
from sentiment_platform.settings import Settings
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform.store.training_sets import write_training_set
from sentiment_platform_tests.conftest import TEST_REPOSITORY, TEST_TOKEN
from sentiment_platform_tests.models.conftest import TINY_PARAMETERS
from sentiment_platform_tests.models.tiny_transformer import stored, tiny_data
from sentiment_platform_tests.models.transformer.dying_training import Answer, Case
from sentiment_platform_tests.models.versions.vader_versions import drafts, released
from sentiment_platform_tests.serving.running import environment_of

PARAMETERS = {"vader": {"trials": 0}, "finbert": {**TINY_PARAMETERS, "epochs": 2, "checkpoint_steps": 10}}
MEASURED = ("technical", "seconds", "sentences_per_s", "peak_memory_mib", "resumed_from_step")
"""Figures that tell one run from another."""
Point = tuple[str, int]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


class Dying:
    """The process that forks one run for each case, and platforms to run on: each with the same training set and nothing else."""

    def __init__(self, process: "subprocess.Popen[str]", settings: Settings, new_database: Callable[..., str], at: Path) -> None:
        self._process, self._settings, self._new_database, self._at = process, settings, new_database, at
        self.servers: list[GithubServer] = []

    def platform(self) -> Settings:
        folder = self._at / f"platform-{len(self.servers)}"
        self.servers.append(GithubServer(folder / "github", TEST_REPOSITORY, TEST_TOKEN))
        self.servers[-1].start()
        (folder / "tmp").mkdir()
        return dataclasses.replace(
            self._settings,
            database_url=self._new_database(urlsplit(self._settings.database_url).path.removeprefix("/")),
            registry_url=self.servers[-1].url,
            state_dir=folder / "state",
        )

    def run(self, on: Settings, family: str, *, evaluate: bool = False, kill_at: Point | None = None) -> Answer:
        """One run, in a process of its own."""
        # The commit goes into the manifest, and this checkout may move on while the test runs.
        environment = environment_of(on) | {"GITHUB_SHA": "0123abc"}
        case = Case(environment, str(on.state_dir.parent / "tmp"), family, PARAMETERS[family], evaluate, kill_at)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(case).decode() + "\n")
        self._process.stdin.flush()
        return msgspec.json.decode(self._process.stdout.readline(), type=Answer)


@pytest.fixture(scope="module")
def process() -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "sentiment_platform_tests.models.transformer.dying_training"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


@pytest.fixture
def dying(
    process: "subprocess.Popen[str]", settings: Settings, new_database: Callable[..., str], tiny_base: Path, tmp_path: Path
) -> Iterator[Dying]:
    engine = create_platform_engine(settings.database_url)
    with engine.begin() as connection:
        write_training_set(connection, "af" * 32, "v1", {}, stored(tiny_data()))
    engine.dispose()
    found = Dying(process, dataclasses.replace(settings, transformer_base=str(tiny_base)), new_database, tmp_path)
    yield found
    for server in found.servers:
        server.stop()


def stands(on: Settings) -> dict[str, Any]:
    """All that a run leaves: rows, releases with the digests of their files, drafts, and files on this machine."""
    engine = create_platform_engine(on.database_url)
    queries = {
        "versions": "SELECT version, training_set, options_digest, manifest FROM platform.model_versions ORDER BY 1",
        "figures": "SELECT version, metric, value, low, high, n, in_sample FROM platform.model_performance ORDER BY 1, 2",
        "answers": "SELECT version, training_set, example_id, probabilities FROM platform.holdout_predictions ORDER BY 1, 2, 3",
    }
    with engine.connect() as connection:
        found: dict[str, Any] = {
            name: [tuple(_lasting(value) for value in row) for row in connection.execute(text(query))]
            for name, query in queries.items()
        }
    engine.dispose()
    found |= {"releases": released(on), "drafts": drafts(on)}
    for name, folder in {"state": on.state_dir, "temporary": on.state_dir.parent / "tmp"}.items():
        found[name] = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    return found


def _lasting(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _lasting(inner) for name, inner in value.items() if name not in MEASURED}
    return value


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, tuple[list[str], dict[str, Any]]]:
    """family -> side effects of an undisturbed training and what it leaves; filled by the first test that asks."""
    return {}


# Around the commit of the version; after steps on the registry, which report themselves when they are done; after a checkpoint.
@pytest.mark.parametrize(
    ("family", "when", "effect"),
    [
        ("vader", "after", "commit leases"),
        ("vader", "after", "manifest.json uploaded"),
        ("vader", "before", "commit model_versions"),
        ("vader", "after", "commit model_versions"),
        ("finbert", "after", "rename step-000000020"),
        ("finbert", "after", "weights.safetensors uploaded"),
    ],
)
def test_after_kill_9_the_next_training_ends_like_an_undisturbed_one_and_leaves_no_file(
    dying: Dying, undisturbed: dict[str, Any], family: str, when: str, effect: str
) -> None:
    if family not in undisturbed:
        whole = dying.platform()
        effects = dying.run(whole, family).effects
        undisturbed[family] = effects, stands(whole)
    effects, expected = undisturbed[family]
    assert expected["releases"] == [f"v1.0.0-{family}"]
    assert (expected["drafts"], expected["state"], expected["temporary"]) == ([], [], [])
    number = next(number for number, name in enumerate(effects) if name.startswith(effect))
    platform = dying.platform()
    assert dying.run(platform, family, kill_at=(when, number)).status == -9
    # The control: the death left work to do, but for the one after the version was registered.
    assert (stands(platform) == expected) is ((when, effect) == ("after", "commit model_versions"))
    assert dying.run(platform, family).status == 0
    assert stands(platform) == expected


@pytest.mark.parametrize(("family", "chosen"), [("vader", slice(None)), ("finbert", slice(-2, -1))])
def test_after_kill_9_at_any_side_effect_the_next_evaluation_leaves_what_an_undisturbed_one_does(
    dying: Dying, family: str, chosen: slice
) -> None:
    """Of the transformer, whose asset is the same function, one point: before the rows are committed."""
    platform = dying.platform()
    assert dying.run(platform, family).status == 0
    trained = stands(platform)
    effects = dying.run(platform, family, evaluate=True).effects
    expected = stands(platform)
    assert (len(expected["answers"]), bool(expected["figures"])) == (60, True)
    points = [(when, number) for number in range(len(effects)) for when in ("before", "after")]
    assert [effects[0].split()[0], effects[-1]] == ["rename", "commit holdout_predictions model_performance"]
    for when, number in points[chosen]:
        forget(platform)
        assert stands(platform) == trained
        assert dying.run(platform, family, evaluate=True, kill_at=(when, number)).status == -9
        assert (stands(platform) == expected) is ((when, number) == points[-1])
        assert dying.run(platform, family, evaluate=True).status == 0
        assert stands(platform) == expected, f"after a kill {when} {effects[number]}"


def forget(on: Settings) -> None:
    """What evaluation left, in the database and in the cache of models, goes."""
    engine = create_platform_engine(on.database_url)
    with engine.begin() as connection:
        connection.execute(text("TRUNCATE platform.model_performance, platform.holdout_predictions"))
    engine.dispose()
    shutil.rmtree(on.state_dir / CACHE_FOLDER)
