"""An int8 graph without its weights, and the weights put into it again: what a model needs beside numbers is 50 KB.

Filling needs neither torch nor onnx. A protobuf message that is appended to another one of its type is merged with it, so weights are
appended as a graph that holds nothing else (protobuf.dev, "Encoding", "Last One Wins").
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.transformer.quantization import SMALLEST_TABLE, linear_to_int8, rows_to_int8

Tensors = Mapping[str, npt.NDArray[Any]]
INT8, SCALE = "_int8", "_scale"
# Numbers of fields and types in onnx.proto: they are part of the format and do not change.
GRAPH, INITIALIZER, DIMS, DATA_TYPE, NAME, RAW_DATA = 7, 5, 1, 2, 8, 9
TYPES = {"float32": 1, "int8": 3}
LARGEST_CONSTANT = 8192
"""Bytes: constants of the graph itself are smaller."""


def graph_tensors(weights: Tensors, linear: set[str]) -> dict[str, npt.NDArray[Any]]:
    """The tensors of the int8 graph by the names that `without_weights` gives them.

    Args:
        weights: the network's, float32, (out, in) where linear.
        linear: names of the linear layers that the graph computes in int8.
    """
    tensors: dict[str, npt.NDArray[Any]] = {}
    for name, value in sorted(weights.items()):
        if name in linear:
            integers, scale = linear_to_int8(np.ascontiguousarray(value.T))
            tensors |= {name + INT8: integers, name + SCALE: scale}
        elif value.ndim == 2 and len(value) >= SMALLEST_TABLE:
            integers, scale = rows_to_int8(value)
            tensors |= {name + INT8: integers, name + SCALE: scale[:, None]}
        else:
            tensors[name] = value
    return tensors


def without_weights(model: bytes, tensors: Tensors) -> bytes:
    """The graph `model` without the weights that `tensors` has; each goes by the name it has there.

    Raises:
        PermanentError: the graph holds weights that `tensors` does not have.
    """
    from onnx import ModelProto, numpy_helper

    proto = ModelProto.FromString(model)
    graph: Any = proto.graph
    names = {_content(value): name for name, value in tensors.items()}
    renamed: dict[str, str] = {}
    kept: list[Any] = []
    for initializer in graph.initializer:
        value = numpy_helper.to_array(initializer)
        name = names.get(_content(value))
        if name is not None:
            renamed[initializer.name] = name
        elif value.nbytes > LARGEST_CONSTANT:
            raise PermanentError(
                f"{initializer.name} of the graph is none of the network's weights.", remedy="Export the network again."
            )
        else:
            kept.append(initializer)
    constants = [type(initializer).FromString(initializer.SerializeToString()) for initializer in kept]
    del graph.initializer[:]
    graph.initializer.extend(constants)
    for node in graph.node:
        node.input[:] = [renamed.get(name, name) for name in node.input]
    return proto.SerializeToString(deterministic=True)


def with_weights(graph: bytes, tensors: Tensors) -> bytes:
    """A model file: the graph, and `tensors` under their names, in order of name."""
    return graph + _field(GRAPH, b"".join(_field(INITIALIZER, _tensor(name, tensors[name])) for name in sorted(tensors)))


def _content(value: npt.NDArray[Any]) -> tuple[str, tuple[int, ...], bytes]:
    return str(value.dtype), value.shape, value.tobytes()


def _tensor(name: str, value: npt.NDArray[Any]) -> bytes:
    dims = b"".join(_number(DIMS, size) for size in value.shape)
    little = np.ascontiguousarray(value, dtype=value.dtype.newbyteorder("<"))
    return dims + _number(DATA_TYPE, TYPES[value.dtype.name]) + _field(NAME, name.encode()) + _field(RAW_DATA, little.tobytes())


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])
