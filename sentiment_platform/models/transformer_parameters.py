"""The knobs of transformer training, with their units and defaults, and the refusal of unknown ones."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_type_hints

from sentiment_platform.errors import PermanentError

Device = Literal["auto", "cpu", "cuda", "mps"]
Precision = Literal["auto", "float32", "bfloat16", "float16"]
Pooling = Literal["auto", "mean", "own"]


@dataclass(frozen=True)
class TransformerParameters:
    """Defaults are meant for 300 to 30,000 short texts.

    Attributes:
        epochs: passes over the training texts; 0 chooses by their number (`epochs_for`).
        learning_rate: peak rate; 0 chooses by the encoder's width and the number of texts (`learning_rate_for`).
        batch_size: texts in one step.
        max_length: tokens after which a text is cut, special tokens included.
        warmup_share: share of all steps in which the rate rises linearly; then it falls linearly to 0.
        weight_decay: AdamW's decoupled decay, not applied to biases and norms.
        class_weight_power: weight of a class is its frequency to the minus this power (0: none, 1: balanced).
        label_smoothing: share of the target spread over all classes.
        max_seconds: wall clock after which training stops and keeps the best so far; 0: no limit.
        pooling: `mean` of the token vectors under a new layer, the checkpoint's `own` classification head, or `auto`: its own head
            when it has one.
        length_buckets: batches of similar length; False gives the plain loop, for comparison.
        device: `auto` takes CUDA, then Apple's MPS, then the CPU.
        precision: `auto` computes in bfloat16 where the device has it in hardware, else in float32.
    """

    epochs: int = 0
    learning_rate: float = 0.0
    batch_size: int = 32
    max_length: int = 128
    warmup_share: float = 0.1
    weight_decay: float = 0.01
    class_weight_power: float = 0.5
    label_smoothing: float = 0.0
    max_seconds: float = 0.0
    pooling: Pooling = "auto"
    length_buckets: bool = True
    device: Device = "auto"
    precision: Precision = "auto"


_AT_LEAST: dict[str, float] = {"epochs": 0, "learning_rate": 0.0, "batch_size": 1, "max_length": 8}
_AT_MOST: dict[str, float] = {"warmup_share": 1.0, "label_smoothing": 0.9, "learning_rate": 1.0}


def transformer_parameters(values: Mapping[str, Any]) -> TransformerParameters:
    """Check `values` and fill in the defaults.

    Raises:
        PermanentError: an unknown name, a wrong type, or a value out of range.
    """
    hints = get_type_hints(TransformerParameters)
    unknown = sorted(set(values) - set(hints))
    if unknown:
        raise PermanentError(f"Unknown parameters {unknown}.", remedy=f"Known are {sorted(hints)}.")
    for name, value in values.items():
        allowed = get_args(hints[name])
        if allowed and value not in allowed:
            raise PermanentError(f"{name}={value!r} is unknown.", remedy=f"Choose one of {list(allowed)}.")
        if not allowed and not _has_type(value, hints[name]):
            raise PermanentError(f"{name}={value!r} is not a {hints[name].__name__}.", remedy="Correct the parameter.")
        low, high = _AT_LEAST.get(name, 0.0), _AT_MOST.get(name, float("inf"))
        if not allowed and not low <= value <= high:
            raise PermanentError(f"{name}={value!r} is out of range.", remedy=f"Use a value from {low} to {high}.")
    return dataclasses.replace(TransformerParameters(), **values)


def epochs_for(n_texts: int) -> int:
    """Passes that give about 15,000 text visits, from 3 (many texts) to 8 (few)."""
    return min(max(round(15_000 / max(n_texts, 1)), 3), 8)


def learning_rate_for(hidden_size: int, n_texts: int) -> float:
    """Peak rate. Narrow encoders: measured with MiniLM (384), few texts need the higher one. Wide ones: the range of BERT's paper."""
    if hidden_size <= 512:
        return 2e-4 if n_texts < 2_000 else 1e-4
    return 5e-5 if n_texts < 2_000 else 3e-5


def _has_type(value: Any, expected: type) -> bool:
    if expected is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if expected is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, expected)
