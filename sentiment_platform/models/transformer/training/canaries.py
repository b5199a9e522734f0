"""Is a checkpoint's label map true? Clear sentences tell, before its own classification head is used.

Public checkpoints disagree on the order of their classes, and a config may name the wrong one. Belongs here: the sentences, and which
order of outputs answers them. Building networks is `network`.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.family import LABELS, Floats, Integers
from sentiment_platform.models.transformer.tokens import encode, pad_id_of, padded, tokenizer_from_json
from sentiment_platform.models.transformer.training.network import build_network, label_order, own_classes, tokenizer_json
from sentiment_platform.models.transformer.training.parameters import Pooling

if TYPE_CHECKING:
    from torch import nn

CANARIES: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]] = (
    (
        "The company reported a heavy loss and its sales collapsed.",
        "Shares plunged after the firm slashed its profit forecast.",
        "Operating profit fell sharply because demand was weak.",
        "The manufacturer will lay off half of its staff as orders dry up.",
        "The bank warned of large losses on bad loans.",
        "Revenue dropped 30 percent and the dividend was cancelled.",
    ),
    (
        "The company will publish its annual report on 3 March.",
        "The annual general meeting will be held in the city hall.",
        "The firm has its head office in the capital and employs 400 people.",
        "The report is available on the company's website.",
        "The board consists of seven members.",
        "The value of the contract was not disclosed.",
    ),
    (
        "The company reported a record profit and its sales soared.",
        "Shares jumped after the firm raised its profit forecast.",
        "Operating profit rose sharply thanks to strong demand.",
        "The manufacturer won a large order and will hire more staff.",
        "The bank's earnings increased and beat all expectations.",
        "Revenue grew 30 percent and the dividend was raised.",
    ),
)
"""Sentences on which no reader of financial news would hesitate, by label in the order of `LABELS`."""
REQUIRED_SHARE = 0.8


@dataclass(frozen=True)
class MapFit:
    """An order of the checkpoint's outputs, for each of `LABELS` its index, and the share of canaries that it answers right."""

    order: tuple[int, ...]
    share: float

    @property
    def fits(self) -> bool:
        return self.share >= REQUIRED_SHARE

    def id2label(self) -> dict[int, str]:
        """The map as a checkpoint's config would spell it."""
        return dict(sorted(zip(self.order, LABELS, strict=True)))


def verified_network(path: Path, pooling: Pooling) -> "tuple[nn.Module, str]":
    """`build_network`, with the label map of a three-class head of the checkpoint's own proved on the canaries.

    Where the config names our classes, that map must fit. Where it names others (`LABEL_0`), the map that fits is taken; without one,
    `auto` puts a new layer on the encoder instead.

    Raises:
        PermanentError: the named map is wrong, or `own` was asked for and no map fits.
    """
    classes = own_classes(path)
    if pooling == "mean" or classes is None or len(classes) != len(LABELS):
        return build_network(path, pooling)
    network, chosen = build_network(path, "own")
    order = network.get_buffer("order")
    claimed = tuple(int(index) for index in order)
    raw = _logits(network, path)[:, np.argsort(claimed)]
    best = best_map(raw)
    if label_order(classes) is not None:
        require_map(MapFit(claimed, share_right(raw, claimed)), best, path.name)
    elif best.fits:
        order.copy_(order.new_tensor(best.order))
    elif pooling == "own":
        raise PermanentError(
            f"The classification head of {path.name} answers only {best.share:.0%} of the clear sentences under any label map.",
            remedy="Use pooling 'mean': it trains a new layer on the encoder.",
        )
    else:
        return build_network(path, "mean")
    return network, chosen


def require_map(claimed: MapFit, best: MapFit, name: str) -> None:
    """Refuse a map under which clear sentences come out wrong.

    Raises:
        PermanentError: with the map that would fit, where there is one.
    """
    if claimed.fits:
        return
    wrong = f"The label map {claimed.id2label()} of {name} is wrong: only {claimed.share:.0%} of clear sentences come out right."
    if best.fits:
        raise PermanentError(wrong, remedy=f"Set id2label to {best.id2label()} in its config.json ({best.share:.0%} right).")
    raise PermanentError(
        wrong,
        remedy=f"No other map fits (at best {best.share:.0%}); use pooling 'mean', which trains a new layer on the encoder.",
    )


def best_map(raw: Floats) -> MapFit:
    """The order that answers most canaries; `raw` (n canaries, 3) are logits in the checkpoint's own order."""
    return max(
        (MapFit(order, share_right(raw, order)) for order in itertools.permutations(range(len(LABELS)))),
        key=lambda fit: fit.share,
    )


def share_right(raw: Floats, order: Sequence[int]) -> float:
    """Share of the canaries that `raw` answers right when output `order[i]` means `LABELS[i]`."""
    return float((raw[:, list(order)].argmax(axis=1) == canary_labels()).mean())


def canary_labels() -> Integers:
    """(n canaries,) indices into `LABELS`."""
    return np.repeat(np.arange(len(LABELS)), [len(sentences) for sentences in CANARIES])


def _logits(network: "nn.Module", path: Path) -> Floats:
    import torch

    text = tokenizer_json(path)
    tokenizer = tokenizer_from_json(text, 64)
    batch = padded(encode(tokenizer, list(itertools.chain(*CANARIES))), pad_id_of(text))
    training = network.training
    with torch.no_grad():
        logits = network.eval()(torch.from_numpy(batch.input_ids), torch.from_numpy(batch.attention_mask)).double().numpy()
    network.train(training)
    return logits
