"""How the weights move in fine-tuning: AdamW groups, the learning rate's course, and the parts of the loss that are our own."""

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from sentiment_platform.models.family import LABELS, Floats, Integers
from sentiment_platform.models.transformer.training.parameters import TransformerParameters

if TYPE_CHECKING:
    import torch
    from torch import nn

_LAYER = re.compile(r"\.layers?\.(\d+)\.")


def build_optimizer(network: "nn.Module", parameters: TransformerParameters, learning_rate: float) -> Any:
    """AdamW (Loshchilov & Hutter 2019) without decay on vectors; each layer's peak rate is `layer_decay` times that of the one above
    it (Howard & Ruder 2018, "discriminative fine-tuning"; the embeddings lie below the first layer). `set_rate` moves the rates.
    """
    import torch

    trained = {name: weight for name, weight in network.named_parameters() if weight.requires_grad}
    depths = {name: depth_of(name) for name in trained}
    top = max(depths.values(), default=0) + 1
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, weight in trained.items():
        below = top - depths[name] if depths[name] >= 0 else 0
        peak = learning_rate * parameters.layer_decay**below
        groups.setdefault((peak, parameters.weight_decay if weight.ndim > 1 else 0.0), []).append(weight)
    listed = [{"params": weights, "lr": peak, "peak": peak, "weight_decay": decay} for (peak, decay), weights in groups.items()]
    # Fused, one pass over the weights: a fifth of all time went into the unfused step on 2 cores.
    return torch.optim.AdamW(listed, fused=True)


def set_rate(optimizer: Any, step: int, steps: int, warmup_share: float) -> None:
    """The rate of step `step` (from 0) of `steps`: a linear rise during the warm-up, then a linear fall to 0."""
    warmup = max(1, round(warmup_share * steps))
    factor = min((step + 1) / warmup, max(steps - step, 0) / max(steps - warmup, 1))
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * factor


def class_weights(labels: Integers, power: float) -> Floats:
    """(3,) weights proportional to class frequency to the minus `power`, averaging 1 over the rows; 0 for an absent class."""
    counts = np.bincount(labels, minlength=len(LABELS)).astype(np.float64)
    raw = np.where(counts > 0, np.maximum(counts, 1.0) ** -power, 0.0)
    return raw * counts.sum() / (raw * counts).sum()


def disagreement(first: "torch.Tensor", second: "torch.Tensor") -> "torch.Tensor":
    """(n,) mean of both Kullback-Leibler divergences, in nats, between the classes of two passes' logits (n, 3).

    Source: Liang et al. 2021, "R-Drop: Regularized Dropout for Neural Networks".
    """
    one, other = first.log_softmax(dim=-1), second.log_softmax(dim=-1)
    return 0.5 * ((one.exp() - other.exp()) * (one - other)).sum(dim=-1)


def depth_of(name: str) -> int:
    """Of a weight by its name: 0 for embeddings, 1 for the first layer and so on; -1 for what lies above the layers.

    A table of relative positions that all layers share (MPNet, T5) lies below the first.
    """
    if "embedding" in name or "relative_attention_bias" in name:
        return 0
    layer = _LAYER.search(name)
    return int(layer[1]) + 1 if layer else -1
