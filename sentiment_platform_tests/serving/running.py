"""A really started serving process on a loopback port, and what a test asks of it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import fields
from typing import Any, Self

import httpx

from sentiment_platform.local.processes.ports import free_port
from sentiment_platform.settings import Settings
from sentiment_platform.text.example import EXAMPLE_TEXT

START_LIMIT_S = 30.0


def environment_of(settings: Settings) -> dict[str, str]:
    """The settings as environment variables, and nothing of the caller's beyond what starts Python."""
    own = {item.metadata["variable"]: str(getattr(settings, item.name)) for item in fields(Settings)}
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, **own}


class ServingProcess:
    """`python -m serving` (or `program`) with these settings on a free port; its log is in the state folder."""

    def __init__(self, settings: Settings, *, program: str | None = None, **changed: str) -> None:
        self._command = [sys.executable, *(["-c", program] if program else ["-m", "serving"])]
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.settings = settings
        self.environment = {**environment_of(settings), "PORT": str(self.port), "SENTIMENT_POLL_S": "0.2", **changed}
        self.log = settings.state_dir / f"serving-{self.port}.log"
        self.client = httpx.Client(base_url=self.url, timeout=10)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, ready: bool = True) -> Self:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self._command, env=self.environment, stdout=log, stderr=log)
        self.wait_until(lambda: self.answers("/health/live"), START_LIMIT_S)
        if ready:
            self.wait_until(lambda: self.answers("/health"), START_LIMIT_S)
        return self

    def answers(self, path: str) -> bool:
        """Whether GET `path` is 200."""
        try:
            return self.client.get(path).status_code == 200
        except httpx.TransportError:
            return False

    def predict(self, text: str = EXAMPLE_TEXT, path: str = "/predict", **fields: Any) -> dict[str, Any]:
        reply = self.client.post(path, json={"text": text, **fields})
        assert reply.status_code == 200, reply.text
        return reply.json()

    def status(self) -> dict[str, Any]:
        return self.client.get("/models/status").json()

    def health(self) -> dict[str, Any]:
        return self.client.get("/health").json()

    def wait_until(self, holds: Callable[[], Any], limit_s: float = 15.0) -> Any:
        """What `holds` returns once it is true; fails with the process's log."""
        ends = time.monotonic() + limit_s
        while not (value := holds()):
            if self.process is not None and self.process.poll() is not None:
                raise AssertionError(f"the process ended with {self.process.returncode}:\n{self.log_text()}")
            assert time.monotonic() < ends, f"not within {limit_s} s:\n{self.log_text()}"
            time.sleep(0.03)
        return value

    def log_text(self) -> str:
        return self.log.read_text()[-4000:] if self.log.exists() else ""

    def terminate(self) -> int:
        """SIGTERM; the exit status."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(20)

    def stop(self) -> None:
        self.client.close()
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)


def metric(text: str, name: str, **labels: str) -> float:
    """The value of one sample in Prometheus' text format; 0 where it is absent."""
    from prometheus_client.parser import text_string_to_metric_families

    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                return sample.value
    return 0.0
