"""Checkpoints of a training run: the state of everything that decides the next step, written so that a kill at any moment leaves a
whole one. Tensors are safetensors, the rest is JSON.

A run is named by all that decides its result; what another run left is never read. Within a run each process has the token of its
lease: it goes on from whoever came furthest, and deletes nothing that a holder of a larger token wrote, so that an orphan which is
still running cannot take the checkpoints of its retry away. When to write is for `loop`.
"""

import json
import os
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sentiment_platform.clock import utc_now

if TYPE_CHECKING:
    import torch

STATE, POSITION = "state.safetensors", "position.json"
FORMAT = 1
ABANDONED_S = 14 * 24 * 3600.0
"""Age after which what an interrupted run left is deleted by the next run."""

Tensors = Mapping[str, "torch.Tensor"]


@dataclass(frozen=True)
class Checkpoint:
    """A state as it was after `position["steps"]` steps."""

    tensors: Tensors
    position: Mapping[str, Any]


class CheckpointFolder:
    """The checkpoints of one run, below `root` (a folder of the state directory).

    Args:
        identity: everything that decides the result, JSON-able; other content is another run.
        token: fencing token of the process's lease; it may read all checkpoints and delete those of tokens up to its own.
    """

    def __init__(self, root: Path, identity: Mapping[str, Any], token: int = 0) -> None:
        key = sha256(json.dumps({"format": FORMAT, **identity}, sort_keys=True).encode()).hexdigest()
        self._root = root
        self._folder = root / key[:32]
        self._token = token

    def save(self, checkpoint: Checkpoint) -> None:
        """Write it beside the others, then rename it into place and drop the older ones.

        Raises:
            OSError: the disk is full, or the folder may not be written.
        """
        from safetensors.torch import save_file

        steps = int(checkpoint.position["steps"])
        side = self._folder / f"writing-{os.getpid()}-{time.monotonic_ns()}.{self._token}"
        side.mkdir(parents=True)
        try:
            save_file({name: tensor.contiguous() for name, tensor in checkpoint.tensors.items()}, side / STATE)
            (side / POSITION).write_text(json.dumps(checkpoint.position), "utf-8")
            for path in (side / STATE, side / POSITION, side):
                _to_disk(path)
            target = self._folder / f"{_name(steps)}.{self._token}"
            shutil.rmtree(target, ignore_errors=True)
            side.rename(target)
            _to_disk(self._folder)
        finally:
            shutil.rmtree(side, ignore_errors=True)
        for other in self._own("step-*"):
            if other.name < _name(steps):
                shutil.rmtree(other, ignore_errors=True)

    def newest(self) -> Checkpoint | None:
        """The latest that can be read; one that cannot (a failing disk) is passed over."""
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        for path in sorted(self._folder.glob("step-*"), reverse=True):
            try:
                return Checkpoint(load_file(path / STATE), json.loads((path / POSITION).read_text("utf-8")))
            except (OSError, ValueError, SafetensorError):
                continue
        return None

    def clear(self) -> None:
        """The run is done: its checkpoints go, and those of runs that nobody took up for `ABANDONED_S`."""
        for own in self._own("*"):
            shutil.rmtree(own, ignore_errors=True)
        with suppress(OSError):
            self._folder.rmdir()  # Not empty where somebody with a larger token is at work.
        for other in self._root.glob("*"):
            try:
                if utc_now().timestamp() - other.stat().st_mtime > ABANDONED_S:
                    shutil.rmtree(other, ignore_errors=True)
            except FileNotFoundError:
                continue

    def _own(self, pattern: str) -> list[Path]:
        """What processes with a token up to this one's have written."""
        return [path for path in self._folder.glob(pattern) if int(path.suffix.removeprefix(".") or 0) <= self._token]


def flattened(groups: Mapping[str, Tensors]) -> "dict[str, torch.Tensor]":
    """All tensors under `group/name`, on the CPU; the inverse of `grouped`."""
    return {f"{group}/{name}": value.detach().cpu() for group, tensors in groups.items() for name, value in tensors.items()}


def grouped(tensors: Tensors) -> "dict[str, dict[str, torch.Tensor]]":
    """Tensors by what stands before the first slash of their name; a group without tensors is missing."""
    groups: dict[str, dict[str, torch.Tensor]] = {}
    for name, value in tensors.items():
        group, _, rest = name.partition("/")
        groups.setdefault(group, {})[rest] = value
    return groups


def _name(steps: int) -> str:
    return f"step-{steps:09d}"


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
