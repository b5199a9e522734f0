"""Fine-tuning: AdamW with warm-up and linear decay over batches of similar length, the best epoch kept by validation macro-F1.

torch is imported inside the functions. Where weights come from is `transformer_base`; what is written at the end is `export`.
"""

import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.family import LABELS, Integers, ProgressSink, TrainingData, TrainingOptions
from sentiment_platform.models.progress import ProgressMeter
from sentiment_platform.models.transformer_base import ResolvedBase
from sentiment_platform.models.transformer_canaries import verified_network
from sentiment_platform.models.transformer_device import Compute, choose_compute, cpu_threads
from sentiment_platform.models.transformer_network import tokenizer_json
from sentiment_platform.models.transformer_optimizer import build_optimizer, class_weights
from sentiment_platform.models.transformer_parameters import (
    TransformerParameters,
    epochs_for,
    learning_rate_for,
    transformer_parameters,
)
from sentiment_platform.models.transformer_tokens import encode, length_buckets, pad_id_of, padded, tokenizer_from_json
from sentiment_platform.statistics.metrics import confusion_matrix, ratios

if TYPE_CHECKING:
    import torch
    from torch import nn

Clock = Callable[[], float]


@dataclass(frozen=True)
class Epoch:
    """What one pass gave: mean training loss, and macro-F1 and log loss on the validation part."""

    epoch: int
    train_loss: float
    macro_f1: float
    log_loss: float


@dataclass(frozen=True)
class TrainedTransformer:
    """The outcome of training, ready for export.

    Attributes:
        network: `(input_ids, attention_mask) -> logits (n, 3)`, float32 on the CPU, in evaluation mode, of the best epoch.
        tokenizer_json: the base's tokenizer.
        epochs: one entry a pass, in order; `best_epoch` is the one kept (1-based).
        parameters: those that were used, nothing left to choose.
        sentences_per_s: training throughput, without validation.
    """

    network: "nn.Module"
    tokenizer_json: str
    base: ResolvedBase
    parameters: TransformerParameters
    pooling: str
    epochs: tuple[Epoch, ...]
    best_epoch: int
    seconds: float
    sentences_per_s: float
    stopped_by_clock: bool
    compute: Compute
    threads: int


@dataclass(frozen=True)
class _Part:
    tokens: list[list[int]]
    lengths: Integers
    labels: Integers


def train_transformer(
    base: ResolvedBase,
    data: TrainingData,
    options: TrainingOptions,
    progress: ProgressSink,
    *,
    clock: Clock = time.monotonic,
) -> TrainedTransformer:
    """Fine-tune `base` on `data.train`; `data.validation` only chooses the epoch.

    The same data, options and number of threads give the same weights on a CPU.

    Raises:
        PermanentError: unknown parameters, a part without examples, a base that is no checkpoint, a device that is not there.
    """
    import torch

    parameters = transformer_parameters(options.parameters)
    if not len(data.train) or not len(data.validation):
        raise PermanentError("The training or the validation part is empty.", remedy="Add labelled examples.")
    compute = choose_compute(parameters.device, parameters.precision)
    threads = options.threads or cpu_threads()
    tokenizer_text = tokenizer_json(base.path)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with torch.random.fork_rng():
            torch.manual_seed(options.seed)
            network, pooling = verified_network(base.path, parameters.pooling)
            parameters = _chosen(parameters, network, len(data.train))
            run = _Run(network, tokenizer_text, data, parameters, compute, options.seed, progress, clock)
            return run.result(base, pooling, threads)
    finally:
        torch.set_num_threads(before)


class _Run:
    """The state of one training run."""

    def __init__(
        self,
        network: "nn.Module",
        tokenizer_text: str,
        data: TrainingData,
        parameters: TransformerParameters,
        compute: Compute,
        seed: int,
        progress: ProgressSink,
        clock: Clock,
    ) -> None:
        tokenizer = tokenizer_from_json(tokenizer_text, parameters.max_length)
        self._tokenizer_text = tokenizer_text
        self._pad_id = pad_id_of(tokenizer)
        self._train = _part(tokenizer, data.train.texts, data.train.labels)
        self._validation = _part(tokenizer, data.validation.texts, data.validation.labels)
        self._network = network.to(compute.device)
        self._parameters = parameters
        self._compute = compute
        self._generator = np.random.default_rng(seed)
        self._progress = progress
        self._clock = clock
        self._started = clock()
        self._training_s = 0.0
        self._visited = 0

    def result(self, base: ResolvedBase, pooling: str, threads: int) -> TrainedTransformer:
        epochs, best_epoch, stopped = self._fit()
        return TrainedTransformer(
            network=self._network.float().cpu().eval(),
            tokenizer_json=self._tokenizer_text,
            base=base,
            parameters=self._parameters,
            pooling=pooling,
            epochs=tuple(epochs),
            best_epoch=best_epoch,
            seconds=self._clock() - self._started,
            sentences_per_s=self._visited / self._training_s if self._training_s > 0 else 0.0,
            stopped_by_clock=stopped,
            compute=self._compute,
            threads=threads,
        )

    def _fit(self) -> tuple[list[Epoch], int, bool]:
        import torch

        n = len(self._train.tokens)
        passes = self._parameters.epochs
        steps = passes * -(-n // self._parameters.batch_size)
        optimizer, schedule = build_optimizer(self._network, self._parameters, steps)
        scaler = torch.amp.GradScaler(self._compute.device, enabled=self._compute.precision == "float16")
        weights = torch.tensor(
            class_weights(self._train.labels, self._parameters.class_weight_power),
            dtype=torch.float32,
            device=self._compute.device,
        )
        loss_of = torch.nn.CrossEntropyLoss(weights, label_smoothing=self._parameters.label_smoothing)
        meter = ProgressMeter(self._progress, "fine-tuning", passes * n, clock=self._clock)
        epochs: list[Epoch] = []
        best: tuple[float, float, int] = (-1.0, 0.0, 0)
        best_state: dict[str, Any] = {}
        stopped = False
        for number in range(1, passes + 1):
            losses: list[float] = []
            began = self._clock()
            self._network.train()
            for rows in self._batches():
                loss = loss_of(self._logits(self._train, rows), self._targets(rows))
                scaler.scale(loss).backward()
                scaler.unscale_(optimizer)
                torch.nn.utils.clip_grad_norm_(self._network.parameters(), 1.0)
                scaler.step(optimizer)
                scaler.update()
                schedule.step()
                optimizer.zero_grad()
                losses.append(float(loss.detach()))
                self._visited += len(rows)
                meter.advance(len(rows), f"epoch {number}/{passes}, loss {np.mean(losses[-20:]):.3f}")
                stopped = 0 < self._parameters.max_seconds <= self._clock() - self._started
                if stopped:
                    break
            self._training_s += self._clock() - began
            epochs.append(self._validated(number, float(np.mean(losses))))
            meter.advance(0, f"epoch {number}/{passes}, validation macro-F1 {epochs[-1].macro_f1:.3f}")
            score = (epochs[-1].macro_f1, -epochs[-1].log_loss, number)
            if score > best:
                best = score
                best_state = {name: value.detach().cpu().clone() for name, value in self._network.state_dict().items()}
            if stopped:
                break
        self._network.load_state_dict(best_state)
        meter.finish(f"kept epoch {best[2]}, validation macro-F1 {best[0]:.3f}")
        return epochs, best[2], stopped

    def _batches(self) -> Iterator[Integers]:
        if self._parameters.length_buckets:
            yield from length_buckets(self._train.lengths, self._parameters.batch_size, self._generator)
            return
        order = self._generator.permutation(len(self._train.tokens))
        for start in range(0, len(order), self._parameters.batch_size):
            yield order[start : start + self._parameters.batch_size]

    def _logits(self, part: _Part, rows: Integers) -> "torch.Tensor":
        """float32 logits (len(rows), 3) on the device."""
        import torch

        batch = padded([part.tokens[row] for row in rows], self._pad_id)
        with self._compute.autocast():
            logits = self._network(
                torch.from_numpy(batch.input_ids).to(self._compute.device),
                torch.from_numpy(batch.attention_mask).to(self._compute.device),
            )
        return logits.float()

    def _targets(self, rows: Integers) -> "torch.Tensor":
        import torch

        return torch.from_numpy(self._train.labels[rows]).to(self._compute.device)

    def _validated(self, number: int, train_loss: float) -> Epoch:
        import torch

        part = self._validation
        logits = np.zeros((len(part.tokens), len(LABELS)))
        self._network.eval()
        with torch.no_grad():
            for rows in length_buckets(part.lengths, 64, None):
                logits[rows] = self._logits(part, rows).double().cpu().numpy()
        macro_f1 = float(ratios(confusion_matrix(part.labels, logits.argmax(axis=1)).astype(np.float64))["macro_f1"])
        log_sum = np.logaddexp.reduce(logits, axis=1)
        log_loss = float(np.mean(log_sum - logits[np.arange(len(logits)), part.labels]))
        return Epoch(number, train_loss, macro_f1, log_loss)


def _chosen(parameters: TransformerParameters, network: "nn.Module", n_texts: int) -> TransformerParameters:
    """`parameters` with what they leave to the number of texts and the width of the encoder."""
    hidden_size = int(getattr(network.get_submodule("encoder"), "config").hidden_size)  # noqa: B009 - nn.Module does not declare it
    return dataclasses.replace(
        parameters,
        epochs=parameters.epochs or epochs_for(n_texts),
        learning_rate=parameters.learning_rate or learning_rate_for(hidden_size, n_texts),
    )


def _part(tokenizer: Any, texts: Sequence[str], labels: Integers) -> _Part:
    tokens = encode(tokenizer, texts)
    return _Part(tokens, np.array([len(row) for row in tokens], dtype=np.int64), np.asarray(labels, dtype=np.int64))
