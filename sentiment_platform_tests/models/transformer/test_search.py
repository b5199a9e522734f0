"""The search over the recipe, and that its result is what is trained."""

import json
from pathlib import Path

import pytest

from sentiment_platform.models.family import TrainingOptions
from sentiment_platform.models.transformer.family import TransformerFamily
from sentiment_platform.models.transformer.training.fine_tuning import TrainedTransformer
from sentiment_platform_tests.models.conftest import TINY_PARAMETERS
from sentiment_platform_tests.models.tiny_transformer import tiny_data

pytestmark = pytest.mark.slow


def searched(base: Path, seed: int = 7) -> TrainedTransformer:
    given = {**TINY_PARAMETERS, "epochs": 2, "layer_decay": 1.0, "n_trials": 6, "trial_texts": 60}
    return TransformerFamily(str(base)).train(
        tiny_data(120, 40), TrainingOptions(seed=seed, threads=1, parameters=given), lambda _: None
    )


@pytest.fixture(scope="module")
def found(tiny_base: Path) -> TrainedTransformer:
    return searched(tiny_base)


def test_the_best_trial_of_the_search_is_the_recipe_that_is_trained(found: TrainedTransformer) -> None:
    report = json.loads(json.dumps(dict(found.search)))
    assert report["n_trials"] == 6
    assert report["seed"] == 7
    assert report["trial_texts"] == 60
    best = max((trial for trial in report["trials"] if trial["state"] == "complete"), key=lambda trial: trial["value"])
    assert report["best_value"] == best["value"]
    used = {name: getattr(found.parameters, name) for name in report["best_parameters"]}
    assert used == report["best_parameters"] == best["parameters"]
    assert set(report["bounds"]) == set(used)


def test_what_the_run_asks_for_is_not_searched(found: TrainedTransformer) -> None:
    assert {"layer_decay", "learning_rate"} & set(found.search["best_parameters"]) == set()
    assert found.parameters.learning_rate == TINY_PARAMETERS["learning_rate"]


def test_the_same_seed_finds_the_same_recipe(found: TrainedTransformer, tiny_base: Path) -> None:
    again = searched(tiny_base)
    assert again.search["trials"] == found.search["trials"]
    assert again.best == found.best
