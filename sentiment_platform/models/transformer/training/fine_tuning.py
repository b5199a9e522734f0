"""Fine-tuning: from a base, a training set and options to a trained network, with everything that was chosen on the way.

torch is imported inside the functions. The loop itself is `loop`; where weights come from is `transformer_base`; what is
written at the end is `export`.
"""

import dataclasses
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.family import LABELS, Floats, LabelledTexts, ProgressSink, TrainingData, TrainingOptions
from sentiment_platform.models.transformer.tokens import encode, pad_id_of, tokenizer_from_json
from sentiment_platform.models.transformer.training.base import ResolvedBase
from sentiment_platform.models.transformer.training.batches import Part
from sentiment_platform.models.transformer.training.canaries import verified_network
from sentiment_platform.models.transformer.training.checkpoints import CheckpointFolder
from sentiment_platform.models.transformer.training.device import (
    Compute,
    choose_compute,
    cpu_threads,
    peak_memory_mib,
    torch_threads,
)
from sentiment_platform.models.transformer.training.loop import EpochSink, MonotonicClock, Trainer
from sentiment_platform.models.transformer.training.low_rank import fold, widen
from sentiment_platform.models.transformer.training.network import positions_of, tokenizer_json, width_of
from sentiment_platform.models.transformer.training.parameters import (
    TransformerParameters,
    chosen_for,
    transformer_parameters,
)
from sentiment_platform.models.transformer.training.position import Epoch, condensed
from sentiment_platform.models.transformer.training.stages import judging_rows, row_weights, stages_for, taken, targets_of

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass(frozen=True)
class Initial:
    """Weights to go on from instead of the base's own; `name` says whose they are (a manifest digest)."""

    name: str
    weights: "Mapping[str, torch.Tensor]"


@dataclass(frozen=True, kw_only=True)
class TrainedTransformer:
    """The outcome of training, ready for export.

    Attributes:
        network: `(input_ids, attention_mask) -> logits (n, 3)`, float32 on the CPU, in evaluation mode, of the best epoch.
        tokenizer_json: the base's tokenizer.
        epochs: one entry a pass, in order; `best_epoch` is the one kept (1-based).
        losses: (step, mean loss since the point before), at most 100 points.
        steps: optimizer steps; `resumed_from` of them were spared by a checkpoint.
        parameters: those that were used, nothing left to choose.
        seconds: interrupted attempts included.
        sentences_per_s: training throughput, without validation.
        lineage: what the run started from and, beside the base, what it was compared with (`incremental`).
        search: how the parameters were found, where they were searched (`search`).
        distillation: whose predictions were mixed into the targets, and which labels they doubt (`distillation`).
    """

    network: "nn.Module"
    tokenizer_json: str
    base: ResolvedBase
    parameters: TransformerParameters
    pooling: str
    epochs: tuple[Epoch, ...]
    best_epoch: int
    losses: tuple[tuple[int, float], ...]
    steps: int
    resumed_from: int
    seconds: float
    sentences_per_s: float
    stopped_by_clock: bool
    compute: Compute
    threads: int
    peak_memory_mib: float
    lineage: Mapping[str, Any] = field(default_factory=dict[str, Any])
    search: Mapping[str, Any] = field(default_factory=dict[str, Any])
    distillation: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def best(self) -> Epoch:
        """The epoch whose weights were kept."""
        return self.epochs[self.best_epoch - 1]


def train_transformer(
    base: ResolvedBase,
    data: TrainingData,
    options: TrainingOptions,
    progress: ProgressSink,
    *,
    initial: Initial | None = None,
    predictions: Floats | None = None,
    checkpoints: Path | None = None,
    on_epoch: EpochSink | None = None,
    clock: MonotonicClock = time.monotonic,
) -> TrainedTransformer:
    """Fine-tune `base` on `data.train`; `data.validation` only chooses the epoch.

    The same data, options and number of threads give the same weights on a CPU, interrupted and resumed or not.

    Args:
        predictions: (n, 3) probabilities of the training texts, `distillation_share` of the targets; None trains on labels alone.
        checkpoints: folder for checkpoints; a run of the same inputs that was killed goes on from there.
        on_epoch: told of each epoch; what it raises ends the training.

    Raises:
        PermanentError: unknown parameters, a part without examples, a base that is no checkpoint or whose label map is wrong, a device
            that is not there, or a `max_length` above what the base can read.
    """
    import torch

    parameters = transformer_parameters(options.parameters)
    if predictions is None:
        parameters = dataclasses.replace(parameters, distillation_share=0.0)
    if not len(data.train) or not len(data.validation):
        raise PermanentError("The training or the validation part is empty.", remedy="Add labelled examples.")
    compute = choose_compute(parameters.device, parameters.precision)
    threads = options.threads or cpu_threads()
    text = tokenizer_json(base.path)
    tokenizer = tokenizer_from_json(text, parameters.max_length)
    with torch_threads(threads), torch.random.fork_rng():
        torch.manual_seed(options.seed)
        network, pooling = verified_network(base.path, parameters.pooling)
        _require_places(network, parameters.max_length)
        if initial:
            network.load_state_dict(dict(initial.weights))
        parameters = chosen_for(parameters, width_of(base.path), len(data.train))
        if parameters.rank:
            widen(network, parameters.rank)
        trainer = Trainer(
            network,
            _part(
                tokenizer, data.train, row_weights(parameters, data.train), targets_of(parameters, data.train.labels, predictions)
            ),
            _part(tokenizer, *_judging(parameters, data.validation)),
            stages_for(parameters, data.train),
            parameters,
            compute,
            pad_id=pad_id_of(text),
            seed=options.seed,
            progress=progress,
            checkpoints=checkpoint_folder(checkpoints, base, data, options, parameters, initial.name if initial else ""),
            on_epoch=on_epoch,
            clock=clock,
        )
        trainer.fit()
        if parameters.rank:
            fold(network.float().cpu())
    at = trainer.at
    return TrainedTransformer(
        network=network.float().cpu().eval(),
        tokenizer_json=text,
        base=base,
        parameters=parameters,
        pooling=pooling,
        epochs=tuple(at.epochs),
        best_epoch=at.best,
        losses=tuple(condensed(at.losses)),
        steps=at.steps,
        resumed_from=trainer.resumed_from,
        seconds=trainer.elapsed_s(),
        sentences_per_s=at.texts / at.training_s if at.training_s > 0 else 0.0,
        stopped_by_clock=trainer.stopped_by_clock,
        compute=compute,
        threads=threads,
        peak_memory_mib=peak_memory_mib(compute),
    )


def planned(parameters: TransformerParameters, base: ResolvedBase, train: LabelledTexts) -> tuple[TransformerParameters, int]:
    """What a run on these texts would choose where `parameters` leave something open, and its optimizer steps."""
    chosen = chosen_for(parameters, width_of(base.path), len(train))
    return chosen, sum(stage.steps(chosen.batch_size) for stage in stages_for(chosen, train))


def _require_places(network: "nn.Module", max_length: int) -> None:
    places = positions_of(network)
    if places is not None and max_length > places:
        raise PermanentError(
            f"max_length={max_length} is more than the {places} tokens that this base reads.", remedy=f"Use at most {places}."
        )


def checkpoint_folder(
    checkpoints: Path | None,
    base: ResolvedBase,
    data: TrainingData,
    options: TrainingOptions,
    parameters: TransformerParameters,
    initial: str,
) -> CheckpointFolder | None:
    """The checkpoints of this very run: another cap of the wall clock or distance of checkpoints is still the same one.

    Args:
        initial: name of what it starts from instead of the base's weights.
    """
    if checkpoints is None or not parameters.checkpoint_steps:
        return None
    recipe = dataclasses.replace(parameters, max_seconds=0.0, checkpoint_steps=0)
    identity = {
        "training_set": data.digest,
        "texts": [len(data.train), len(data.validation)],
        "base": base.digest,
        "initial": initial,
        "seed": options.seed,
        "threads": options.threads or cpu_threads(),
        "compute": dataclasses.asdict(choose_compute(parameters.device, parameters.precision)),
        "parameters": dataclasses.asdict(recipe),
    }
    return CheckpointFolder(checkpoints, identity, options.lease_token)


def _judging(parameters: TransformerParameters, validation: LabelledTexts) -> tuple[LabelledTexts, Floats, Floats]:
    rows = judging_rows(parameters, validation)
    return taken(validation, rows), np.ones(len(rows)), np.eye(len(LABELS))[validation.labels[rows]]


def _part(tokenizer: Any, texts: LabelledTexts, weights: Floats, targets: Floats) -> Part:
    tokens = encode(tokenizer, texts.texts)
    lengths = np.array([len(row) for row in tokens], dtype=np.int64)
    return Part(tokens, lengths, np.asarray(texts.labels, dtype=np.int64), targets, weights)
