"""Export: exactly the files, the same bytes each time, nothing that names the machine, and no model that answers differently."""

import dataclasses
import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import pytest

from sentiment_platform.models.export import (
    MAX_LOGIT_DIFFERENCE,
    Parity,
    ParityError,
    export_transformer,
    measure_parity,
    quantise,
    to_onnx,
)
from sentiment_platform.models.family import LABELS, Progress
from sentiment_platform.models.transformer_base import PACKAGED_MINILM, resolve_base
from sentiment_platform.models.transformer_network import build_network, tokenizer_json
from sentiment_platform.models.transformer_runtime import OnnxScorer, open_session
from sentiment_platform.models.transformer_tokens import encode, padded, tokenizer_from_json
from sentiment_platform_tests.models.conftest import TinyArtefact

GOOD = Parity(n_graph=64, max_logit_difference=1e-6, n=200, agreement=0.995, macro_f1_fp32=0.80, macro_f1_int8=0.80)


def digests(directory: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(directory.iterdir())}


def test_exactly_the_files_of_the_family_are_written(tiny_artefact: TinyArtefact) -> None:
    assert sorted(digests(tiny_artefact.directory)) == sorted(tiny_artefact.family.files)


def test_the_same_trained_state_gives_the_same_bytes(tiny_artefact: TinyArtefact, tmp_path: Path) -> None:
    seen: list[Progress] = []
    export_transformer(tiny_artefact.trained, tiny_artefact.data, tmp_path, seen.append)
    assert digests(tmp_path) == digests(tiny_artefact.directory)
    assert (seen[-1].done, seen[-1].total) == (5, 5)


def test_the_report_names_the_base_and_carries_figures_that_json_can_hold(tiny_artefact: TinyArtefact, tiny_base: Path) -> None:
    report = tiny_artefact.report
    figures = json.loads(json.dumps(report.figures))
    assert (report.base_model, report.base_digest) == (tiny_base.name, resolve_base(str(tiny_base)).digest)
    assert figures["parity"]["max_logit_difference"] <= MAX_LOGIT_DIFFERENCE
    assert figures["training"]["n_train"] == len(tiny_artefact.data.train)
    assert figures["features_help"] is False, "features of pure noise must not be said to help"
    assert figures["int8_bytes"] == (tiny_artefact.directory / "model.onnx").stat().st_size
    assert json.loads((tiny_artefact.directory / "head.json").read_text("utf-8"))["uses_features"] is False


def test_features_that_carry_the_answer_are_used_by_the_head(tiny_artefact: TinyArtefact, tmp_path: Path) -> None:
    """Negative control of the one above: with random logits, a feature that is the label must help."""
    data = tiny_artefact.data
    features = np.column_stack([data.validation.labels - 1.0, np.zeros(len(data.validation))])
    generator = np.random.default_rng(2)
    labels = generator.integers(0, 3, size=len(data.validation))
    features[:, 0] = labels - 1.0
    validation = dataclasses.replace(data.validation, features=features, labels=labels)
    report = export_transformer(tiny_artefact.trained, dataclasses.replace(data, validation=validation), tmp_path, lambda _: None)
    assert report.figures["features_help"] is True


def test_the_graph_names_neither_source_code_nor_machine(tiny_artefact: TinyArtefact) -> None:
    content = (tiny_artefact.directory / "model.onnx").read_bytes()
    for word in (b"sentiment_platform", b"site-packages", b".py", b"/home", b"/tmp", str(Path.cwd()).encode()):
        assert word not in content
    onnx.checker.check_model(onnx.load_from_string(content))


def test_a_graph_of_other_weights_is_refused(tiny_artefact: TinyArtefact, tiny_base: Path) -> None:
    trained = tiny_artefact.trained
    other, _ = build_network(tiny_base, "mean")
    tokenizer = tokenizer_from_json(trained.tokenizer_json, 128)
    content = to_onnx(other).SerializeToString()
    part = tiny_artefact.data.validation
    served = OnnxScorer(open_session(content, 1), tokenizer).logits(part.texts)
    parity = measure_parity(trained, content, served, part)
    with pytest.raises(ParityError, match="ONNX and torch logits differ"):
        parity.require()


def test_an_int8_graph_with_shuffled_labels_is_refused(tiny_artefact: TinyArtefact) -> None:
    part = tiny_artefact.data.validation
    model = tiny_artefact.family.load(tiny_artefact.directory)
    content = to_onnx(tiny_artefact.trained.network).SerializeToString()
    measure_parity(tiny_artefact.trained, content, model.logits(part.texts), part).require()
    shuffled = model.logits(part.texts)[:, [1, 2, 0]]
    with pytest.raises(ParityError, match="int8 agrees with fp32 on"):
        measure_parity(tiny_artefact.trained, content, shuffled, part).require()


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({}, False),
        ({"max_logit_difference": 2e-3}, True),
        ({"agreement": 0.96}, True),
        ({"agreement": 0.98, "macro_f1_int8": 0.785}, True),
        ({"n": 40, "agreement": 0.95, "macro_f1_int8": 0.76}, False),
    ],
)
def test_parity_limits(change: dict[str, float], refused: bool) -> None:
    """The last case: two differing texts of forty are 5 %, but say nothing about the graph."""
    parity = dataclasses.replace(GOOD, **change)
    if refused:
        with pytest.raises(ParityError):
            parity.require()
    else:
        parity.require()


@pytest.mark.timeout(240)
def test_the_packaged_minilm_answers_alike_in_torch_and_in_onnx(tmp_path: Path) -> None:
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
    quantise(fp32, tmp_path / "int8.onnx")
    assert (tmp_path / "int8.onnx").stat().st_size <= 0.30 * len(fp32.SerializeToString())
