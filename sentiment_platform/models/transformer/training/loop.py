"""The training loop: steps over batches of similar length, validation after each epoch, the best weights kept, all of it resumable.

A `Position` and a few tensors say where a run is; a checkpoint is exactly these. Which texts are trained is `stages`, how they become
logits `batches`, how weights move `optimizer`.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from sentiment_platform.models.family import Floats, Integers, ProgressSink
from sentiment_platform.models.progress import ProgressMeter
from sentiment_platform.models.transformer.training.batches import Part, batches_of, logits_of, validate
from sentiment_platform.models.transformer.training.checkpoints import Checkpoint, CheckpointFolder, flattened, grouped
from sentiment_platform.models.transformer.training.device import Compute
from sentiment_platform.models.transformer.training.optimizer import build_optimizer, class_weights, disagreement, set_rate
from sentiment_platform.models.transformer.training.parameters import TransformerParameters
from sentiment_platform.models.transformer.training.position import Epoch, Position
from sentiment_platform.models.transformer.training.stages import Stage

if TYPE_CHECKING:
    import torch
    from torch import nn

MonotonicClock = Callable[[], float]
"""Seconds since an arbitrary moment; they never run backwards."""
EpochSink = Callable[[Epoch], None]


class Trainer:
    """One run of `network` through `stages`. Call `fit` once; then the network holds the best weights, and `at` says how it went."""

    def __init__(
        self,
        network: "nn.Module",
        train: Part,
        validation: Part,
        stages: tuple[Stage, ...],
        parameters: TransformerParameters,
        compute: Compute,
        *,
        pad_id: int,
        seed: int,
        progress: ProgressSink,
        checkpoints: CheckpointFolder | None = None,
        on_epoch: EpochSink | None = None,
        clock: MonotonicClock = time.monotonic,
    ) -> None:
        self._network = network
        self._train = train
        self._validation = validation
        self._stages = stages
        self._parameters = parameters
        self._compute = compute
        self._pad_id = pad_id
        self._generator = np.random.default_rng(seed)
        self._checkpoints = checkpoints
        self._on_epoch = on_epoch
        self._clock = clock
        self._started = clock()
        self._average: dict[str, torch.Tensor] = {}
        self._best: dict[str, torch.Tensor] = {}
        self._optimizer: Any = None
        self._shares: Floats = np.zeros(0)
        self._scaler: Any = None
        self.at = Position()
        self.resumed_from = 0
        """Steps that a checkpoint spared this process."""
        self.stopped_by_clock = False
        self._meter = ProgressMeter(progress, "fine-tuning", sum(stage.epochs * len(stage.rows) for stage in stages), clock=clock)

    def fit(self) -> None:
        """Train, from a checkpoint of this very run where there is one."""
        self._network.to(self._compute.device)
        self._scaler = self._compute.scaler()
        self._resume()
        while self.at.stage < len(self._stages) and not self.stopped_by_clock:
            self._run_stage(self._stages[self.at.stage])
        self._load(self._best)
        best = self.at.epochs[self.at.best - 1]
        self._meter.finish(f"kept epoch {best.epoch}, validation macro-F1 {best.macro_f1:.3f}")
        if self._checkpoints:
            self._checkpoints.clear()

    def elapsed_s(self) -> float:
        """Seconds of this run, those before an interruption included and the interruption itself not."""
        return self.at.elapsed_s + self._clock() - self._started

    def _run_stage(self, stage: Stage) -> None:
        at = self.at
        self._begin(stage)
        while at.epoch < stage.epochs and not self.stopped_by_clock:
            self._run_epoch(stage)
            if 0 < self._parameters.patience <= at.waited:
                spared = (stage.epochs - at.epoch) * len(stage.rows)
                self._meter.advance(spared, f"{stage.name}: stopped early after epoch {at.epoch}")
                break
        if self._average:
            self._load(self._average)
        self._average = {}
        self._optimizer = None
        at.stage, at.epoch, at.stage_steps, at.waited = at.stage + 1, 0, 0, 0

    def _begin(self, stage: Stage) -> None:
        if self._optimizer is None:
            self._optimizer = build_optimizer(self._network, self._parameters, stage.learning_rate)
        weights = class_weights(self._train.labels[stage.rows], self._parameters.class_weight_power)
        self._shares = weights[self._train.labels] * self._train.weights

    def _run_epoch(self, stage: Stage) -> None:
        at = self.at
        if at.batch:
            self._generator.bit_generator.state = at.order
        else:
            at.order = dict(self._generator.bit_generator.state)
        batches = list(batches_of(self._train, stage, self._parameters, self._generator))
        began = self._clock()
        self._network.train()
        for rows in batches[at.batch :]:
            self._step(stage, rows)
            at.batch += 1
            self._save_if_due(began)
            self.stopped_by_clock = 0 < self._parameters.max_seconds <= self.elapsed_s()
            if self.stopped_by_clock:
                break
        at.training_s += self._clock() - began
        at.epoch += 1
        self._judge(stage, float(np.mean(at.losses[-at.batch :])))
        at.batch = 0

    def _step(self, stage: Stage, rows: Integers) -> None:
        import torch

        at, device = self.at, self._compute.device
        steps = stage.steps(self._parameters.batch_size)
        set_rate(self._optimizer, at.stage_steps, steps, self._parameters.warmup_share)
        consistency = self._parameters.consistency
        rows_of_passes = np.tile(rows, 2) if consistency else rows
        targets = torch.from_numpy(self._train.targets[rows_of_passes]).float().to(device)
        shares = torch.from_numpy(self._shares[rows_of_passes]).float().to(device)
        logits = logits_of(self._network, self._train, rows_of_passes, self._pad_id, self._compute)
        # A text weighs by the class of its label and by its label set, whatever its target.
        loss = (torch.nn.functional.cross_entropy(logits, targets, reduction="none") * shares).sum() / shares.sum()
        if consistency:
            first, second = logits.chunk(2)
            share = shares[: len(rows)]
            loss = loss + consistency * (disagreement(first, second) * share).sum() / share.sum()
        self._scaler.scale(loss).backward()
        self._scaler.unscale_(self._optimizer)
        torch.nn.utils.clip_grad_norm_(self._network.parameters(), 1.0)
        self._scaler.step(self._optimizer)
        self._scaler.update()
        self._optimizer.zero_grad()
        at.stage_steps += 1
        at.steps += 1
        at.texts += len(rows)
        at.losses.append(float(loss.detach()))
        if self._parameters.averaging and 2 * at.stage_steps > steps:
            self._update_average()
        self._meter.advance(len(rows), f"{stage.name}, epoch {at.epoch + 1}/{stage.epochs}, loss {np.mean(at.losses[-20:]):.3f}")

    def _update_average(self) -> None:
        """Polyak & Juditsky 1992, with an exponential window."""
        weights = self._moved()
        if not self._average:
            self._average = {name: value.detach().clone() for name, value in weights.items()}
            return
        for name, value in weights.items():
            if value.is_floating_point():
                self._average[name].lerp_(value.detach(), 1.0 - self._parameters.averaging)

    def _judge(self, stage: Stage, train_loss: float) -> None:
        """Validate the average where there is one, else the weights; keep what is best so far."""
        at = self.at
        weights = {name: value.detach().clone() for name, value in self._moved().items()}
        judged = self._average or weights
        self._load(judged)
        macro_f1, log_loss = validate(self._network, self._validation, self._pad_id, self._compute)
        epoch = Epoch(
            epoch=len(at.epochs) + 1,
            train_loss=train_loss,
            macro_f1=macro_f1,
            log_loss=log_loss,
            stage=stage.name,
            averaged=bool(self._average),
        )
        self._load(weights)
        at.epochs.append(epoch)
        at.waited += 1
        if not at.best or epoch.score > at.epochs[at.best - 1].score:
            at.best, at.waited = epoch.epoch, 0
            self._best = {name: value.detach().cpu().clone() for name, value in judged.items()}
        self._meter.advance(0, f"{stage.name}, epoch {at.epoch}/{stage.epochs}, validation macro-F1 {epoch.macro_f1:.3f}")
        if self._on_epoch:
            self._on_epoch(epoch)

    def _save_if_due(self, began: float) -> None:
        every = self._parameters.checkpoint_steps
        if not self._checkpoints or not every or self.at.steps % every:
            return
        position = asdict(self.at) | {
            "elapsed_s": self.elapsed_s(),
            "training_s": self.at.training_s + self._clock() - began,
            "scaler": self._scaler.state_dict(),
        }
        try:
            self._checkpoints.save(Checkpoint(self._tensors(), position))
        except OSError as error:
            # A full disk must not cost the training itself.
            self._meter.advance(0, f"no checkpoint after step {self.at.steps}: {error.strerror}")

    def _moved(self) -> "dict[str, torch.Tensor]":
        """The weights that training moves; the others are the base's own and are kept nowhere."""
        return {name: weight.detach() for name, weight in self._network.named_parameters() if weight.requires_grad}

    def _load(self, weights: "Mapping[str, torch.Tensor]") -> None:
        self._network.load_state_dict(weights, strict=False)

    def _tensors(self) -> "dict[str, torch.Tensor]":
        moments = {str(number): values for number, values in self._optimizer.state_dict()["state"].items()}
        return flattened(
            {
                "network": self._moved(),
                "best": self._best,
                "average": self._average,
                "optimizer": flattened(moments),
                "random": self._compute.random_state(),
            }
        )

    def _resume(self) -> None:
        saved = self._checkpoints.newest() if self._checkpoints else None
        if saved is None:
            return
        self.at = Position.read(saved.position)
        self.resumed_from = self.at.steps
        groups = grouped(saved.tensors)
        self._load(groups["network"])
        self._best = groups.get("best", {})
        self._average = {name: value.to(self._compute.device) for name, value in groups.get("average", {}).items()}
        self._optimizer = build_optimizer(self._network, self._parameters, self._stages[self.at.stage].learning_rate)
        moments = {int(number): values for number, values in grouped(groups.get("optimizer", {})).items()}
        self._optimizer.load_state_dict({**self._optimizer.state_dict(), "state": moments})
        self._scaler.load_state_dict(self.at.scaler)
        self._compute.set_random_state(groups["random"])
        self._meter.advance(self.at.texts, f"resumed after step {self.at.steps}")
