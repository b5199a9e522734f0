"""How the weights move in fine-tuning: AdamW groups, the learning rate's course, and the weight of each class in the loss."""

from typing import TYPE_CHECKING, Any

import numpy as np

from sentiment_platform.models.family import LABELS, Floats, Integers
from sentiment_platform.models.transformer_parameters import TransformerParameters

if TYPE_CHECKING:
    from torch import nn


def build_optimizer(network: "nn.Module", parameters: TransformerParameters, steps: int) -> tuple[Any, Any]:
    """AdamW (Loshchilov & Hutter 2019), no decay on vectors, and the linear schedule of `steps` steps."""
    import torch

    weights = list(network.parameters())
    groups: list[dict[str, Any]] = [
        {"params": [weight for weight in weights if weight.ndim > 1], "weight_decay": parameters.weight_decay},
        {"params": [weight for weight in weights if weight.ndim <= 1], "weight_decay": 0.0},
    ]
    # Fused, one pass over the weights: a fifth of all time went into the unfused step on 2 cores.
    optimizer = torch.optim.AdamW(groups, lr=parameters.learning_rate, fused=True)
    warmup = max(1, round(parameters.warmup_share * steps))

    def factor(step: int) -> float:
        return min((step + 1) / warmup, max(steps - step, 0) / max(steps - warmup, 1))

    return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, factor)


def class_weights(labels: Integers, power: float) -> Floats:
    """(3,) weights proportional to class frequency to the minus `power`, averaging 1 over the rows; 0 for an absent class."""
    counts = np.bincount(labels, minlength=len(LABELS)).astype(np.float64)
    raw = np.where(counts > 0, np.maximum(counts, 1.0) ** -power, 0.0)
    return raw * counts.sum() / (raw * counts).sum()
