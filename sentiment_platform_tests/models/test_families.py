import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.families import FAMILIES, load_model, trainer
from sentiment_platform.models.family import TrainingWorld
from sentiment_platform_tests.models.vader.small_vader import export

WORLD = TrainingWorld(transformer_base="packaged:minilm")


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_can_be_loaded(name: str) -> None:
    module, _, attribute = FAMILIES[name].loader.partition(":")
    assert callable(getattr(import_module(module), attribute))


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_can_be_trained_and_names_its_inputs(name: str) -> None:
    family = trainer(name, WORLD)
    assert family.name == name
    assert family.files
    inputs = family.inputs()
    assert inputs
    assert all(isinstance(value, str) and value for value in inputs.values())
    assert dict(inputs) == dict(trainer(name, WORLD).inputs())


def test_loading_vader_imports_no_training_library(tmp_path: Path) -> None:
    export(tmp_path)
    program = (
        "import sys; from pathlib import Path; from sentiment_platform.models.families import load_model;"
        "print(load_model('vader', Path(sys.argv[1])).predict(['Sales rose'], None).shape);"
        "heavy = {'torch', 'transformers', 'scipy', 'polars', 'dagster', 'onnxruntime'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "(1, 3)\n"


def test_an_unknown_family_is_refused_with_those_that_exist(tmp_path: Path) -> None:
    for attempt in (lambda: load_model("oracle", tmp_path), lambda: trainer("oracle", WORLD)):
        with pytest.raises(PermanentError, match=r"'oracle' is unknown.*vader, finbert"):
            attempt()


@pytest.mark.parametrize("name", ["bayes2", "Bayes", "naive_bayes", "b" * 31])
def test_a_name_that_no_version_could_carry_is_refused_before_training(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setitem(FAMILIES, name, FAMILIES["vader"])
    with pytest.raises(PermanentError, match=r"cannot name a family. Use 1 to 30 lower-case letters"):
        trainer(name, WORLD)


def test_the_rules_are_the_cheapest_family() -> None:
    assert min(FAMILIES, key=lambda name: FAMILIES[name].cost) == "vader"
