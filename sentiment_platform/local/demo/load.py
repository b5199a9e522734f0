"""A light, bounded, closed-loop load on serving's unified route; counts every answer, so that a swap can be shown to fail none.

Its requests say that they are a load test: they count in no drift and no live accuracy.
"""

import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Self

import httpx


@dataclass
class LoadReport:
    """Requests by outcome; `versions` counts the model versions that answered, `failures` what was not a 200."""

    requests: int = 0
    versions: Counter[str] = field(default_factory=Counter[str])
    failures: Counter[str] = field(default_factory=Counter[str])
    latencies_ms: list[float] = field(default_factory=list[float])


class LightLoad:
    """Asks `texts` in turn at `rate` requests a second from one thread, at most `limit` of them, until the block ends."""

    def __init__(self, url: str, texts: Sequence[str], *, rate: float = 15.0, limit: int = 20_000) -> None:
        self.report = LoadReport()
        self._url = url
        self._texts = texts
        self._pause_s = 1.0 / rate
        self._limit = limit
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="light-load", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)

    def _run(self) -> None:
        with httpx.Client(timeout=5.0, trust_env=False) as client:
            for number, text in zip(range(self._limit), cycle(self._texts), strict=False):
                if self._stop.is_set():
                    return
                started = time.perf_counter()
                try:
                    # A number makes the texts differ, so that the model answers and not the cache.
                    answer = client.post(f"{self._url}/predict", json={"text": f"{text} ({number})", "traffic": "load_test"})
                except httpx.HTTPError as error:
                    self.report.failures[type(error).__name__] += 1
                else:
                    if answer.status_code == 200:
                        self.report.versions[answer.json()["performance"]["model_version"]] += 1
                    else:
                        self.report.failures[f"HTTP {answer.status_code}"] += 1
                self.report.requests += 1
                self.report.latencies_ms.append((time.perf_counter() - started) * 1000)
                self._stop.wait(max(0.0, self._pause_s - (time.perf_counter() - started)))
