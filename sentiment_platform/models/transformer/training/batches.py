"""From texts as tokens to logits: which rows stand in a batch together, the pass through the network, and how good it is."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sentiment_platform.models.family import LABELS, Floats, Integers
from sentiment_platform.models.transformer.tokens import length_buckets, padded
from sentiment_platform.models.transformer.training.device import Compute
from sentiment_platform.models.transformer.training.parameters import TransformerParameters
from sentiment_platform.models.transformer.training.stages import Stage
from sentiment_platform.statistics.metrics import confusion_matrix, ratios

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass(frozen=True)
class Part:
    """Texts as tokens, with what they are trained towards: `targets` (n, 3) are probabilities, `weights` (n,) those in the loss."""

    tokens: list[list[int]]
    lengths: Integers
    labels: Integers
    targets: Floats
    weights: Floats


def batches_of(part: Part, stage: Stage, parameters: TransformerParameters, generator: np.random.Generator) -> Iterator[Integers]:
    """Rows of `part` that the stage trains on, each once, drawn anew by `generator`."""
    if parameters.length_buckets:
        for batch in length_buckets(part.lengths[stage.rows], parameters.batch_size, generator):
            yield stage.rows[batch]
        return
    order = generator.permutation(stage.rows)
    for start in range(0, len(order), parameters.batch_size):
        yield order[start : start + parameters.batch_size]


def logits_of(network: "nn.Module", part: Part, rows: Integers, pad_id: int, compute: Compute) -> "torch.Tensor":
    """float32 logits (len(rows), 3) on the device."""
    import torch

    batch = padded([part.tokens[row] for row in rows], pad_id)
    with compute.autocast():
        logits = network(
            torch.from_numpy(batch.input_ids).to(compute.device),
            torch.from_numpy(batch.attention_mask).to(compute.device),
        )
    return logits.float()


def validate(network: "nn.Module", part: Part, pad_id: int, compute: Compute) -> tuple[float, float]:
    """(macro-F1, log loss) of the network as it is; it is left in evaluation mode."""
    import torch

    logits = np.zeros((len(part.tokens), len(LABELS)))
    network.eval()
    with torch.no_grad():
        for rows in length_buckets(part.lengths, 64, None):
            logits[rows] = logits_of(network, part, rows, pad_id, compute).cpu().numpy()
    macro_f1 = float(ratios(confusion_matrix(part.labels, logits.argmax(axis=1)).astype(np.float64)).macro_f1)
    log_sum = np.logaddexp.reduce(logits, axis=1)
    return macro_f1, float(np.mean(log_sum - logits[np.arange(len(logits)), part.labels]))
