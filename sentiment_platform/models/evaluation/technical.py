"""What a model costs on this machine: latency, throughput and memory, measured the way it is served, in its own process.

Run as a module it is that process: loader and directory as arguments, the texts as JSON on standard input.
"""

import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from sentiment_platform.errors import TransientError

MAX_TEXTS = 200
ROUNDS_S = 10.0
TIMEOUT_S = 120.0


class TechnicalFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Measured with one thread, without features and without HTTP.

    Attributes:
        processor: its model name; `cores` is what the machine has.
        n_texts: texts of the test part, each asked alone for the latencies, in batches for the throughput.
        loaded_mb: resident memory that loading the model and answering added to the process, in 10^6 bytes.
    """

    processor: str
    cores: int
    n_texts: int
    latency_p50_ms: float
    latency_p95_ms: float
    texts_per_s: float
    loaded_mb: float


def measure_technical(loader: str, directory: Path, texts: Sequence[str]) -> TechnicalFigures:
    """Measure the model in `directory`, read by `loader` ("module:attribute", see `families`), on up to `MAX_TEXTS` of `texts`.

    Raises:
        TransientError: the measuring process failed or took longer than `TIMEOUT_S`.
    """
    command = [sys.executable, "-m", __name__, loader, str(directory)]
    try:
        done = subprocess.run(
            command, input=msgspec.json.encode(list(texts[:MAX_TEXTS])), capture_output=True, timeout=TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None) or b""
        raise TransientError(
            f"The model could not be measured: {error} {said[-300:].decode('utf-8', 'replace')}",
            remedy="Run the training again on a machine with time and memory to spare.",
        ) from error
    return msgspec.json.decode(done.stdout, type=TechnicalFigures)


def _measure(loader: str, directory: Path, texts: Sequence[str]) -> TechnicalFigures:
    import psutil

    module, _, attribute = loader.partition(":")
    load: Any = getattr(import_module(module), attribute)
    process = psutil.Process()
    before = process.memory_info().rss
    model = load(directory, threads=1)
    model.predict(texts[:1], None)
    latencies = list[float]()
    deadline = time.monotonic() + ROUNDS_S
    for text in texts:
        began = time.perf_counter()
        model.predict([text], None)
        latencies.append(time.perf_counter() - began)
        if time.monotonic() > deadline:
            break
    asked = texts[: len(latencies)]
    size = model.batch_size
    began = time.perf_counter()
    for start in range(0, len(asked), size):
        model.predict(asked[start : start + size], None)
    taken = time.perf_counter() - began
    return TechnicalFigures(
        processor=processor(),
        cores=psutil.cpu_count() or 1,
        n_texts=len(asked),
        latency_p50_ms=round(float(np.percentile(latencies, 50)) * 1e3, 3),
        latency_p95_ms=round(float(np.percentile(latencies, 95)) * 1e3, 3),
        texts_per_s=round(len(asked) / taken, 1),
        loaded_mb=round((process.memory_info().rss - before) / 1e6, 1),
    )


def processor() -> str:
    """The processor's model name; its architecture where the system does not tell more."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = list[str]()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


if __name__ == "__main__":
    measured = _measure(sys.argv[1], Path(sys.argv[2]), msgspec.json.decode(sys.stdin.buffer.read(), type=list[str]))
    sys.stdout.buffer.write(msgspec.json.encode(measured))
