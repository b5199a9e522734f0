"""How soon a started serving process answers, and how much memory it then holds. Over a real local stack and a published model."""

import os
import shutil
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import psutil

from sentiment_platform.errors import PermanentError
from sentiment_platform.local.stack import LocalStack
from sentiment_platform.models.transformer.runtime import FILES, MODEL_FILE, load_transformer
from sentiment_platform.settings import Settings
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform.store.migrate import upgrade
from sentiment_platform_tests.benchmarks.distil_roberta import write_distil_roberta
from sentiment_platform_tests.benchmarks.rows import MODEL_VARIABLE, TABLE, Figure
from sentiment_platform_tests.serving.publishing import Publisher
from sentiment_platform_tests.serving.running import ServingProcess

ROUNDS = 7
TRANSFORMER_ROUNDS = 5
ANSWERS = 200
LIMIT_S = 60.0
TEXT = "Harbour Mills reports great profit and strong growth"


@dataclass(frozen=True)
class Start:
    """One started process: seconds to its first answer, processor seconds until then, and resident memory in MB (10^6 bytes)."""

    seconds: float
    processor_s: float
    resident_mb: float
    largest_mb: float


@TABLE.row(
    "F.10", "serving: start to first answer, and resident memory; VADER only, and with a transformer of 82 million parameters"
)
def serving_start() -> Iterator[Figure]:
    yield from vader_start()
    yield from transformer_start()


def vader_start() -> Iterator[Figure]:
    """VADER is all that is deployed."""
    with local_settings() as settings, publisher(settings) as publish:
        publish.deploy(publish.model())
        # Nothing is kept from one round to the next: the model is fetched from the registry and verified each time.
        # The first start writes bytecode and fills the disk's cache; it is not a round.
        starts = [one_start(settings, f"serving-{number}", "vader") for number in range(ROUNDS + 1)][1:]
    yield from _figures(starts, 1.5, 150, {"families": ["vader"], "state": "empty"})


def transformer_start() -> Iterator[Figure]:
    """An int8 transformer answers, beside VADER: one of 82 million random weights, or the exported one that SENTIMENT_BENCH_MODEL names."""
    with local_settings() as settings, publisher(settings) as publish:
        with tempfile.TemporaryDirectory() as checkpoint, tempfile.TemporaryDirectory() as folder:
            if named := os.environ.get(MODEL_VARIABLE):
                for name in FILES:
                    shutil.copyfile(Path(named) / name, Path(folder) / name)
            else:
                write_distil_roberta(Path(folder), Path(checkpoint))
            model = load_transformer(Path(folder))
            transformer = publish.publish(Path(folder), "v1.0.0-finbert", model)
        publish.deploy(transformer, publish.model())
        explains = {
            "families": ["vader", "finbert"],
            "base": model.config.base_model,
            "bytes": transformer.files[MODEL_FILE].size,
        }
        fresh = [one_start(settings, f"serving-{number}", "finbert") for number in range(TRANSFORMER_ROUNDS + 1)][1:]
        # Again over a folder of before: a restart finds its models on the disk.
        again = [one_start(settings, f"serving-{number}", "finbert") for number in range(1, TRANSFORMER_ROUNDS + 1)]
    for state, starts in (("empty", fresh), ("models on the disk", again)):
        yield from _figures(starts, 10, 512, {**explains, "state": state})


def _figures(starts: list[Start], limit_s: float, limit_mb: float, explains: dict[str, Any]) -> Iterator[Figure]:
    yield Figure(
        f"start of the process to the first answer, state folder: {explains['state']}",
        statistics.median(start.seconds for start in starts),
        "s",
        limit_s,
        len(starts),
        explains={
            "rounds_s": [round(start.seconds, 3) for start in starts],
            "processor_s": round(statistics.median(start.processor_s for start in starts), 3),
            **explains,
        },
    )
    for what, rounds in (
        (f"resident memory after {ANSWERS} answers", [start.resident_mb for start in starts]),
        ("largest resident memory until then", [start.largest_mb for start in starts]),
    ):
        yield Figure(
            what,
            statistics.median(rounds),
            "MB",
            limit_mb,
            len(starts),
            explains={"rounds_mb": [round(value, 1) for value in rounds], "texts": ANSWERS, **explains},
        )


def one_start(settings: Settings, folder: str, family: str) -> Start:
    """Start a process with the state folder `folder` and let `family`, the deployment's default, answer."""
    serving = ServingProcess(replace(settings, state_dir=settings.state_dir / folder))
    try:
        began = time.perf_counter()
        serving.start(ready=False)
        serving.wait_until(lambda: _answers(serving.client), LIMIT_S)
        first_s = time.perf_counter() - began
        assert serving.process is not None
        process = psutil.Process(serving.process.pid)
        used = process.cpu_times()
        answered = Counter(_answered_by(serving, f"{TEXT} in {answer}") for answer in range(ANSWERS))
        if answered != {f"v1.0.0-{family}": ANSWERS}:
            raise PermanentError(f"Answered by {dict(answered)}.", remedy="Measure on a machine that meets the deadline.")
        start = Start(first_s, used.user + used.system, process.memory_info().rss / 1e6, _largest_mb(process.pid))
        serving.terminate()
        return start
    finally:
        serving.stop()


def _answered_by(serving: ServingProcess, text: str) -> str:
    return serving.predict(text)["performance"]["model_version"]


def _largest_mb(pid: int) -> float:
    """The kernel's high-water mark of resident memory, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM:")).split()[1]) * 1024 / 1e6


def _answers(client: httpx.Client) -> bool:
    try:
        return client.post("/predict", json={"text": TEXT}).status_code == 200
    except httpx.TransportError:
        return False


@contextmanager
def publisher(settings: Settings) -> Generator[Publisher]:
    """Publishes into the stack of `settings`."""
    engine = create_platform_engine(settings.database_url)
    made = Publisher(settings, engine)
    try:
        yield made
    finally:
        made.close()
        engine.dispose()


@contextmanager
def local_settings() -> Generator[Settings]:
    """Complete settings over a local stack of this benchmark alone, whatever the caller's environment says."""
    with tempfile.TemporaryDirectory(prefix="sentiment-benchmark-") as folder:
        # The database server runs as another user when this process is root's.
        Path(folder).chmod(0o711)
        own = {"SENTIMENT_STATE_DIR": folder, "TRANSFORMER_BASE": "packaged:minilm"}
        with LocalStack(Settings.from_environment(own), durable=False) as stack:
            settings = Settings.from_environment({**own, **stack.environment})
            upgrade(settings.database_url)
            yield settings
