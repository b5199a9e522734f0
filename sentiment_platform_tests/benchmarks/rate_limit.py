"""Limits under load: what four processes are let in by Redis, against GCRA by its definition."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sentiment_platform.local.parts.redis import LocalRedis
from sentiment_platform_tests.benchmarks.rows import TABLE, Figure
from sentiment_platform_tests.serving.edge.gcra_model import ask_from_processes, too_many_let_in

PROCESSES, EVENTS = 4, 25_000


@TABLE.row("R.15", "Limits in Redis: four processes, 100,000 requests, against a plain model")
def admitted_as_the_model_says() -> Iterator[Figure]:
    """Verdicts that differ from the model's; each request is charged to two buckets."""
    with tempfile.TemporaryDirectory() as folder:
        # The server runs as another user where this one is root.
        Path(folder).chmod(0o711)
        server = LocalRedis(Path(folder))
        server.start()
        try:
            started = time.perf_counter()
            told = ask_from_processes(server.url, PROCESSES, EVENTS)
            took_s = time.perf_counter() - started
        finally:
            server.stop()
    explains = {"let_in": sum(event[4] == 0 for event in told), "requests_per_s_with_start": round(len(told) / took_s)}
    yield Figure("verdicts that differ from the model's", too_many_let_in(told), "requests", 0, len(told), explains=explains)
