"""The other side of `serving.live.trial`: loads one version, asks its golden sentences, times it, and says what came of it.

Run as `python -m serving.live.trial_worker`: the question as JSON on standard input, one answer as JSON on standard output. Before it
loads anything it bounds its own memory and processor time; its environment is empty, so it holds no secret.
"""

import contextlib
import os
import resource
import signal
import statistics
import sys
import time
from pathlib import Path

import msgspec
import numpy as np

from sentiment_platform.errors import PermanentError
from sentiment_platform.features.compute import COMPUTE, NO_CONTEXT
from sentiment_platform.models.evaluation.golden import require_golden
from sentiment_platform.models.families import resolve
from sentiment_platform.models.family import Model
from sentiment_platform.models.reading import TextReader

MIB = 2**20
TIMED_CALLS = 24
TIMED_S = 2.0


class TrialQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Which version is tried, and what it may use.

    Attributes:
        loader: import string of what reads its family.
        golden: (text, probabilities) as recorded at export.
        memory_mb: that loading and answering may add, in MiB; `cpu_s`: processor seconds of all of it.
        wall_s: after which it ends itself where nobody is left to do so.
    """

    loader: str
    directory: str
    golden: list[tuple[str, tuple[float, float, float]]]
    memory_mb: float
    cpu_s: int
    wall_s: float


class TrialAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Why it was refused (`reason` "" where it was not), or what it takes: median milliseconds a text, MiB that it added."""

    reason: str = ""
    message: str = ""
    latency_ms: float = 0.0
    memory_mb: float = 0.0


def try_version(question: TrialQuestion) -> TrialAnswer:
    """Load and ask; a defect of the version is an answer, never an exception."""
    stage = "load"
    try:
        loader = resolve(question.loader)
        before_mb = _resident_mb()
        _bound(question)
        model = TextReader(loader(Path(question.directory), threads=1))
        stage = "golden"
        require_golden(model, question.golden)
        return TrialAnswer(
            latency_ms=_timed([text for text, _ in question.golden], model), memory_mb=max(0.0, _resident_mb() - before_mb)
        )
    except MemoryError:
        return TrialAnswer(reason="memory", message=f"it needs more than {question.memory_mb:.0f} MiB")
    except Exception as error:
        reason = "memory" if "alloc" in str(error).lower() else stage
        return TrialAnswer(reason=reason, message=str(error)[:2000] or type(error).__name__)


def _timed(texts: list[str], model: Model) -> float:
    """Median milliseconds of one text with the features that it has by itself; what is answered must be a distribution."""
    compute = COMPUTE.get(model.feature_schema)
    rows = [compute(text, NO_CONTEXT) if compute else () for text in texts]
    took_ms, ends = list[float](), time.monotonic() + TIMED_S
    for number in range(TIMED_CALLS):
        text, row = texts[number % len(texts)], rows[number % len(texts)]
        given = np.array([[np.nan if value is None else value for value in row]], dtype=np.float64) if row else None
        began = time.perf_counter()
        said = model.predict([text], given)
        took_ms.append((time.perf_counter() - began) * 1e3)
        if said.shape != (1, 3) or not np.isfinite(said).all() or abs(float(said.sum()) - 1) > 1e-3 or (said < 0).any():
            raise PermanentError(
                f"The model does not answer {text!r} with three probabilities where features are given.",
                remedy="Train and publish it again.",
            )
        if time.monotonic() > ends:
            break
    return statistics.median(took_ms)


def _bound(question: TrialQuestion) -> None:
    """From now on memory and processor time are limited; where memory runs out on this machine, this process goes first."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.setitimer(signal.ITIMER_REAL, question.wall_s + 1)
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + 1 + question.cpu_s
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    status = Path("/proc/self/status")
    if status.exists():  # where it does not, the system does not hold this limit either
        held_kb = next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmData:"))
        limit = held_kb * 1024 + int(question.memory_mb * MIB)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("1000")


def _resident_mb() -> float:
    """The most that this process has held so far, in MiB; what the system calls so of a new process may be that of its parent."""
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM:")) / 1024
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return held / MIB if sys.platform == "darwin" else held / 1024


def main() -> None:
    """One question, one answer; what a loader prints goes nowhere."""
    question = msgspec.json.decode(sys.stdin.buffer.read(), type=TrialQuestion)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    answers.write(msgspec.json.encode(try_version(question)))
    answers.flush()
    # Threads that a loader left behind must not keep it alive.
    os._exit(0)


if __name__ == "__main__":
    main()
