"""A base that is no BERT goes the whole way: MPNet has RoBERTa's special tokens, places behind the padding token, relative positions."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.evaluation.evaluation import evaluate
from sentiment_platform.models.family import ExportReport, TrainingOptions
from sentiment_platform.models.transformer.family import TransformerFamily
from sentiment_platform.models.transformer.runtime import OnnxTransformer, load_transformer
from sentiment_platform.models.transformer.tokens import pad_id_of
from sentiment_platform.models.transformer.training.base import resolve_base
from sentiment_platform.models.transformer.training.fine_tuning import TrainedTransformer, train_transformer
from sentiment_platform.models.transformer.training.network import build_network, positions_of, tokenizer_json
from sentiment_platform.models.transformer.training.optimizer import depth_of
from sentiment_platform.models.transformer.training.weights import network_logits
from sentiment_platform_tests.models.tiny_transformer import tiny_data, write_tiny_mpnet

DATA = tiny_data()
OPTIONS = TrainingOptions(
    seed=7,
    threads=1,
    parameters={
        "epochs": 5,
        "learning_rate": 4e-3,
        "rank": 8,
        "batch_size": 16,
        "max_length": 64,
        "device": "cpu",
        "consistency": 0.0,
    },
)


@dataclasses.dataclass(frozen=True)
class Made:
    """A tiny MPNet, trained, exported and loaded by what serves."""

    base: Path
    trained: TrainedTransformer
    report: ExportReport
    directory: Path
    served: OnnxTransformer


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    base = write_tiny_mpnet(tmp_path_factory.mktemp("tiny-mpnet"))
    family, directory = TransformerFamily(str(base)), tmp_path_factory.mktemp("artefact")
    trained = family.train(DATA, OPTIONS, lambda _: None)
    report = family.export(trained, DATA, directory, lambda _: None)
    return Made(base, trained, report, directory, load_transformer(directory))


def test_it_learns_and_the_served_graph_answers_like_the_network(made: Made) -> None:
    assert evaluate(made.served, DATA.test).report.macro_f1.value > 0.75
    assert made.report.figures["parity"]["max_logit_difference"] < 1e-4
    assert made.report.figures["parity_test"]["agreement"] > 0.95
    exact = network_logits(made.trained.network, made.trained.tokenizer_json, 64, DATA.test.texts)
    assert np.abs(made.served.logits(DATA.test.texts) - exact).max() < 0.5


def test_an_answer_does_not_depend_on_its_neighbours(made: Made) -> None:
    together = made.served.logits(DATA.test.texts)
    alone = np.concatenate([made.served.logits([text]) for text in DATA.test.texts])
    assert np.abs(together - alone).max() < 1e-5


def test_padding_is_what_the_config_names_in_training_and_in_serving(made: Made) -> None:
    raw = (made.base / "tokenizer.json").read_text("utf-8")
    assert pad_id_of(raw) == 0, "the file itself says nothing of padding"
    assert pad_id_of(tokenizer_json(made.base)) == 1
    assert pad_id_of((made.directory / "tokenizer.json").read_text("utf-8")) == made.served.scorer.pad_id == 1


def test_the_shared_table_of_relative_positions_lies_below_the_layers(made: Made) -> None:
    network, _ = build_network(made.base, "mean")
    names = [name for name, _ in network.named_parameters() if "relative_attention_bias" in name]
    assert len(names) == 1
    assert {depth_of(name) for name in names} == {0}


def test_a_text_longer_than_the_encoder_has_places_for_is_refused_before_training(made: Made) -> None:
    assert positions_of(build_network(made.base, "mean")[0]) == 64
    parameters = {**OPTIONS.parameters, "max_length": 65}
    with pytest.raises(PermanentError, match="Use at most 64"):
        train_transformer(resolve_base(str(made.base)), DATA, dataclasses.replace(OPTIONS, parameters=parameters), lambda _: None)
