"""Which device and number format training uses, and how many threads the machine has.

Only training asks; serving runs on onnxruntime's CPU provider. CPU and CUDA are tested; what is said here of Apple's GPUs follows
torch's source and has not been run on one.
"""

import contextlib
import os
import sys
from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.transformer.training.parameters import Device, Precision


@dataclass(frozen=True)
class Compute:
    """A device of this machine and the format in which matrix products are computed there (weights stay float32)."""

    device: str
    precision: str

    def autocast(self) -> AbstractContextManager[Any]:
        """Context in which torch computes in `precision`."""
        import torch

        if self.precision == "float32":
            return contextlib.nullcontext()
        return torch.autocast(self.device, dtype=getattr(torch, self.precision))

    def scaler(self) -> Any:
        """What multiplies the loss: gradients that float16 would round to 0 survive; elsewhere it does nothing."""
        import torch

        return torch.amp.GradScaler(self.device, enabled=self.precision == "float16")

    def random_state(self) -> dict[str, Any]:
        """States of torch's random generators that training here draws from, by device."""
        import torch

        states = {"cpu": torch.random.get_rng_state()}
        return states if self.device == "cpu" else states | {self.device: torch.get_device_module(self.device).get_rng_state()}

    def set_random_state(self, state: Mapping[str, Any]) -> None:
        """Go on where `random_state` was taken."""
        import torch

        torch.random.set_rng_state(state["cpu"])
        if self.device != "cpu":
            torch.get_device_module(self.device).set_rng_state(state[self.device])


def choose_compute(device: Device, precision: Precision) -> Compute:
    """Resolve `auto` against this machine.

    Raises:
        PermanentError: a named device is not here.
    """
    import torch

    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    chosen = next(name for name, here in present.items() if here) if device == "auto" else device
    if not present[chosen]:
        raise PermanentError(f"Device {chosen!r} is not available.", remedy="Use device 'auto' or 'cpu'.")
    if precision != "auto":
        return Compute(chosen, precision)
    if chosen == "cpu":
        return Compute(chosen, "bfloat16" if cpu_has_bfloat16() else "float32")
    # Every Apple GPU has float16 in hardware, only the newer ones (and macOS 14) bfloat16.
    return Compute(chosen, "bfloat16" if chosen == "cuda" and torch.cuda.is_bf16_supported() else "float16")


def cpu_has_bfloat16() -> bool:
    """Whether this CPU multiplies bfloat16 in hardware (AVX512-BF16 or AMX); elsewhere it is emulated and slower than float32."""
    import torch

    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def cpu_threads() -> int:
    """CPUs that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextlib.contextmanager
def torch_threads(threads: int) -> Generator[None]:
    """Torch computes with `threads` CPU threads inside (another number adds up in another order), with as many as before after it."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def peak_memory_mib(compute: Compute) -> float:
    """Largest memory so far in MiB: of this process, or what torch allocated on the CUDA device."""
    import resource

    import torch

    if compute.device == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / 2**20 if sys.platform == "darwin" else used / 2**10  # macOS counts bytes, Linux kibibytes
