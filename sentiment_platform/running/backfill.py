"""A range of days as a sequence of runs: what `run JOB --from DAY --to DAY` does, and how it goes on after an interruption.

How many days one run takes is the job's own word (`days_per_run` in its metadata; without it all of them). Which runs of the range
have succeeded is read from Dagster's storage, so a range that was killed goes on with the first piece that is missing.
"""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sentiment_platform.errors import PermanentError, TransientError
from sentiment_platform.queues.work_queues import queue_of
from sentiment_platform.run_tags import RANGE, RANGE_END, RANGE_START, UNFINISHED, WAITING
from sentiment_platform.running.coordinator import run_side_by_side
from sentiment_platform.running.headless import RunOutcome, days_of, job_named, run_job
from sentiment_platform.settings import Settings

if TYPE_CHECKING:
    from dagster import DagsterInstance, JobDefinition

Piece = tuple[str, str]
"""First and last partition of one run."""


class MoreToComeError(TransientError):
    """A source has more to give, but not now."""


@dataclass(frozen=True, kw_only=True)
class RangeProgress:
    """After a piece: its outcome, days done of all, days a second in this call, and seconds left at this pace."""

    piece: Piece
    outcome: RunOutcome
    days_done: int
    days: int
    days_per_s: float
    remaining_s: float

    @property
    def line(self) -> str:
        """One line for a console."""
        left = f", {self.remaining_s:,.0f} s left" if self.days_done < self.days else ""
        share = f"{self.days_done:,} of {self.days:,} days, {self.days_per_s:,.1f} days/s{left}"
        return f"{self.piece[0]} to {self.piece[1]} {'done' if self.outcome.success else 'failed'}: {share}"


def run_range(
    instance: "DagsterInstance",
    name: str,
    first: str,
    last: str,
    *,
    tags: Mapping[str, str] | None = None,
    run_config: Mapping[str, Any] | None = None,
    again: bool = False,
    at_once: int = 1,
    goes_on: Callable[[int, int], object] = lambda *_: None,
    progress: Callable[[RangeProgress], object] = lambda _: None,
) -> dict[Piece, RunOutcome]:
    """Execute a job for all days from `first` to `last`, both included, one run after the other in the order of time.

    Where workers do its steps, each run has fewer days, and `at_once` runs stand side by side.

    A range that was complete is made anew. One that was interrupted, of which a run failed, or of which a source failed or had more
    to give, goes on with the pieces that are missing. `again` makes all of them anew in any case. A piece that fails does not keep
    the others from being made.

    Args:
        run_config: of every run; the same days with another configuration are another range.
        goes_on: told the days that are left out because they are done, and all days, before the first run of a range that goes on.
        progress: told after every run.

    Returns:
        The outcomes of the pieces that were run.

    Raises:
        PermanentError: no such job, it has no days, or the range is none of its.
        MoreToComeError: a quota or a bound ended a source's part; the same call goes on there.
    """
    size = "days_per_run_on_workers" if queue_of(name, Settings.from_environment()) else "days_per_run"
    pieces = pieces_of(job_named(name), first, last, size)
    label = f"{first}...{last}" + (f" {json.dumps(run_config, sort_keys=True)}" if run_config else "")
    done = set[Piece]() if again else finished_pieces(instance, name, label, pieces)
    days, left_out = sum(pieces.values()), sum(pieces[piece] for piece in done)
    if done:
        goes_on(left_out, days)
    started, days_done = time.monotonic(), left_out
    outcomes: dict[Piece, RunOutcome] = {}

    def ended(piece: Piece, outcome: RunOutcome) -> None:
        nonlocal days_done
        outcomes[piece] = outcome
        days_done += pieces[piece]
        rate = (days_done - left_out) / max(1e-6, time.monotonic() - started)
        progress(
            RangeProgress(
                piece=piece,
                outcome=outcome,
                days_done=days_done,
                days=days,
                days_per_s=rate,
                remaining_s=(days - days_done) / rate,
            )
        )
        if waiting := outcome.tags.get(WAITING):
            raise MoreToComeError(
                f"Not all of {piece[0]} to {piece[1]} is there, and {waiting} has more to give: {outcome.tags[UNFINISHED]}.",
                remedy="Run the same command again, tomorrow if a quota is used up: it goes on where it stopped.",
            )

    left = [piece for piece in pieces if piece not in done]
    given: dict[str, Any] = {"tags": {**(tags or {}), RANGE: label}, "run_config": run_config, "log_level": "WARNING"}
    if at_once > 1:
        run_side_by_side(name, left, at_once, ended, **given)
    else:
        for piece in left:
            ended(piece, run_job(instance, name, partition_range=piece, **given))
    return outcomes


def pieces_of(job: "JobDefinition", first: str, last: str, days_per_run: str = "days_per_run") -> dict[Piece, int]:
    """The runs of a range in the order of time, with the number of days of each; `days_per_run` names the job's word for it.

    Raises:
        PermanentError: the job has no partitions, or the range is not one of them.
    """
    if job.partitions_def is None:
        raise PermanentError(f"{job.name} has no days.", remedy="Run it without --from and --to.")
    known = job.partitions_def.get_partition_keys()
    keys = [key for key in known if first <= key <= last]
    if not {first, last} <= {*keys} or not keys:
        raise PermanentError(
            f"{first} to {last} is no range of {job.name}.",
            remedy=days_of(known, first) + (" Name the earlier one first." if first > last else ""),
        )
    kept = job.metadata.get(days_per_run)
    size = int(str(kept.value)) if kept else len(keys)
    parts = [keys[start : start + size] for start in range(0, len(keys), size)]
    return {(part[0], part[-1]): len(part) for part in parts}


def finished_pieces(instance: "DagsterInstance", name: str, label: str, pieces: Iterable[Piece]) -> set[Piece]:
    """The pieces that succeeded since the range was complete for the last time."""
    import dagster as dg

    wanted = set(pieces)
    filters = dg.RunsFilter(job_name=name, tags={RANGE: label}, statuses=[dg.DagsterRunStatus.SUCCESS])
    done: set[Piece] = set()
    for run in reversed(instance.get_runs(filters)):
        if UNFINISHED not in run.tags:
            done.add((run.tags.get(RANGE_START, ""), run.tags.get(RANGE_END, "")))
        if wanted <= done:
            done = set()
    return done & wanted
