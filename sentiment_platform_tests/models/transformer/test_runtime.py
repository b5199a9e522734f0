"""Serving a transformer: the same answer whoever is beside it, no training library, and nothing loaded that is not ours."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.explanation import MAX_PARTS, READ_BOTH_WAYS
from sentiment_platform.models.family import LABELS, Model
from sentiment_platform.models.transformer.runtime import FILES, load_transformer
from sentiment_platform_tests.models.conftest import TinyArtefact
from sentiment_platform_tests.models.tiny_transformer import GOLDEN


@pytest.fixture(scope="module")
def model(tiny_artefact: TinyArtefact) -> Model:
    return load_transformer(tiny_artefact.directory)


@pytest.fixture
def copy(tiny_artefact: TinyArtefact, tmp_path: Path) -> Path:
    return shutil.copytree(tiny_artefact.directory, tmp_path / "copy")


def golden_answers(model: Model) -> list[int]:
    return [int(row.argmax()) for row in model.predict([text for text, _ in GOLDEN], None)]


def test_the_served_model_knows_texts_it_was_not_trained_on(model: Model, tiny_artefact: TinyArtefact) -> None:
    part = tiny_artefact.data.test
    answers = model.predict(part.texts, part.features)
    assert answers.shape == (len(part), len(LABELS))
    assert np.allclose(answers.sum(axis=1), 1.0)
    assert (answers.argmax(axis=1) == part.labels).mean() > 0.9
    assert golden_answers(model) == [label for _, label in GOLDEN]


def test_a_text_gets_the_same_logits_alone_and_beside_any_other(model: Model, tiny_artefact: TinyArtefact) -> None:
    texts = [*tiny_artefact.data.test.texts[:20], "profit " * 300, "x", ""]
    together = model.logits(texts)
    alone = np.vstack([model.logits([text]) for text in texts])
    backwards = model.logits(texts[::-1])[::-1]
    assert np.abs(together - alone).max() < 1e-4
    assert np.abs(together - backwards).max() < 1e-4


def test_threads_share_one_model_without_changing_its_answers(model: Model, tiny_artefact: TinyArtefact) -> None:
    texts = tiny_artefact.data.test.texts
    expected = model.logits(texts)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda text: model.logits([text])[0], list(texts) * 5))
    assert np.abs(np.array(answers) - np.tile(expected, (5, 1))).max() < 1e-4


def test_no_texts_are_no_answers(model: Model) -> None:
    assert model.logits([]).shape == (0, 3)
    assert model.predict([], None).shape == (0, 3)


def test_loading_and_answering_need_no_training_library(tiny_artefact: TinyArtefact) -> None:
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from sentiment_platform.models.transformer.family import TransformerFamily\n"
        "from sentiment_platform.models.transformer.runtime import load_transformer\n"
        "late = {'onnxruntime', 'tokenizers'} & set(sys.modules)\n"
        "assert not late, f'imported before a model is loaded: {late}'\n"
        f"model = load_transformer(Path({str(tiny_artefact.directory)!r}))\n"
        "model.predict(['Alder profit fell sharply'], None)\n"
        "heavy = {'torch', 'transformers', 'onnx', 'scipy', 'polars', 'pandas', 'dagster'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_explanations_name_every_word_in_order_and_the_decisive_ones_have_the_right_sign(model: Model) -> None:
    fell = model.explain("Alder profit fell sharply on Monday", None)
    assert [item.token for item in fell.contributions] == ["Alder", "profit", "fell", "sharply", "on", "Monday"]
    assert {item.rule for item in fell.contributions} == {READ_BOTH_WAYS}
    by_word = {item.token: item.contribution for item in fell.contributions}
    rose = model.explain("Alder profit rose strongly on Monday", None)
    other = {item.token: item.contribution for item in rose.contributions}
    assert min(by_word, key=by_word.__getitem__) in ("fell", "sharply")
    assert max(other, key=other.__getitem__) in ("rose", "strongly")


def test_a_text_of_many_words_is_explained_in_a_bounded_number_of_runs(model: Model) -> None:
    contributions = model.explain("profit " * 400, None).contributions
    assert len(contributions) <= MAX_PARTS
    assert " ".join(item.token for item in contributions) == " ".join(["profit"] * 400)
    empty = model.explain("", None)
    assert (empty.contributions, empty.features) == ((), 0.0)


def truncated(directory: Path) -> None:
    content = (directory / "model.onnx").read_bytes()
    (directory / "model.onnx").write_bytes(content[: len(content) // 2])


def with_other_labels(directory: Path) -> None:
    config = json.loads((directory / "config.json").read_text("utf-8"))
    config["labels"] = ["positive", "negative", "neutral"]
    (directory / "config.json").write_text(json.dumps(config), "utf-8")


def with_an_unknown_field(directory: Path) -> None:
    config = json.loads((directory / "config.json").read_text("utf-8"))
    (directory / "config.json").write_text(json.dumps({**config, "trust_remote_code": True}), "utf-8")


def with_two_outputs(directory: Path) -> None:
    model = onnx.load(directory / "model.onnx")
    model.graph.output.append(helper.make_tensor_value_info(model.graph.node[0].output[0], TensorProto.INT64, None))
    onnx.save(model, directory / "model.onnx")


def with_external_data(directory: Path) -> None:
    model = onnx.load(directory / "model.onnx")
    onnx.save(model, directory / "model.onnx", save_as_external_data=True, location="weights.bin", size_threshold=1024)


def with_nan_weights(directory: Path) -> None:
    model = onnx.load(directory / "model.onnx")
    for index, tensor in enumerate(model.graph.initializer):
        if tensor.name.endswith("LayerNorm.weight"):
            broken = numpy_helper.from_array(np.full(64, np.nan, dtype=np.float32), tensor.name)
            model.graph.initializer[index].CopyFrom(broken)
    onnx.save(model, directory / "model.onnx")


def with_pickle_for_a_head(directory: Path) -> None:
    (directory / "head.json").write_bytes(b"\x80\x04K\x01.")


@pytest.mark.parametrize(
    "damage",
    [
        truncated,
        with_other_labels,
        with_an_unknown_field,
        with_two_outputs,
        with_external_data,
        with_nan_weights,
        with_pickle_for_a_head,
    ],
)
def test_a_directory_that_is_not_a_model_of_this_family_is_refused(damage: Callable[[Path], None], copy: Path) -> None:
    load_transformer(copy)
    damage(copy)
    with pytest.raises(PermanentError):
        load_transformer(copy)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_refused_by_name(name: str, copy: Path) -> None:
    (copy / name).unlink()
    with pytest.raises(PermanentError, match=name):
        load_transformer(copy)


def test_a_shuffled_label_map_passes_the_loader_but_not_the_golden_sentences(copy: Path) -> None:
    """Permuted logits are a valid graph; only known answers tell. This is what golden sentences are for."""
    model = onnx.load(copy / "model.onnx")
    model.graph.output[0].name = "logits"
    for node in model.graph.node:
        node.output[:] = ["logits_in_order" if name == "logits" else name for name in node.output]
    model.graph.initializer.append(numpy_helper.from_array(np.array([2, 0, 1], dtype=np.int64), "shuffle"))
    model.graph.node.append(helper.make_node("Gather", ["logits_in_order", "shuffle"], ["logits"], axis=1))
    onnx.save(model, copy / "model.onnx")
    assert golden_answers(load_transformer(copy)) != [label for _, label in GOLDEN]
