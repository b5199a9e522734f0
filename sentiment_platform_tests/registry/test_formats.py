"""Claims about the first look at a file's content."""

from pathlib import Path

import numpy as np
import pytest

from sentiment_platform.registry.formats import require_format
from sentiment_platform.registry.refusal import Refused

PICKLE = b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94."


@pytest.mark.parametrize("suffix", [".json", ".safetensors", ".onnx"])
@pytest.mark.parametrize(
    "content",
    [PICKLE, b"PK\x03\x04" + b"\0" * 60, b"<!DOCTYPE html>", b"\xff\xfe" * 40, b"[" * 100_000, b"\0" * 64],
    ids=["pickle", "zip", "page", "binary", "deep", "zeros"],
)
def test_a_file_of_another_format_is_refused(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"model{suffix}"
    path.write_bytes(content)
    with pytest.raises(Refused) as refused:
        require_format(path)
    assert refused.value.reason == "format"


def test_plain_text_json_and_safetensors_pass(tmp_path: Path) -> None:
    safetensors = pytest.importorskip("safetensors.numpy")
    (tmp_path / "vocab.txt").write_text("über\n", encoding="utf-8")
    (tmp_path / "model.json").write_text("{}")
    safetensors.save_file({"w": np.zeros((2, 2), np.float32)}, tmp_path / "model.safetensors")
    for path in tmp_path.iterdir():
        require_format(path)
    (tmp_path / "vocab.txt").write_bytes(b"a\0b")
    with pytest.raises(Refused):
        require_format(tmp_path / "vocab.txt")


def _nested(onnx, tensor):
    """A graph whose tensor sits in a constant inside the branch of an `If`."""
    helper = onnx.helper
    constant = helper.make_node("Constant", [], ["c"], value=tensor)
    branch = helper.make_graph([constant], "branch", [], [helper.make_tensor_value_info("c", onnx.TensorProto.FLOAT, None)])
    condition = helper.make_node("If", ["x"], ["y"], then_branch=branch, else_branch=branch)
    return helper.make_graph([condition], "g", [], [])


def _flat(onnx, tensor):
    return onnx.helper.make_graph([], "g", [], [], initializer=[tensor])


@pytest.mark.parametrize("build", [_flat, _nested])
@pytest.mark.parametrize("location", ["../../etc/passwd", "weights.bin"])
def test_an_onnx_graph_with_external_data_is_refused_at_any_depth(tmp_path: Path, build, location: str) -> None:
    onnx = pytest.importorskip("onnx")
    from onnx.external_data_helper import set_external_data

    tensor = onnx.numpy_helper.from_array(np.arange(400, dtype=np.float32), "w")
    path = tmp_path / "model.onnx"
    path.write_bytes(onnx.helper.make_model(build(onnx, tensor)).SerializeToString())
    require_format(path)
    set_external_data(tensor, location)
    tensor.ClearField("raw_data")
    path.write_bytes(onnx.helper.make_model(build(onnx, tensor)).SerializeToString())
    with pytest.raises(Refused, match="outside the file"):
        require_format(path)
    path.write_bytes(onnx.helper.make_model(_flat(onnx, tensor)).SerializeToString()[:-9])
    with pytest.raises(Refused):
        require_format(path)
