"""Predictions of models that did not see the text: honest, worth mixing in, paid for once, and shown."""

import dataclasses
import json
import os
import signal
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch

from sentiment_platform.models.family import Progress, TrainingData, TrainingOptions
from sentiment_platform.models.pages.reporting import doubted_table
from sentiment_platform.models.transformer.training import distillation
from sentiment_platform.models.transformer.training.base import resolve_base
from sentiment_platform.models.transformer.training.checkpoints import Checkpoint, CheckpointFolder
from sentiment_platform.models.transformer.training.distillation import MAX_DOUBTED, MIN_STORIES, train_distilled
from sentiment_platform.models.transformer.training.fine_tuning import TrainedTransformer, checkpoint_folder, train_transformer
from sentiment_platform.models.transformer.training.parameters import TransformerParameters
from sentiment_platform.models.transformer.training.stages import targets_of
from sentiment_platform_tests.models.conftest import TINY_PARAMETERS
from sentiment_platform_tests.models.tiny_transformer import tiny_data, with_wrong_labels

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def data() -> TrainingData:
    """480 texts, each a story of its own."""
    made = tiny_data(480)
    return dataclasses.replace(made, train=dataclasses.replace(made.train, stories=made.train.ids))


def run(
    base: Path,
    data: TrainingData,
    checkpoints: Path | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
    *,
    seed: int = 7,
    **parameters: object,
) -> TrainedTransformer:
    options = TrainingOptions(
        seed=seed, threads=1, parameters={**TINY_PARAMETERS, "epochs": 3, "checkpoint_steps": 10, **parameters}
    )
    return train_distilled(resolve_base(str(base)), data, options, progress, checkpoints=checkpoints)


def run_to_death(base: Path, data: TrainingData, checkpoints: Path, stage: str) -> None:
    """Kill this very process in the middle of `stage`."""

    def told(progress: Progress) -> None:
        if progress.stage == stage and progress.done > progress.total / 2:
            os.kill(os.getpid(), signal.SIGKILL)

    run(base, data, checkpoints, told)


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> list[TrainingData]:
    """The data of every training that is begun, teachers first."""
    begun: list[TrainingData] = []

    def noted(base: object, data: TrainingData, *arguments: object, **named: object) -> TrainedTransformer:
        begun.append(data)
        return train_transformer(base, data, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(distillation, "train_transformer", noted)
    return begun


def test_no_text_is_predicted_by_a_model_that_saw_it_or_its_story(
    tiny_base: Path, data: TrainingData, trainings: list[TrainingData]
) -> None:
    pairs = [f"story-{row // 2 if row < 100 else row}" for row in range(len(data.train))]
    told_twice = dataclasses.replace(data, train=dataclasses.replace(data.train, stories=pairs))
    run(tiny_base, told_twice, epochs=1, distillation_folds=3)
    *teachers, last = trainings
    assert len(teachers) == 3
    assert list(last.train.ids) == list(data.train.ids)
    story = dict(zip(data.train.ids, pairs, strict=True))
    held = [set(data.train.ids) - set(teacher.train.ids) for teacher in teachers]
    assert sorted(key for part in held for key in part) == sorted(data.train.ids), "each text in exactly one"
    for part, teacher in zip(held, teachers, strict=True):
        assert not {story[key] for key in part} & {story[key] for key in teacher.train.ids}


def test_labels_that_are_wrong_are_the_ones_that_are_doubted(tiny_base: Path, data: TrainingData) -> None:
    mislabelled, wrong = with_wrong_labels(data)
    trained = run(tiny_base, mislabelled, epochs=8)
    found = trained.distillation
    doubted = [text["id"] for text in found["doubted"]]
    assert len(doubted) == MAX_DOUBTED
    assert len(wrong & set(doubted)) >= MAX_DOUBTED - 2
    assert found["agreement"] == pytest.approx(1 - len(wrong) / len(data.train), abs=0.06)
    assert trained.best.macro_f1 > 0.9
    assert trained.parameters.distillation_share == 0.3
    table = doubted_table(found)
    assert f"for {found['agreement']:.1%} of the training texts" in table
    assert table.count("\n| `train-") == MAX_DOUBTED
    # Negative control: where no label is wrong, hardly any is doubted.
    assert run(tiny_base, data, epochs=8).distillation["agreement"] > 0.95


def test_a_killed_run_trains_no_finished_fold_again_and_ends_with_the_same_weights(
    tiny_base: Path, data: TrainingData, trainings: list[TrainingData], tmp_path: Path
) -> None:
    folders = tmp_path / "checkpoints"
    child = get_context("spawn").Process(target=run_to_death, args=(tiny_base, data, folders, "fine-tuning, fold 2 of 2"))
    child.start()
    child.join(120)
    assert child.exitcode == -signal.SIGKILL
    kept = [json.loads(path.read_text("utf-8")) for path in folders.glob("*/step-*/position.json")]
    (finished,) = [position["said"] for position in kept if "said" in position]
    assert len(finished) == 1
    resumed = run(tiny_base, data, folders)
    assert len(trainings) == 2, "the second fold and the model itself"
    teachers = resumed.distillation["teachers"]
    assert teachers[0] == finished[0], "its seconds too: it was not trained again"
    assert [line["trained_on"] for line in teachers] == [240, 240]
    assert list(folders.glob("*/*")) == [], "a finished run leaves nothing"
    for name, weight in run(tiny_base, data).network.state_dict().items():
        assert torch.equal(weight, resumed.network.state_dict()[name]), name


def test_what_another_seed_or_share_left_is_not_taken_up(tiny_base: Path, tmp_path: Path) -> None:
    base, data, options = resolve_base(str(tiny_base)), tiny_data(), TrainingOptions(seed=7, threads=1)

    def folder(options: TrainingOptions, **change: Any) -> CheckpointFolder:
        parameters = dataclasses.replace(TransformerParameters(), **change)
        return cast(CheckpointFolder, checkpoint_folder(tmp_path, base, data, options, parameters, "teachers"))

    folder(options).save(Checkpoint({"predictions": torch.zeros(1)}, {"steps": 1}))
    assert folder(options).newest() is not None
    assert folder(dataclasses.replace(options, seed=8)).newest() is None
    for change in ({"distillation_share": 0.5}, {"distillation_folds": 3}):
        assert folder(options, **change).newest() is None, change


def test_the_cap_of_the_wall_clock_holds_for_all_of_it(tiny_base: Path, data: TrainingData) -> None:
    now = [0.0]

    def clock() -> float:
        now[0] += 0.1
        return now[0]

    options = TrainingOptions(
        seed=7, threads=1, parameters={**TINY_PARAMETERS, "epochs": 200, "patience": 0, "max_seconds": 60.0}
    )
    trained = train_distilled(resolve_base(str(tiny_base)), data, options, lambda _: None, clock=clock)
    assert trained.stopped_by_clock
    assert 50 < trained.seconds < 70
    assert [line["seconds"] for line in trained.distillation["teachers"]] == pytest.approx([10.0, 10.0], abs=2.0)
    assert trained.parameters.max_seconds == 60.0, "what was asked for, not what was left"


@pytest.mark.parametrize("change", [{"distillation_share": 0.0}, {}], ids=["not wanted", "too few stories"])
def test_without_it_a_run_is_plain_and_says_so(tiny_base: Path, data: TrainingData, change: dict[str, object]) -> None:
    if not change:
        stories = [f"story-{row % (MIN_STORIES - 1)}" for row in range(len(data.train))]
        data = dataclasses.replace(data, train=dataclasses.replace(data.train, stories=stories))
    trained = run(tiny_base, data, epochs=1, **change)
    plain_options = TrainingOptions(seed=7, threads=1, parameters={**TINY_PARAMETERS, "epochs": 1})
    plain = train_transformer(resolve_base(str(tiny_base)), data, plain_options, lambda _: None)
    assert trained.distillation == {}
    assert trained.parameters.distillation_share == 0.0
    for name, weight in plain.network.state_dict().items():
        assert torch.equal(weight, trained.network.state_dict()[name]), name


def test_targets_mix_labels_with_predictions_or_smooth_them() -> None:
    labels, predictions = np.array([0, 2]), np.array([[0.2, 0.5, 0.3], [0.0, 0.1, 0.9]])
    parameters = TransformerParameters(distillation_share=0.4, label_smoothing=0.3)
    mixed = targets_of(parameters, labels, predictions)
    assert mixed == pytest.approx(np.array([[0.68, 0.2, 0.12], [0.0, 0.04, 0.96]]))
    smooth = targets_of(parameters, labels, None)
    assert smooth == pytest.approx(np.array([[0.8, 0.1, 0.1], [0.1, 0.1, 0.8]]))
    logits = torch.tensor([[0.3, -1.0, 2.0], [1.0, 0.5, -0.5]], dtype=torch.float64)
    torchs = torch.nn.functional.cross_entropy(logits, torch.from_numpy(labels), label_smoothing=0.3)
    assert torch.nn.functional.cross_entropy(logits, torch.from_numpy(smooth)) == pytest.approx(float(torchs))
