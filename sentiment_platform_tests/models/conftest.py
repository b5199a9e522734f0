"""The tiny transformer: one checkpoint, one training and one artefact for all tests of this folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sentiment_platform.models.family import ExportReport, Progress, TrainingData, TrainingOptions
from sentiment_platform.models.transformer.family import TransformerFamily
from sentiment_platform_tests.models.tiny_transformer import tiny_data, write_tiny_checkpoint

if TYPE_CHECKING:
    from sentiment_platform.models.transformer.training.fine_tuning import TrainedTransformer

TINY_PARAMETERS = {"epochs": 6, "learning_rate": 2e-3, "batch_size": 16, "device": "cpu", "precision": "float32"}


@dataclass(frozen=True)
class TinyArtefact:
    """A trained and exported tiny transformer with everything that led to it."""

    family: TransformerFamily
    data: TrainingData
    trained: "TrainedTransformer"
    directory: Path
    fp32: bytes
    report: ExportReport
    progress: list[Progress]


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Checkpoint directory of a tiny BERT encoder."""
    return write_tiny_checkpoint(tmp_path_factory.mktemp("tiny-base"))


@pytest.fixture(scope="session")
def tiny_options() -> TrainingOptions:
    return TrainingOptions(seed=7, threads=1, parameters=TINY_PARAMETERS)


@pytest.fixture(scope="session")
def tiny_artefact(tiny_base: Path, tiny_options: TrainingOptions, tmp_path_factory: pytest.TempPathFactory) -> TinyArtefact:
    """Trained and exported once; tests that change files copy the directory first."""
    from sentiment_platform.models.transformer.export import to_onnx

    family, data, progress = TransformerFamily(str(tiny_base)), tiny_data(), list[Progress]()
    trained = family.train(data, tiny_options, progress.append)
    directory = tmp_path_factory.mktemp("tiny-artefact")
    report = family.export(trained, data, directory, progress.append)
    fp32 = to_onnx(trained.network).SerializeToString()
    return TinyArtefact(family, data, trained, directory, fp32, report, progress)
