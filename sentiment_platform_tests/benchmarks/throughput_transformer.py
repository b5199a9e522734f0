"""Answers a second of a transformer of FinBERT's size through the serving process, beside FastAPI over the same file and the bare model.

SENTIMENT_BENCH_MODEL names the directory of an exported version to measure; without it one of RoBERTa-base's shape is written, with
random weights. The deadline is set so long that ours answers everything, as the peer does.
"""

import importlib.util
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.transformer.runtime import FILES, load_transformer
from sentiment_platform_tests.benchmarks.distil_roberta import BASE_LAYERS, write_distil_roberta
from sentiment_platform_tests.benchmarks.features import headline
from sentiment_platform_tests.benchmarks.rows import MODEL_VARIABLE, TABLE, Figure
from sentiment_platform_tests.benchmarks.serving_start import local_settings, publisher
from sentiment_platform_tests.benchmarks.throughput import CONNECTIONS, Load, loader, peer, running

ROUNDS = 3
ROUND_S = 10
TEXTS = 50_000
DEADLINE_MS = 20_000
OF_PEER = 1.15
OF_MODEL = 0.9


@TABLE.row(
    "F.3", "POST /predict/finbert, unique texts, int8: answers a second beside FastAPI over the same file, and of the bare model"
)
def transformer_throughput() -> Iterator[Figure]:
    if importlib.util.find_spec("fastapi") is None:
        raise PermanentError("This row needs FastAPI to compare with.", remedy="pip install fastapi.")
    texts = [headline(number) for number in range(TEXTS)]
    with _version() as folder, local_settings() as settings, publisher(settings) as publish:
        model = load_transformer(folder)
        publish.deploy(publish.publish(folder, "v1.0.0-finbert", model), publish.model())
        with (
            running(replace(settings, deadline_ms=DEADLINE_MS)) as serving,
            peer("transformer", {MODEL_VARIABLE: str(folder)}, "/predict/finbert") as beside,
            loader(texts) as wrk,
        ):
            for connections in CONNECTIONS:
                ours, theirs, bare = list[Load](), list[Load](), list[float]()
                for number in range(ROUNDS + 1):
                    loads = [wrk.round(f"{url}/predict/finbert", connections, ROUND_S) for url in (serving.url, beside)]
                    limit = texts_a_second(folder, texts[number * 400 : (number + 1) * 400])
                    if number:
                        ours, theirs, bare = [*ours, loads[0]], [*theirs, loads[1]], [*bare, limit]
                explains = {
                    "base": model.config.base_model,
                    "ours_a_second": [round(load.answers_s, 1) for load in ours],
                    "theirs_a_second": [round(load.answers_s, 1) for load in theirs],
                    "model_a_second": [round(limit, 1) for limit in bare],
                    "ours_p99_ms": [load.p99_ms for load in ours],
                    "theirs_p99_ms": [load.p99_ms for load in theirs],
                    "errors": sum(load.errors for load in ours),
                }
                at = f"answers a second at {connections} connections, times that of"
                of_peer = statistics.median(a.answers_s / b.answers_s for a, b in zip(ours, theirs, strict=True))
                yield Figure(f"{at} FastAPI", of_peer, "times", OF_PEER, ROUNDS, at_least=True, explains=explains)
                if connections > 1:
                    of_model = statistics.median(a.answers_s / b for a, b in zip(ours, bare, strict=True))
                    yield Figure(f"{at} the bare model", of_model, "times", OF_MODEL, ROUNDS, at_least=True)


def texts_a_second(folder: Path, texts: list[str]) -> float:
    """The raw limit: sessions of one thread side by side, one a core, over texts sorted by length; no HTTP."""
    scorer = load_transformer(folder).scorer
    cores = len(os.sched_getaffinity(0))
    ordered = sorted(texts, key=len)
    batches = [ordered[start : start + 4] for start in range(0, len(ordered), 4)]
    with ThreadPoolExecutor(cores) as pool:
        list(pool.map(scorer.logits, batches[:cores]))
        began = time.perf_counter()
        list(pool.map(scorer.logits, batches))
        return len(texts) / (time.perf_counter() - began)


@contextmanager
def _version() -> Generator[Path]:
    with tempfile.TemporaryDirectory() as checkpoint, tempfile.TemporaryDirectory() as folder:
        if named := os.environ.get(MODEL_VARIABLE):
            for name in FILES:
                shutil.copyfile(Path(named) / name, Path(folder) / name)
        else:
            write_distil_roberta(Path(folder), Path(checkpoint), BASE_LAYERS)
        yield Path(folder)
