"""Runs side by side over workers. Each run needs a process that hands its step out and waits: a few of them share the runs of a range.

A coordinator is `python -m` this module. It is told a run a line on standard input, and says a line on standard output when that ended.
"""

import json
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from queue import SimpleQueue
from typing import IO, Any

from sentiment_platform.errors import TransientError
from sentiment_platform.running.headless import RunOutcome, dagster_instance, run_job
from sentiment_platform.running.run_signals import interruptible

END_S = 15.0
"""How long a coordinator may take to record that its run was cancelled."""
MOST = 16
"""Coordinators at once: each is a process with Dagster in it."""
Piece = tuple[str, str]


def run_side_by_side(
    name: str, pieces: Sequence[Piece], at_once: int, ended: Callable[[Piece, RunOutcome], object], **given: Any
) -> None:
    """Run a job for every piece, `at_once` of them side by side.

    Args:
        ended: told each piece with its outcome, in the order in which they end.
        given: what else `run_job` takes, as JSON has it.

    Raises:
        TransientError: a coordinator died; what it ran is not done.
        RunInterrupted: a signal ended the runs, which are recorded as cancelled.
    """
    with interruptible(lambda: None), closing(_Team(name, pieces, min(at_once, MOST, len(pieces)), given)) as team:
        for piece, outcome in team.outcomes():
            ended(piece, outcome)


class _Team:
    def __init__(self, name: str, pieces: Sequence[Piece], at_once: int, given: Mapping[str, Any]) -> None:
        self._order = {"name": name, **given}
        self._expected = len(pieces)
        self._left = deque(pieces)
        self._told: SimpleQueue[tuple[Piece, RunOutcome] | TransientError] = SimpleQueue()
        self._processes = [_start() for _ in range(at_once)]
        self._threads = [threading.Thread(target=self._lead, args=(process,), daemon=True) for process in self._processes]
        for thread in self._threads:
            thread.start()

    def outcomes(self) -> Iterator[tuple[Piece, RunOutcome]]:
        for _ in range(self._expected):
            told = self._told.get()
            if isinstance(told, TransientError):
                raise told
            yield told

    def close(self) -> None:
        self._left.clear()
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for thread, process in zip(self._threads, self._processes, strict=True):
            thread.join()
            for pipe in (process.stdin, process.stdout):
                assert pipe is not None  # noqa: S101
                pipe.close()

    def _lead(self, process: "subprocess.Popen[str]") -> None:
        while self._left:
            try:
                piece = self._left.popleft()
            except IndexError:
                return
            line = _ask(process, {**self._order, "partition_range": piece})
            if not line:
                remedy = "Run the same command again: it goes on with what is missing."
                self._told.put(TransientError(f"The process of the run of {piece[0]} to {piece[1]} ended.", remedy=remedy))
                return
            self._told.put((piece, RunOutcome(**json.loads(line))))


def _ask(process: "subprocess.Popen[str]", order: Mapping[str, Any]) -> str:
    """The line that answers, "" where the process is gone."""
    assert process.stdin is not None  # noqa: S101
    assert process.stdout is not None  # noqa: S101
    try:
        process.stdin.write(json.dumps(order) + "\n")
        process.stdin.flush()
    except BrokenPipeError:
        return ""
    return process.stdout.readline()


def _start() -> "subprocess.Popen[str]":
    # A session of its own: Ctrl-C of the terminal reaches the command, which ends its coordinators in order.
    command = [sys.executable, "-m", "sentiment_platform.running.coordinator"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)


def coordinate(orders: IO[str], answers: IO[str]) -> None:
    """Run what each line asks for, until there are no more."""
    with dagster_instance() as instance:
        for line in orders:
            order = json.loads(line)
            order["partition_range"] = tuple(order["partition_range"])
            outcome = run_job(instance, order.pop("name"), **order)
            answers.write(json.dumps(asdict(outcome), default=str) + "\n")
            answers.flush()


if __name__ == "__main__":
    import os
    import warnings

    warnings.filterwarnings("ignore", message=".*is currently in beta")
    # Whatever Dagster prints goes to the terminal; answers have a pipe of their own.
    answers_pipe = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    try:
        coordinate(sys.stdin, answers_pipe)
    except KeyboardInterrupt:
        sys.exit(143)
