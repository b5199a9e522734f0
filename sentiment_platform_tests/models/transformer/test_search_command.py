"""`models search`: several processes work on the study that a later training run then finds."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, text

from sentiment_platform.cli import main
from sentiment_platform.models.family import TrainingOptions
from sentiment_platform.models.training_data import read_training_data
from sentiment_platform.models.transformer.training.base import resolve_base
from sentiment_platform.models.transformer.training.recipe import join_search, train_by_recipe
from sentiment_platform.models.versions.training_world import training_world
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.settings import Settings
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform.store.training_sets import write_training_set
from sentiment_platform_tests.models.conftest import TINY_PARAMETERS
from sentiment_platform_tests.models.tiny_transformer import stored, tiny_data
from sentiment_platform_tests.serving.running import environment_of

pytestmark = pytest.mark.slow

PARAMETERS = {**TINY_PARAMETERS, "epochs": 1, "trial_texts": 60}
PROGRAM = "from sentiment_platform.cli import main; main()"


def trials(engine: Engine) -> list[tuple[str, int, str]]:
    """(study, number of the trial, its state)."""
    query = "SELECT study_name, number, state FROM optuna.trials JOIN optuna.studies USING (study_id) ORDER BY 1, 2"
    with engine.connect() as connection:
        return [(row[0], row[1], row[2]) for row in connection.execute(text(query))]


def test_two_workers_share_the_study_of_a_recipe_and_a_later_training_finds_their_trials(
    settings: Settings, tiny_base: Path
) -> None:
    settings = replace(settings, transformer_base=str(tiny_base))
    engine = create_platform_engine(settings.database_url)
    with engine.begin() as connection:
        write_training_set(connection, "af" * 32, "v1", {}, stored(tiny_data()))
    command = [sys.executable, "-c", PROGRAM, "models", "search", "--trials", "6", "--seed", "7", "--threads", "1"]
    command += ["--parameters", json.dumps(PARAMETERS)]
    environment = environment_of(settings) | {"COLUMNS": "200"}
    workers = [
        subprocess.Popen([*command, "--worker", worker], env=environment, stdout=subprocess.PIPE, text=True) for worker in "12"
    ]
    said = [worker.communicate(timeout=280)[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], said
    tried = trials(engine)
    (study,) = {name for name, _, _ in tried}
    assert all(study in words for words in said)
    assert len({number for _, number, _ in tried}) == len(tried) in (6, 7), "one list of trials; two may end at once"

    # What has nothing to do with the search does not part the run from its study.
    asked: dict[str, Any] = {**PARAMETERS, "n_trials": 6, "start": "champion", "replay_share": 2.0, "checkpoint_steps": 5}
    data, base = read_training_data(engine), resolve_base(str(tiny_base))
    world = training_world(engine, RegistryAccess(settings))
    trained = train_by_recipe(base, data, TrainingOptions(seed=7, threads=1, parameters=asked), lambda _: None, world)
    assert trials(engine) == tried
    assert (trained.search["study"], trained.search["n_trials"]) == (study, len(tried))
    best = trained.search["best_parameters"]
    assert {name: getattr(trained.parameters, name) for name in best} == best

    # The control: another seed is another study.
    options = TrainingOptions(seed=8, threads=1, parameters=PARAMETERS | {"n_trials": 1})
    other = join_search(world, data, options, lambda _: None, worker=1)
    assert other.study != study
    assert len(trials(engine)) == len(tried) + 1
    engine.dispose()


def test_parameters_that_are_no_json_object_are_refused() -> None:
    refused = CliRunner().invoke(main, ["models", "search", "--trials", "2", "--parameters", "[1]"])
    assert refused.exit_code == 2
    assert "'--parameters': It is no JSON object" in refused.output
