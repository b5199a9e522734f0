"""The platform's own processes beside the stack: serving, Dagster's web server and daemon. Started together, watched, stopped together."""

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

import httpx

from sentiment_platform.local.processes.keeping import LOOK_EVERY_S, Keeper
from sentiment_platform.local.processes.process import ProcessOrder, SupervisedProcess

STOP_TIMEOUT_S = 20.0
DAGSTER_STOP_TIMEOUT_S = 3.0
"""Dagster's processes hear no signal while they load the graph, at their start and once a minute. Nothing is lost with one that is killed:
its state is in the database, and a run that was under way is ended by the next command."""


class Children:
    """A context manager over the processes; output goes to one log file each.

    Args:
        state_dir: folder for logs and pid files.
        log: gets a line for each process that `watch` starts again.
    """

    def __init__(self, state_dir: Path, log: Callable[[str], None] = lambda _: None) -> None:
        self._state_dir = state_dir.resolve()
        self._processes: list[SupervisedProcess] = []
        self._keeper = Keeper(log)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # All at once: none of them needs another to end.
        for process in self._processes:
            process.begin_to_stop()
        while self._processes:
            self._processes.pop().stop()

    def start(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        *,
        before_restart: Callable[[], object] = lambda: None,
        stop_timeout_s: float = STOP_TIMEOUT_S,
    ) -> SupervisedProcess:
        """Start `command` (a console script, or a program by path) with this process's environment and `environment` over it.

        `before_restart` tidies up what an ended process has left, before `watch` starts it again. What has not ended
        `stop_timeout_s` after it was asked to is killed, with all that it started.
        """
        program = Path(sys.executable).with_name(command[0])
        process = SupervisedProcess(
            ProcessOrder(
                name=name,
                argv=[str(program) if program.exists() else command[0], *command[1:]],
                log_path=self._state_dir / "logs" / f"{name}.log",
                pid_path=pid_path(self._state_dir, name),
                environment={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
                cwd=Path.cwd(),
                stop_timeout_s=stop_timeout_s,
            )
        )
        process.start()
        self._processes.append(process)
        self._keeper.keep(process, before_restart=before_restart)
        return process

    def watch(self) -> None:
        """Return at Ctrl-C; until then whatever ends is started again.

        Raises:
            LocalStackError: a process ended soon after its first start; the message quotes its log.
        """
        try:
            while True:
                self._keeper.look()
                time.sleep(LOOK_EVERY_S)
        except KeyboardInterrupt:
            return


def pid_path(state_dir: Path, name: str) -> Path:
    """Where the process `name` of a state folder leaves its number."""
    return state_dir / "run" / f"{name}.pid"


def wait_for(url: str, process: SupervisedProcess, timeout_s: float, *, status: int = 200) -> None:
    """Wait until `url` answers with `status`.

    Raises:
        LocalStackError: the process ended, or the time is over.
    """

    def probe() -> str | None:
        try:
            answer = httpx.get(url, timeout=2.0, trust_env=False)
        except httpx.HTTPError as error:
            return f"{url}: {error}"
        return None if answer.status_code == status else f"{url} answers {answer.status_code}"

    process.wait_until_ready(probe, timeout_s)
