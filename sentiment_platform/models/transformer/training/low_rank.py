"""Training few numbers instead of all: each linear layer of the encoder changes by a product of two thin matrices.

Hu et al. 2021, "LoRA". Norms, biases and what lies above the encoder's layers are trained whole; embeddings stay. Once trained, the
products are added to the weights: nothing later knows that the network was trained this way.
"""

import math
from typing import TYPE_CHECKING

from sentiment_platform.models.transformer.training.optimizer import depth_of

if TYPE_CHECKING:
    from torch import nn


def widen(network: "nn.Module", rank: int) -> None:
    """Put a product of rank `rank`, 0 at first, beside each linear layer of `network`, and freeze what such training leaves alone.

    `fold` takes them out again. Draws from torch's random generator.
    """
    import torch
    from torch import nn

    class Widened(nn.Module):
        def __init__(self, linear: nn.Linear) -> None:
            super().__init__()
            self.linear = linear
            self.down = nn.Parameter(torch.empty(rank, linear.in_features))
            self.up = nn.Parameter(torch.zeros(linear.out_features, rank))
            nn.init.kaiming_uniform_(self.down, a=math.sqrt(5))

        def forward(self, values: torch.Tensor) -> torch.Tensor:
            change = nn.functional.linear(nn.functional.linear(values, self.down), self.up)
            return self.linear(values) + change

        def folded(self) -> nn.Linear:
            with torch.no_grad():
                self.linear.weight += self.up @ self.down
            return self.linear

    for module in list(network.modules()):
        if isinstance(module, nn.Embedding):
            module.weight.requires_grad_(False)
    for name, module in list(network.named_modules()):
        # A name alone says nothing of what stands behind it: "…layer.0." is what lies in a layer of the encoder.
        if isinstance(module, nn.Linear) and depth_of(f"{name}.") > 0:
            module.weight.requires_grad_(False)
            parent, _, own = name.rpartition(".")
            setattr(network.get_submodule(parent), own, Widened(module))


def fold(network: "nn.Module") -> None:
    """Add the products that `widen` put in to the weights that they stand beside; every weight can be trained again."""
    for name, module in list(network.named_modules()):
        if type(module).__name__ == "Widened":
            parent, _, own = name.rpartition(".")
            setattr(network.get_submodule(parent), own, module.folded())  # type: ignore[operator]
    for weight in network.parameters():
        weight.requires_grad_(True)
