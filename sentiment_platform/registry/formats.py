"""What a file's first look must show before any loader opens it: it is of the format its name says, and it is self-contained.

A signature proves who made a file, not that it is harmless to load: an ONNX graph may point at any path of the machine
(external data), and anything may be called `.json`. Whether the content is a good model is the family's business.
Sources: onnx.proto3 of https://github.com/onnx/onnx, https://huggingface.co/docs/safetensors (format).
"""

import json
import mmap
from collections.abc import Iterator
from pathlib import Path

from sentiment_platform.registry.refusal import Refused

_MAX_DEPTH = 32
# Fields of onnx.proto3 that lead to tensors: message -> {field number: message}.
_ONNX = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
}
_TENSOR_EXTERNAL_DATA, _TENSOR_DATA_LOCATION = 13, 14


def require_format(path: Path) -> None:
    """Refuse a file whose content is not what its suffix says, or an ONNX graph with external data.

    Raises:
        Refused: (format).
    """
    checks = {".json": _check_json, ".txt": _check_text, ".safetensors": _check_safetensors, ".onnx": _check_onnx}
    try:
        checks[path.suffix](path)
    except (ValueError, IndexError, RecursionError, KeyError) as error:
        raise Refused(
            f"{path.name} is not what its name says: {error}.", reason="format", remedy="Export and publish the model again."
        ) from error


def _check_json(path: Path) -> None:
    json.loads(path.read_bytes())


def _check_text(path: Path) -> None:
    if "\0" in path.read_text(encoding="utf-8"):
        raise ValueError("it contains zero bytes")


def _check_safetensors(path: Path) -> None:
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= min(size - 8, 100 * 1024 * 1024):
            raise ValueError("its header length is impossible")
        if not isinstance(json.loads(file.read(length)), dict):
            raise ValueError("its header is no object")


def _check_onnx(path: Path) -> None:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if not _walk(data, 0, len(data), "model", 0):
            raise ValueError("it holds no graph")


def _walk(data: mmap.mmap, start: int, end: int, message: str, depth: int) -> bool:
    """Visit everything that can hold a tensor; whether a message that we follow was found at this level."""
    if depth > _MAX_DEPTH:
        raise ValueError("it is nested too deeply")
    any_followed = False
    for number, wire_type, value_start, value_end in _fields(data, start, end):
        if message == "tensor":
            if number == _TENSOR_EXTERNAL_DATA or (number == _TENSOR_DATA_LOCATION and _varint(data, value_start)[0] != 0):
                raise ValueError("it refers to data outside the file")
        elif (inner := _ONNX[message].get(number)) is not None:
            if wire_type != 2:
                raise ValueError("a field has the wrong type")
            any_followed = True
            _walk(data, value_start, value_end, inner, depth + 1)
    return any_followed


def _fields(data: mmap.mmap, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """(field number, wire type, start and end of the value) of each field of one protobuf message."""
    position = start
    while position < end:
        key, position = _varint(data, position)
        number, wire_type = key >> 3, key & 7
        value_start = position
        if wire_type == 0:
            position = _varint(data, position)[1]
        elif wire_type == 2:
            length, value_start = _varint(data, position)
            position = value_start + length
        elif wire_type in (1, 5):
            position += 8 if wire_type == 1 else 4
        else:
            raise ValueError("it is no protobuf message")
        if position > end or number == 0:
            raise ValueError("it is no protobuf message")
        yield number, wire_type, value_start, position


def _varint(data: mmap.mmap, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ValueError("it is no protobuf message")
