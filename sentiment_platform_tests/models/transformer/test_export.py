"""Export: exactly the files, the same bytes each time, nothing that names the machine, and no model that answers differently."""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest

from sentiment_platform.models.family import LABELS, Floats, TrainingData
from sentiment_platform.models.head.head import CalibrationHead
from sentiment_platform.models.head.label_rule import fit_labelling_head
from sentiment_platform.models.transformer.export import HEAD_SEED, to_onnx
from sentiment_platform.models.transformer.parity import MAX_LOGIT_DIFFERENCE, Parity, ParityError, measure_parity
from sentiment_platform.models.transformer.quantization import quantise_graph
from sentiment_platform.models.transformer.runtime import OnnxScorer, load_transformer, open_session
from sentiment_platform.models.transformer.tokens import encode, padded, tokenizer_from_json
from sentiment_platform.models.transformer.training.base import PACKAGED_MINILM, resolve_base
from sentiment_platform.models.transformer.training.network import build_network, tokenizer_json
from sentiment_platform.statistics.estimate import Estimate
from sentiment_platform_tests.models.conftest import TinyArtefact

if TYPE_CHECKING:
    from torch import nn

pytestmark = pytest.mark.slow

GOOD = Parity(
    n=400,
    max_logit_difference=1e-6,
    max_int8_difference=0.5,
    agreement=0.98,
    macro_f1=0.80,
    macro_f1_difference=Estimate(0.001, -0.009, 0.011, 400),
)


def calibrated(served: Floats, data: TrainingData) -> CalibrationHead:
    return fit_labelling_head(served, data.validation, data.feature_names, data.feature_schema, seed=HEAD_SEED)[0]


def test_exactly_the_files_of_the_family_and_those_for_training_are_written(tiny_artefact: TinyArtefact) -> None:
    written = sorted(path.name for path in tiny_artefact.directory.iterdir())
    assert written == sorted([*tiny_artefact.family.files, *tiny_artefact.report.training_files])


def test_the_same_trained_state_gives_the_same_bytes(tiny_artefact: TinyArtefact) -> None:
    """`fp32` is a second conversion of the network that the directory was exported from."""
    graph = quantise_graph(onnx.load_from_string(tiny_artefact.fp32)).SerializeToString(deterministic=True)
    assert graph == (tiny_artefact.directory / "model.onnx").read_bytes()
    served = load_transformer(tiny_artefact.directory).logits(tiny_artefact.data.validation.texts)
    again = json.loads(json.dumps(calibrated(served, tiny_artefact.data).to_json()))
    assert again == json.loads((tiny_artefact.directory / "head.json").read_text("utf-8"))


def test_export_reports_its_steps(tiny_artefact: TinyArtefact) -> None:
    steps = [report for report in tiny_artefact.progress if report.stage == "export"]
    assert steps
    assert (steps[-1].done, steps[-1].total, steps[-1].remaining_s) == (4, 4, 0.0)


def test_the_report_names_the_base_and_carries_figures_that_json_can_hold(tiny_artefact: TinyArtefact, tiny_base: Path) -> None:
    report = tiny_artefact.report
    figures = json.loads(json.dumps(report.figures))
    assert (report.base_model, report.base_digest) == (tiny_base.name, resolve_base(str(tiny_base)).digest)
    assert figures["parity"]["max_logit_difference"] <= MAX_LOGIT_DIFFERENCE
    assert figures["training"]["n_train"] == len(tiny_artefact.data.train)
    assert figures["features_help"] is False, "features of pure noise must not be said to help"
    assert figures["int8_bytes"] == (tiny_artefact.directory / "model.onnx").stat().st_size
    assert json.loads((tiny_artefact.directory / "head.json").read_text("utf-8"))["uses_features"] is False


def test_features_that_carry_the_answer_are_used_by_the_head(tiny_artefact: TinyArtefact) -> None:
    """Negative control of the one above: beside logits without information, a feature that is the label must help."""
    data, n = tiny_artefact.data, len(tiny_artefact.data.validation)
    features = np.column_stack([data.validation.labels - 1.0, np.zeros(n)])
    informed = dataclasses.replace(data, validation=dataclasses.replace(data.validation, features=features))
    head = calibrated(np.random.default_rng(2).normal(size=(n, 3)), informed)
    assert head.uses_features
    assert head.ablation is not None
    assert head.ablation.features_help


def test_the_graph_names_neither_source_code_nor_machine(tiny_artefact: TinyArtefact) -> None:
    content = (tiny_artefact.directory / "model.onnx").read_bytes()
    for word in (b"sentiment_platform", b"site-packages", b".py", b"/home", b"/tmp", str(Path.cwd()).encode()):
        assert word not in content
    onnx.checker.check_model(onnx.load_from_string(content))


def parity_of(artefact: TinyArtefact, network: "nn.Module", served: Floats) -> Parity:
    tokenizer = tokenizer_from_json((artefact.directory / "tokenizer.json").read_text("utf-8"), 128)
    return measure_parity(
        network, OnnxScorer(open_session(artefact.fp32, 1), tokenizer, 0), served, tokenizer, artefact.data.validation
    )


def test_a_graph_of_other_weights_is_refused(tiny_artefact: TinyArtefact, tiny_base: Path) -> None:
    served = load_transformer(tiny_artefact.directory).logits(tiny_artefact.data.validation.texts)
    other, _ = build_network(tiny_base, "mean")
    parity_of(tiny_artefact, tiny_artefact.trained.network, served).require()
    with pytest.raises(ParityError, match="ONNX and torch logits differ"):
        parity_of(tiny_artefact, other.eval(), served).require()


def test_an_int8_graph_with_shuffled_labels_is_refused(tiny_artefact: TinyArtefact) -> None:
    part = tiny_artefact.data.validation
    shuffled = load_transformer(tiny_artefact.directory).logits(part.texts)[:, [1, 2, 0]]
    with pytest.raises(ParityError, match="int8 agrees with fp32 on"):
        parity_of(tiny_artefact, tiny_artefact.trained.network, shuffled).require()


def test_parity_is_measured_on_every_text_that_was_not_trained_on(tiny_artefact: TinyArtefact) -> None:
    figures, data = tiny_artefact.report.figures, tiny_artefact.data
    assert figures["parity"]["n"] == len(data.validation)
    assert figures["parity_test"]["n"] == len(data.test)
    assert figures["parity_test"]["max_logit_difference"] <= MAX_LOGIT_DIFFERENCE


def macro_f1_moved(value: float, spread: float, n: int) -> Estimate:
    return Estimate(value, value - spread, value + spread, n)


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({}, False),
        ({"max_logit_difference": 2e-3}, True),
        ({"max_logit_difference": float("nan")}, True),
        ({"agreement": 0.92}, True),
        ({"agreement": 0.94}, False),
        ({"macro_f1_difference": macro_f1_moved(-0.02, 0.01, 400)}, True),
        ({"macro_f1_difference": macro_f1_moved(-0.01, 0.01, 400)}, False),
        ({"n": 40, "agreement": 0.90, "macro_f1_difference": macro_f1_moved(-0.04, 0.04, 40)}, False),
        ({"n": 40, "agreement": 0.85, "macro_f1_difference": macro_f1_moved(-0.04, 0.04, 40)}, True),
    ],
)
def test_parity_limits(change: dict[str, Any], refused: bool) -> None:
    """Near ties may fall either way, so what chance explains is let through: four of forty, but not six."""
    parity = dataclasses.replace(GOOD, **change)
    if refused:
        with pytest.raises(ParityError):
            parity.require()
    else:
        parity.require()


@pytest.mark.timeout(240)
def test_the_packaged_minilm_answers_alike_in_torch_and_in_onnx() -> None:
    import torch

    base = resolve_base(PACKAGED_MINILM)
    with torch.random.fork_rng():
        torch.manual_seed(5)
        network, _ = build_network(base.path, "auto")
    network.eval()
    fp32 = to_onnx(network)
    session = open_session(fp32.SerializeToString(), 2)
    tokens = encode(
        tokenizer_from_json(tokenizer_json(base.path), 128),
        ["Net loss narrowed.", "The board will meet on Friday in Oslo to discuss the annual report.", "Profit " * 200],
    )
    batch = padded(tokens, 0)
    with torch.no_grad():
        expected = network(torch.from_numpy(batch.input_ids), torch.from_numpy(batch.attention_mask)).numpy()
    (found,) = session.run(["logits"], {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask})
    assert expected.shape == (3, len(LABELS))
    assert np.abs(found - expected).max() < 1e-5
    int8 = quantise_graph(fp32).SerializeToString()
    assert len(int8) <= 0.30 * len(fp32.SerializeToString())
    (served,) = open_session(int8, 2).run(["logits"], {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask})
    assert np.abs(served - expected).max() < 0.1
