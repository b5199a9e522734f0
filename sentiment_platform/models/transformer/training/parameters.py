"""The knobs of transformer training, with their units and defaults, and the refusal of unknown ones."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from sentiment_platform.errors import PermanentError

Device = Literal["auto", "cpu", "cuda", "mps"]
Precision = Literal["auto", "float32", "bfloat16", "float16"]
Pooling = Literal["auto", "mean", "own"]
Start = Literal["base", "champion"]
WIDE = 512
"""Width of an encoder's vectors above which training all of it is not for a CPU."""


@dataclass(frozen=True, kw_only=True)
class TransformerParameters:
    """Defaults are meant for 300 to 30,000 short texts.

    Attributes:
        epochs: passes over the training texts; 0 chooses by their number (`epochs_for`).
        learning_rate: peak rate; 0 chooses by the encoder's width and the number of texts (`learning_rate_for`).
        rank: 0 trains every weight; above it each linear layer changes by a product of this rank only (`low_rank`), which needs less
            memory and, on a CPU, less time. None chooses by the encoder's width (`for_width`).
        batch_size: texts in one step.
        max_length: tokens after which a text is cut, special tokens included.
        warmup_share: share of a stage's steps in which the rate rises linearly; then it falls linearly to 0.
        weight_decay: AdamW's decoupled decay, not applied to biases and norms.
        layer_decay: peak rate of a layer as a share of that of the layer above it; 1: the same for all.
        class_weight_power: weight of a class is its frequency to the minus this power (0: none, 1: balanced).
        distillation_share: share of a text's target that is not its label but what models which did not train on it predict
            (`distillation`); 0: none, None chooses by the encoder's width. On three held-out thirds of PhraseBank 0.3 raised macro-F1 by 0.6 points and lowered
            log loss from 0.44 to 0.39; 0.2 to 0.5 did about the same, 1.0 lost macro-F1.
        distillation_folds: parts of the training texts, one such model for each; every one trains on all the others.
        label_smoothing: share of the target spread over all classes (Szegedy et al. 2016), where no predictions are mixed in (so
            in the models that make them): with both, log loss was 0.41 instead of 0.39. With neither, the third pass over three label
            sets raised it to 0.50.
        consistency: weight of the disagreement of two passes over each batch, other units dropped (R-Drop, Liang et al. 2021); 0: one pass,
            None chooses by the encoder's width. A pass costs twice as much. On two held-out thirds of PhraseBank it raised macro-F1 by 0.2 and 0.6 points, where all annotators
            agree by 0.7 and 1.3, and lowered log loss by 0.03 and 0.02; beside distillation, three thirds, one seed: 1.0, 1.0 and 0.016.
        set_weights: label set -> weight of its texts in the loss; a set that is not named weighs 1.
        target_sets: label sets that the model is for: a second stage trains on them alone, and their validation texts choose the epoch.
        target_epochs: passes of that second stage.
        target_learning_rate: its peak rate; 0 takes half of `learning_rate`.
        averaging: share that the running average of the weights keeps at each step, over the second half of a stage; 0: no average.
        patience: epochs without a better validation score after which a stage ends; 0: never.
        max_seconds: wall clock after which training stops and keeps the best so far, interruptions not counted; 0: no limit.
        checkpoint_steps: steps between two checkpoints, each of up to five times the size of what is trained; 0: none.
        start: `base` trains from TRANSFORMER_BASE; `champion` goes on from the deployed version with what is new (`incremental`).
        replay_share: known texts that are trained again beside each new one, with `start` champion.
        n_trials: trials of a search over the recipe before training (`search`); 0 trains with the recipe as it stands.
        trial_texts: training texts of a trial, at most.
        pooling: `mean` of the token vectors under a new layer, the checkpoint's `own` classification head, or `auto`: its own head
            when it has one.
        length_buckets: batches of similar length; False gives the plain loop, for comparison.
        device: `auto` takes CUDA, then Apple's MPS, then the CPU.
        precision: `auto` computes in bfloat16 where a CPU or CUDA device has it in hardware, on other GPUs (MPS too) in float16 with a
            scaled loss, on other CPUs in float32.
    """

    epochs: int = 0
    learning_rate: float = 0.0
    rank: int | None = None
    batch_size: int = 32
    max_length: int = 128
    warmup_share: float = 0.1
    weight_decay: float = 0.01
    layer_decay: float = 1.0
    class_weight_power: float = 0.5
    distillation_share: float | None = None
    distillation_folds: int = 2
    label_smoothing: float = 0.1
    consistency: float | None = None
    set_weights: dict[str, float] = field(default_factory=dict[str, float])
    target_sets: tuple[str, ...] = ()
    target_epochs: int = 3
    target_learning_rate: float = 0.0
    averaging: float = 0.0
    patience: int = 3
    max_seconds: float = 0.0
    checkpoint_steps: int = 200
    start: Start = "base"
    replay_share: float = 1.0
    n_trials: int = 0
    trial_texts: int = 4_000
    pooling: Pooling = "auto"
    length_buckets: bool = True
    device: Device = "auto"
    precision: Precision = "auto"


_AT_LEAST: dict[str, float] = {
    "batch_size": 1,
    "max_length": 8,
    "layer_decay": 0.1,
    "target_epochs": 1,
    "trial_texts": 30,
    "distillation_folds": 2,
}
_AT_MOST: dict[str, float] = {
    "warmup_share": 1.0,
    "label_smoothing": 0.9,
    "distillation_share": 1.0,
    "distillation_folds": 10,
    "learning_rate": 1.0,
    "rank": 256,
    "target_learning_rate": 1.0,
    "layer_decay": 1.0,
    "averaging": 0.9999,
}


def transformer_parameters(values: Mapping[str, Any]) -> TransformerParameters:
    """Check `values` and fill in the defaults.

    Raises:
        PermanentError: an unknown name, a wrong type, or a value out of range.
    """
    hints = get_type_hints(TransformerParameters)
    unknown = sorted(set(values) - set(hints))
    if unknown:
        raise PermanentError(f"Unknown parameters {unknown}.", remedy=f"Known are {sorted(hints)}.")
    checked = {name: _checked(name, value, hints[name]) for name, value in values.items()}
    return dataclasses.replace(TransformerParameters(), **checked)


def for_width(parameters: TransformerParameters, hidden_size: int) -> TransformerParameters:
    """`parameters` with what they leave to the encoder's width.

    Narrow ones (MiniLM: 384) are trained whole, with R-Drop and distillation. For wide ones (BERT-base, MPNet: 768) that takes hours on two
    cores; they learn by products of rank 16 from labels alone.
    """
    wide = hidden_size > WIDE
    return dataclasses.replace(
        parameters,
        rank=parameters.rank if parameters.rank is not None else 16 if wide else 0,
        distillation_share=parameters.distillation_share if parameters.distillation_share is not None else 0.0 if wide else 0.3,
        consistency=parameters.consistency if parameters.consistency is not None else 0.0 if wide else 1.0,
    )


def chosen_for(parameters: TransformerParameters, hidden_size: int, n_texts: int) -> TransformerParameters:
    """`parameters` with what they leave to the width of the encoder and the number of texts; nothing is left to choose."""
    at_width = for_width(parameters, hidden_size)
    rank = at_width.rank or 0
    return dataclasses.replace(
        at_width,
        epochs=parameters.epochs or epochs_for(n_texts, rank),
        learning_rate=parameters.learning_rate or learning_rate_for(hidden_size, n_texts, rank),
    )


def epochs_for(n_texts: int, rank: int = 0) -> int:
    """Passes that give about 15,000 text visits, from 3 (many texts; by products of thin matrices 2) to 8 (few)."""
    return min(max(round(15_000 / max(n_texts, 1)), 2 if rank else 3), 8)


def learning_rate_for(hidden_size: int, n_texts: int, rank: int = 0) -> float:
    """Peak rate. Products of thin matrices need a higher one than whole weights.

    Narrow encoders: measured with MiniLM (384), few texts need the higher one. Wide ones: measured with MPNet (768) by products, of whole
    weights the range of BERT's paper.
    """
    if rank:
        return 6e-4 if hidden_size > WIDE else 1.5e-3
    if hidden_size > WIDE:
        return 5e-5 if n_texts < 2_000 else 3e-5
    return 2e-4 if n_texts < 2_000 else 1.5e-4


def _checked(name: str, value: Any, hint: Any) -> Any:
    if get_origin(hint) is Literal and value not in get_args(hint):
        raise PermanentError(f"{name}={value!r} is unknown.", remedy=f"Choose one of {list(get_args(hint))}.")
    try:
        read = msgspec.convert(value, hint)
    except msgspec.ValidationError as error:
        raise PermanentError(f"{name}={value!r} has the wrong type: {error}.", remedy="Correct the parameter.") from error
    low, high = _AT_LEAST.get(name, 0.0), _AT_MOST.get(name, float("inf"))
    numbers: list[float] = [*read.values()] if isinstance(read, dict) else [read] if isinstance(read, int | float) else []
    if not all(low <= number <= high for number in numbers):
        raise PermanentError(f"{name}={value!r} is out of range.", remedy=f"Use a value from {low} to {high}.")
    return read
