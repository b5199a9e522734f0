"""int8 by token: close to fp32, blind to neighbours and padding, and free of the saturation that makes machines differ."""

from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic

from sentiment_platform.models.transformer.quantization import linear_to_int8, quantise_graph, rows_to_int8
from sentiment_platform.models.transformer.runtime import open_session, run_graph
from sentiment_platform.models.transformer.tokens import encode, padded, tokenizer_from_json
from sentiment_platform_tests.models.conftest import TinyArtefact


def test_integers_times_scale_give_the_weights_back() -> None:
    weights = np.random.default_rng(1).normal(size=(64, 32)).astype(np.float32)
    integers, scale = linear_to_int8(weights)
    assert np.abs(integers * scale - weights).max() <= 0.5 * scale.max() + 1e-6
    table, row_scale = rows_to_int8(weights)
    assert np.abs(table * row_scale[:, None] - weights).max() <= 0.5 * row_scale.max() + 1e-6


def test_no_pair_of_neighbouring_products_can_leave_16_bits() -> None:
    generator = np.random.default_rng(2)
    for weights in (generator.normal(size=(384, 64)), np.ones((8, 4)), generator.laplace(size=(7, 5))):
        integers = linear_to_int8(weights.astype(np.float32))[0].astype(np.int64)
        pairs = integers[: len(integers) // 2 * 2].reshape(-1, 2, integers.shape[1])
        assert 255 * np.where(pairs > 0, pairs, 0).sum(axis=1).max() <= 2**15 - 1
        assert 255 * np.where(pairs < 0, pairs, 0).sum(axis=1).min() >= -(2**15)


def test_plain_rounding_would_leave_16_bits() -> None:
    """Negative control: without the pair limit the sums do overflow."""
    weights = np.random.default_rng(2).normal(size=(384, 64))
    plain = np.rint(weights / (np.abs(weights).max(axis=0) / 127.0)).astype(np.int64).reshape(-1, 2, 64)
    assert 255 * np.where(plain > 0, plain, 0).sum(axis=1).max() > 2**15 - 1


def test_a_column_of_zeros_stays_zero() -> None:
    weights = np.zeros((4, 2), dtype=np.float32)
    integers, scale = linear_to_int8(weights)
    assert not integers.any()
    assert np.isfinite(scale).all()


def test_the_quantised_graph_is_valid_small_and_leaves_the_original_alone(tiny_artefact: TinyArtefact) -> None:
    model = onnx.load_from_string(tiny_artefact.fp32)
    quantised = quantise_graph(model)
    onnx.checker.check_model(quantised, full_check=True)
    assert model.SerializeToString() == tiny_artefact.fp32
    operators = [node.op_type for node in quantised.graph.node]
    assert operators.count("MatMulIntegerToFloat") == 2 * 6, "four attention and two feed-forward layers in each of two blocks"
    assert operators.count("ReduceMax") == 2 * 4, "query, key and value share one quantised input"
    floats = [int(np.prod(tensor.dims)) for tensor in quantised.graph.initializer if tensor.data_type == 1]
    assert max(floats) <= 128 * 64, "only positions and vectors stay float"


def test_neighbours_do_not_move_a_text_here_but_do_with_one_scale_a_batch(tiny_artefact: TinyArtefact, tmp_path: Path) -> None:
    """The second half is the negative control and the reason why this module exists."""
    tokenizer = tokenizer_from_json((tiny_artefact.directory / "tokenizer.json").read_text("utf-8"), 128)
    rows = encode(tokenizer, [tiny_artefact.data.test.texts[0], "profit " * 100])
    pair, alone = padded(rows, 0), padded(rows[:1], 0)

    def movement(content: bytes) -> float:
        session = open_session(content, 1)
        beside = run_graph(session, pair.input_ids, pair.attention_mask)[0]
        return float(np.abs(beside - run_graph(session, alone.input_ids, alone.attention_mask)[0]).max())

    assert movement((tiny_artefact.directory / "model.onnx").read_bytes()) < 1e-4
    quantize_dynamic(
        onnx.load_from_string(tiny_artefact.fp32),
        tmp_path / "dynamic.onnx",
        op_types_to_quantize=["MatMul", "Gather", "Gemm"],
        per_channel=True,
        weight_type=QuantType.QInt8,
    )
    assert movement((tmp_path / "dynamic.onnx").read_bytes()) > 1e-3
