"""A version is first loaded in a process that can be lost: with limits, on its golden sentences, timed. Only then is it loaded here.

What passed is remembered beside the registry's copies, for this build on this machine: a start from the disk needs no such process.
Here: starting, waiting, and judging what the process said. What it does is in `trial_worker`.
"""

import contextlib
import os
import platform
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO, cast

import msgspec

from sentiment_platform.errors import TransientError
from sentiment_platform.models.families import loader_of
from sentiment_platform.registry.manifest import Manifest
from serving.live.model_cost import MIB, ModelCost, declared_cost, expected_mb
from serving.live.model_refused import ModelRefused
from serving.live.trial_worker import TrialAnswer, TrialQuestion

TIMES_SLOWER = 50.0
"""A version that takes so many times as long as its manifest says, or as the version before it, is refused ..."""
UNNOTICED_MS = 1.0
"""... unless a text takes less than this."""
LOAD_S, LOAD_S_PER_100_MIB = 30.0, 30.0
MEMORY_TIMES, MEMORY_MORE_MB = 3.0, 256.0
"""Of what its manifest says, or its files let expect, and as much on top."""
MAX_ANSWER_BYTES = 16 * 1024
PROVEN = "proven.json"
_REMEDY = "What runs stays. Find out what the version does, and publish another one."


@dataclass(frozen=True, kw_only=True)
class TrialLimits:
    """What a trial may take: wall-clock and processor seconds, MiB that the version adds."""

    wall_s: float
    cpu_s: int
    memory_mb: float


def limits_of(manifest: Manifest) -> TrialLimits:
    """Generous limits, by the size of the files and what the manifest says of memory."""
    size_mb = sum(entry.size for entry in manifest.files.values()) / MIB
    wall_s = LOAD_S + LOAD_S_PER_100_MIB * size_mb / 100
    return TrialLimits(wall_s=wall_s, cpu_s=int(wall_s), memory_mb=MEMORY_TIMES * expected_mb(manifest) + MEMORY_MORE_MB)


class _Proven(msgspec.Struct, frozen=True):
    """`proven.json`: manifest digest -> what the version takes, found out by `build`."""

    build: str
    versions: dict[str, ModelCost]


class Trials:
    """Tries versions whose verified files lie under `folder`, and remembers there which ones passed.

    Args:
        limits: from a manifest to what a trial of it may take.
    """

    def __init__(self, folder: Path, *, limits: Callable[[Manifest], TrialLimits] = limits_of) -> None:
        self._folder = folder
        self._limits = limits
        self._build = ""
        self._proven: dict[str, ModelCost] | None = None

    def require(self, manifest: Manifest, manifest_digest: str, *, before_ms: float | None = None) -> ModelCost:
        """What the version takes, from memory or by a trial.

        Args:
            before_ms: milliseconds a text of the version that it takes the place of.

        Raises:
            ModelRefused: load, golden, slow, memory, timeout or crashed. TransientError: no process could be started.
        """
        if manifest_digest not in self._read() and manifest_digest not in self._read(anew=True):
            cost = self._tried(manifest, manifest_digest, before_ms)
            self._remember(manifest_digest, cost)
        return self._read()[manifest_digest]

    def forget_all_but(self, digests: set[str]) -> None:
        """Keep no verdict on a version whose files are gone."""
        proven = self._read(anew=True)
        if proven.keys() - digests:
            self._write({name: cost for name, cost in proven.items() if name in digests})

    def _tried(self, manifest: Manifest, manifest_digest: str, before_ms: float | None) -> ModelCost:
        limits = self._limits(manifest)
        question = TrialQuestion(
            loader=loader_of(manifest.family),
            directory=str(self._folder / manifest_digest),
            golden=[(golden.text, golden.probabilities) for golden in manifest.golden],
            memory_mb=limits.memory_mb,
            cpu_s=limits.cpu_s,
            wall_s=limits.wall_s,
        )
        answer = ask(question)
        if answer.reason:
            raise _refusal(manifest, answer.reason, f"is not shown to work here: {answer.message}")
        declared = declared_cost(manifest)
        for whose, reference_ms in (
            ("that its manifest says", declared and declared.latency_p50_ms),
            ("of the version before", before_ms),
        ):
            if reference_ms and answer.latency_ms > max(UNNOTICED_MS, TIMES_SLOWER * reference_ms):
                words = f"takes {answer.latency_ms:.1f} ms a text, more than {TIMES_SLOWER:.0f} times the {reference_ms:.2f} ms {whose}."
                raise _refusal(manifest, "slow", words)
        return ModelCost(latency_ms=round(answer.latency_ms, 3), memory_mb=round(answer.memory_mb, 1))

    def _read(self, *, anew: bool = False) -> dict[str, ModelCost]:
        """`anew`: with what neighbours have found out since."""
        if self._proven is None or anew:
            self._build = build()
            try:
                kept = msgspec.json.decode((self._folder / PROVEN).read_bytes(), type=_Proven)
            except (OSError, msgspec.MsgspecError):
                kept = _Proven("", {})
            self._proven = dict(kept.versions) if kept.build == self._build else {}
        return self._proven

    def _remember(self, manifest_digest: str, cost: ModelCost) -> None:
        self._write({**self._read(anew=True), manifest_digest: cost})

    def _write(self, proven: dict[str, ModelCost]) -> None:
        self._proven = proven
        side = self._folder / f".{PROVEN}.{os.getpid()}"
        # Where it cannot be kept, the next start tries again.
        with contextlib.suppress(OSError):
            side.write_bytes(msgspec.json.encode(_Proven(self._build, proven)))
            side.replace(self._folder / PROVEN)


def ask(question: TrialQuestion) -> TrialAnswer:
    """What the process says within the question's `wall_s`, or how it ended; it is gone when this returns.

    Raises:
        TransientError: it could not be started.
    """
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "serving.live.trial_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PYTHONPATH": os.pathsep.join(os.path.abspath(entry) for entry in sys.path), "PYTHONUTF8": "1"},
            start_new_session=True,
        )
    except OSError as error:
        raise TransientError(
            f"A version could not be tried: {error}", remedy="It is tried again. Check memory and process limits."
        ) from error
    try:
        said, in_time = _exchange(process, msgspec.json.encode(question), time.monotonic() + question.wall_s)
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        status = process.wait()
    with contextlib.suppress(msgspec.MsgspecError):
        return msgspec.json.decode(said, type=TrialAnswer)
    if not in_time or status in (-signal.SIGXCPU, -signal.SIGALRM):
        return TrialAnswer(reason="timeout", message=f"it did not load and answer within {question.wall_s:.0f} s")
    if status == -signal.SIGKILL:
        return TrialAnswer(reason="memory", message="the system ended it, which it does where memory runs out")
    name = signal.Signals(-status).name if status < 0 else f"status {status}"
    return TrialAnswer(reason="crashed", message=f"it ended the process that loaded it ({name})")


def _exchange(process: "subprocess.Popen[bytes]", question: bytes, until: float) -> tuple[bytes, bool]:
    """What it wrote until it closed its output (or wrote too much), and whether that was in time."""
    said = b""
    with cast("IO[bytes]", process.stdin) as to, cast("IO[bytes]", process.stdout) as answers:
        # It is read before anything of the version is; a process that died meanwhile is judged by its end.
        with contextlib.suppress(BrokenPipeError):
            to.write(question)
            to.close()
        while (left_s := until - time.monotonic()) > 0 and len(said) <= MAX_ANSWER_BYTES:
            if not select.select([answers], [], [], left_s)[0]:
                break
            chunk = os.read(answers.fileno(), MAX_ANSWER_BYTES)
            if not chunk:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(max(0.1, until - time.monotonic()))
                    return said, True
                break
            said += chunk
    return said, False


def build() -> str:
    """What decides how a version behaves here: this code, the libraries that run models, the processor."""
    parts = [platform.python_version(), platform.machine(), platform.processor()]
    for package in ("sentiment-platform", "numpy", "onnxruntime", "tokenizers"):
        with contextlib.suppress(PackageNotFoundError):
            parts.append(f"{package} {version(package)}")
    return sha256("\n".join(parts).encode()).hexdigest()[:16]


def _refusal(manifest: Manifest, reason: str, words: str) -> ModelRefused:
    return ModelRefused(f"{manifest.version} {words}", reason=reason, remedy=_REMEDY)
