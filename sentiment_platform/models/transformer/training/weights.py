"""The trained weights in float32, as `weights.safetensors` beside the served files: what later training goes on from.

Serving never reads them. torch is imported inside the functions.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sentiment_platform.models.family import LABELS, Floats
from sentiment_platform.models.transformer.tokens import encode, length_buckets, pad_id_of, padded, tokenizer_from_json
from sentiment_platform.models.transformer.training.device import Compute

if TYPE_CHECKING:
    import torch
    from torch import nn

WEIGHTS_FILE = "weights.safetensors"


def write_weights(network: "nn.Module", path: Path) -> None:
    """Write every weight and buffer of `network`; the same network gives the same bytes."""
    from safetensors.torch import save_file

    save_file({name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}, path)


def read_weights(path: Path) -> "Mapping[str, torch.Tensor]":
    """The tensors by name."""
    from safetensors.torch import load_file

    return load_file(path)


def network_logits(
    network: "nn.Module", tokenizer_text: str, max_length: int, texts: Sequence[str], compute: Compute | None = None
) -> Floats:
    """(n, 3) logits of a network on the CPU, in evaluation mode; None computes in float32. With a GPU's `compute` it moves there."""
    import torch

    tokenizer = tokenizer_from_json(tokenizer_text, max_length)
    tokens = encode(tokenizer, texts)
    pad_id = pad_id_of(tokenizer_text)
    logits = np.zeros((len(texts), len(LABELS)))
    compute = compute or Compute("cpu", "float32")
    network.to(compute.device).eval()
    with torch.no_grad(), compute.autocast():
        for rows in length_buckets(np.array([len(row) for row in tokens], dtype=np.int64), 64, None):
            batch = padded([tokens[row] for row in rows], pad_id)
            given = (torch.from_numpy(batch.input_ids), torch.from_numpy(batch.attention_mask))
            logits[rows] = network(*(tensor.to(compute.device) for tensor in given)).double().cpu().numpy()
    return logits
