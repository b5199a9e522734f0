"""An fp32 ONNX graph rewritten to int8 so that each token is scaled by itself.

onnxruntime's quantize_dynamic takes one activation scale for a whole batch: a text's logits then depend on its neighbours and on
padding, and one outlier token costs all others their precision. Here every row of a linear layer's input has its own scale (Yao et
al. 2022, ZeroQuant, "token-wise quantization"), every output column of its weights and every row of the word embeddings too. One
operator is onnxruntime's own, MatMulIntegerToFloat: integer product and column scale in one pass over the result.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

ACTIVATION_STEPS = 127.0
WEIGHT_STEPS = 127.0
ZERO_POINT = 128
CONTRIB = "com.microsoft"
QUANTIZATION = "int8: weights by column, activations by token, embeddings by row"
LARGEST_PAIR = 128.0
TINY = 1e-12
SMALLEST_TABLE = 4096

Matrix = npt.NDArray[np.float32]


def quantise_graph(model: "ModelProto") -> "ModelProto":
    """A copy of `model` whose linear layers and word embeddings are int8; its inputs and outputs stay as they are.

    The first input is (batch, length); linear layers over (batch, length, width) are rewritten, others stay float.
    """
    from onnx import ModelProto, helper

    copy = ModelProto()
    copy.CopyFrom(model)
    copy.opset_import.append(helper.make_opsetid(CONTRIB, 1))
    _Rewriter(copy).run()
    return copy


def linear_to_int8(weights: Matrix) -> tuple[npt.NDArray[np.int8], Matrix]:
    """Integers (k, n) and a scale (n,) for each column: weights ~ integers * scale.

    Coarse enough that two neighbouring products with unsigned 8-bit activations stay inside 16 bits: 255 * (a + b) <= 32767. CPUs
    without VNNI saturate such sums (vpmaddubsw; "U8S8" in onnxruntime's quantisation guide) and would answer differently.
    """
    pairs = weights[: len(weights) // 2 * 2].reshape(-1, 2, weights.shape[1])
    same_sign = pairs[:, 0] * pairs[:, 1] > 0
    largest_pair = np.where(same_sign, np.abs(pairs.sum(axis=1)), 0.0).max(axis=0, initial=0.0)
    # Rounding can add a half to each of the two.
    scale = np.maximum(np.abs(weights).max(axis=0) / WEIGHT_STEPS, largest_pair / (LARGEST_PAIR - 1.0))
    return _rounded(weights, scale)


def rows_to_int8(table: Matrix) -> tuple[npt.NDArray[np.int8], Matrix]:
    """Integers (n, k) in -127..127 and a scale (n,) for each row of an embedding table."""
    integers, scale = _rounded(table.T, np.abs(table).max(axis=1) / WEIGHT_STEPS)
    return np.ascontiguousarray(integers.T), scale


def _rounded(weights: Matrix, scale: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int8], Matrix]:
    safe = np.maximum(scale, TINY).astype(np.float32)
    return np.clip(np.rint(weights / safe), -WEIGHT_STEPS, WEIGHT_STEPS).astype(np.int8), safe


class _Rewriter:
    def __init__(self, model: "ModelProto") -> None:
        from onnx import numpy_helper

        self._graph: Any = model.graph
        self._arrays = {tensor.name: tensor for tensor in self._graph.initializer}
        self._to_array = numpy_helper.to_array
        self._from_array = numpy_helper.from_array
        self._rank = {value.name: len(value.type.tensor_type.shape.dim) for value in self._graph.value_info}
        self._nodes: list[NodeProto] = []
        self._quantised_inputs: dict[str, tuple[str, str]] = {}

    def run(self) -> None:
        self._constant("int8_axis", np.array([-1], dtype=np.int64))
        self._constant("int8_tiny", np.array(TINY, dtype=np.float32))
        self._constant("int8_step", np.array(1.0 / ACTIVATION_STEPS, dtype=np.float32))
        self._constant("int8_zero", np.array(ZERO_POINT, dtype=np.uint8))
        self._constant("int8_one", np.array(1.0, dtype=np.float32))
        self._zero_points()
        for node in self._graph.node:
            if node.op_type == "MatMul" and self._is_matrix(node.input[1]) and self._rank.get(node.input[0]) == 3:
                self._linear(node)
            elif node.op_type == "Gather" and self._is_matrix(node.input[0]) and self._rows(node.input[0]) >= SMALLEST_TABLE:
                self._embedding(node)
            else:
                self._nodes.append(node)
        kept = [self._copy(node) for node in self._nodes]
        del self._graph.node[:]
        self._graph.node.extend(kept)
        used = {name for node in kept for name in node.input}
        tensors = [tensor for name, tensor in self._arrays.items() if name in used]
        del self._graph.initializer[:]
        self._graph.initializer.extend(tensors)

    def _zero_points(self) -> None:
        """One zero point a token, (batch, length, 1), for all layers."""
        self._constant("int8_row_zero", np.full((1, 1, 1), ZERO_POINT, dtype=np.uint8))
        self._constant("int8_single", np.array([1], dtype=np.int64))
        self._add("Shape", [self._graph.input[0].name], "int8_batch_length")
        self._add("Concat", ["int8_batch_length", "int8_single"], "int8_rows", axis=0)
        self._add("Expand", ["int8_row_zero", "int8_rows"], "int8_zeros")

    def _linear(self, node: Any) -> None:
        source, weights_name = node.input
        integers, scale = linear_to_int8(self._to_array(self._arrays[weights_name]))
        self._constant(f"{weights_name}_int8", integers)
        self._constant(f"{weights_name}_scale", scale)
        if source not in self._quantised_inputs:
            self._quantised_inputs[source] = self._quantise_rows(source, len(integers))
        rows, row_scale = self._quantised_inputs[source]
        out = node.output[0]
        inputs = [rows, f"{weights_name}_int8", "int8_one", f"{weights_name}_scale", "int8_zero"]
        self._add("MatMulIntegerToFloat", inputs, f"{out}_by_column", domain=CONTRIB)
        self._add("Mul", [f"{out}_by_column", row_scale], out)

    def _quantise_rows(self, source: str, width: int) -> tuple[str, str]:
        """Names of the unsigned integers of `source` (..., width) and of the scale of each row (..., 1)."""
        self._add("Abs", [source], f"{source}_abs")
        self._add("ReduceMax", [f"{source}_abs", "int8_axis"], f"{source}_largest", keepdims=1)
        self._add("Mul", [f"{source}_largest", "int8_step"], f"{source}_step")
        self._add("Max", [f"{source}_step", "int8_tiny"], f"{source}_scale")
        # A block as long as the row: one scale a row.
        self._add("QuantizeLinear", [source, f"{source}_scale", "int8_zeros"], f"{source}_u8", axis=-1, block_size=width)
        return f"{source}_u8", f"{source}_scale"

    def _embedding(self, node: Any) -> None:
        name, indices = node.input
        integers, scale = rows_to_int8(self._to_array(self._arrays[name]))
        self._constant(f"{name}_int8", integers)
        self._constant(f"{name}_scale", scale[:, None])
        out = node.output[0]
        self._add("Gather", [f"{name}_int8", indices], f"{out}_int8", axis=0)
        self._add("Gather", [f"{name}_scale", indices], f"{out}_scale", axis=0)
        self._add("Cast", [f"{out}_int8"], f"{out}_float", to=1)
        self._add("Mul", [f"{out}_float", f"{out}_scale"], out)

    def _is_matrix(self, name: str) -> bool:
        tensor = self._arrays.get(name)
        return tensor is not None and len(tensor.dims) == 2 and tensor.data_type == 1

    def _rows(self, name: str) -> int:
        return int(self._arrays[name].dims[0])

    def _constant(self, name: str, value: npt.NDArray[Any]) -> None:
        self._arrays.setdefault(name, self._from_array(value, name))

    def _add(self, operator: str, inputs: list[str], output: str, *, domain: str = "", **attributes: int) -> None:
        from onnx import helper

        node = helper.make_node(operator, inputs, [output], name=f"{output}_node", domain=domain)
        node.attribute.extend(helper.make_attribute(name, value) for name, value in attributes.items())
        self._nodes.append(node)

    def _copy(self, node: Any) -> "NodeProto":
        from onnx import NodeProto

        copy = NodeProto()
        copy.CopyFrom(node)
        return copy
