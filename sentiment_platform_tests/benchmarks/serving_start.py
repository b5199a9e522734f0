"""How soon a started serving process answers, and how much memory it then holds. Over a real local stack and a published model."""

import statistics
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import psutil

from sentiment_platform.local.stack import LocalStack
from sentiment_platform.settings import Settings
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform.store.migrate import upgrade
from sentiment_platform_tests.benchmarks.rows import TABLE, Figure
from sentiment_platform_tests.serving.publishing import Publisher
from sentiment_platform_tests.serving.running import ServingProcess

ROUNDS = 7
ANSWERS = 200
LIMIT_S = 60.0
TEXT = "Harbour Mills reports great profit and strong growth"


@TABLE.row("F.10", "serving: start to first answer, and resident memory, VADER only")
def serving_start() -> Iterator[Figure]:
    with local_settings() as settings:
        engine = create_platform_engine(settings.database_url)
        publisher = Publisher(settings, engine)
        publisher.deploy(publisher.model())
        publisher.close()
        engine.dispose()
        # The first start writes bytecode and fills the disk's cache; it is not a round.
        rounds = [one_start(settings, number) for number in range(ROUNDS + 1)][1:]
    seconds, processor, megabytes = zip(*rounds, strict=True)
    # Nothing is kept from one round to the next: the model is fetched from the registry and verified each time.
    explains = {"families": ["vader"], "state": "empty", "texts": ANSWERS}
    yield Figure(
        "start of the process to the first answer",
        statistics.median(seconds),
        "s",
        1.5,
        ROUNDS,
        explains={
            "rounds_s": [round(value, 3) for value in seconds],
            "processor_s": round(statistics.median(processor), 3),
            **explains,
        },
    )
    yield Figure(
        f"resident memory after {ANSWERS} answers",
        statistics.median(megabytes),
        "MB",
        150,
        ROUNDS,
        explains={"rounds_mb": [round(value, 1) for value in megabytes], **explains},
    )


def one_start(settings: Settings, number: int) -> tuple[float, float, float]:
    """Start a process with an empty state folder.

    Returns:
        Seconds to its first answer, seconds of processor until then, and memory in MB (10^6 bytes) after `ANSWERS` answers.
    """
    serving = ServingProcess(replace(settings, state_dir=settings.state_dir / f"serving-{number}"))
    try:
        began = time.perf_counter()
        serving.start(ready=False)
        serving.wait_until(lambda: _answers(serving.client), LIMIT_S)
        first_s = time.perf_counter() - began
        assert serving.process is not None
        process = psutil.Process(serving.process.pid)
        used = process.cpu_times()
        for answer in range(ANSWERS):
            serving.predict(f"{TEXT} in {answer}")
        memory_mb = process.memory_info().rss / 1e6
        serving.terminate()
        return first_s, used.user + used.system, memory_mb
    finally:
        serving.stop()


def _answers(client: httpx.Client) -> bool:
    try:
        return client.post("/predict", json={"text": TEXT}).status_code == 200
    except httpx.TransportError:
        return False


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
