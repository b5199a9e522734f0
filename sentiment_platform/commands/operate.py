"""Run things: serving alone, and one job."""

import os
from datetime import date
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from sentiment_platform.clock import utc_now
from sentiment_platform.commands.console import note, out, say, styled
from sentiment_platform.commands.parameters import DAY, TAG, VERSION, require_order, usage_of
from sentiment_platform.commands.work import ready_workers
from sentiment_platform.errors import PermanentError

if TYPE_CHECKING:
    from dagster import DagsterInstance

    from sentiment_platform.running.headless import RunOutcome
    from sentiment_platform.settings import Settings


@click.command()
def serve() -> None:
    """The serving process alone: answers with the deployed version, and with nothing else.

    It listens on PORT (8000 where that is not set). It starts no local stack and joins none: beside one that runs, source the file `env`
    of its state folder first.

    \b
    Examples:
      sentiment-platform serve
      set -a; . .sentiment/env; set +a; PORT=8001 sentiment-platform serve
    """
    import_module("serving").run()


@click.command("run")
@click.argument("job")
@click.option("--partition", type=DAY, metavar="DAY", help="One day, such as 2026-11-23.")
@click.option("--from", "first", type=DAY, metavar="DAY", help="First day of a range: a backfill, a month a run.")
@click.option("--to", "last", type=DAY, metavar="DAY", help="Last day of the range, included.")
@click.option("--again", is_flag=True, help="Make every day of the range anew, although an interrupted one could go on.")
@click.option("--tag", "tags", type=TAG, multiple=True, help="Tag of the run; may be repeated.")
@click.option(
    "--waiting", is_flag=True, help="Only if runs of the job wait in the queue: one run in their place, with their tags."
)
@click.option("--version", type=VERSION, help="With score_job: the version that scores, instead of the deployed ones.")
def run_job_command(
    job: str,
    partition: date | None,
    first: date | None,
    last: date | None,
    again: bool,
    tags: tuple[tuple[str, str], ...],
    waiting: bool,
    version: str | None,
) -> None:
    """Execute JOB here, without a daemon: collect_job, market_job, feature_store_job, score_job, train_job, baseline_job, deploy_job,
    bootstrap_job, monitor_job, watch_job, alert_job.

    A range that was interrupted, by whatever, goes on when the same command is run again. Without days, market_job makes the last two
    weeks and collect_job today's news, with the earlier days that its articles are of.

    Exits with 1 when a step failed or a check of severity ERROR failed, with 130 or 143 when SIGINT or SIGTERM ended the run.

    \b
    Examples:
      sentiment-platform run collect_job
      sentiment-platform run collect_job --from 2026-01-01 --to 2026-03-31
      sentiment-platform run score_job --from 2026-01-01 --to 2026-03-31
      sentiment-platform run train_job --tag why=nightly
      sentiment-platform run train_job --waiting
    """
    from sentiment_platform.local.session import session
    from sentiment_platform.running.headless import dagster_instance
    from sentiment_platform.running.waiting import take_over, waiting_runs

    if job == "collect_job" and not partition and not first:
        partition = utc_now().date()
    if job == "market_job" and not partition and not first:
        from sentiment_platform.market.schedules import LOOK_BACK
        from sentiment_platform.setting_values.first_day import first_day

        today = utc_now().date()
        first, last, again = max(today - LOOK_BACK, first_day()), today, True
    _require_days(job, partition, first, last, again=again)
    if waiting and (partition or first):
        raise click.UsageError("--waiting takes no days, nor a job that has some.", ctx=click.get_current_context())
    config = _score_by(job, version) if version else None
    with session(log=note) as settings, dagster_instance() as instance:
        at_once = ready_workers(settings, instance, job)
        given = dict(tags)
        if waiting:
            runs = waiting_runs(instance, job)
            if not runs:
                say(f"No run of {job} waits.")
                return
            given = take_over(instance, runs) | given
        if first and last:
            days = (first.isoformat(), last.isoformat())
            which, failed = " to ".join(days), _run_range(instance, job, days, given, config, again=again, at_once=at_once)
        else:
            outcome = _run(instance, job, given, config, partition=partition.isoformat() if partition else None)
            _show(outcome)
            which, failed = f"run {outcome.run_id}", [] if outcome.success else [_failure(outcome)]
            if job == "collect_job" and partition == utc_now().date():
                failed += _run_late_days(instance, settings, given)
    if failed:
        raise PermanentError(
            f"{job} failed: {'; '.join(failed)}.",
            remedy="Its log above says why; so does the Dagster UI, under the id of the run.",
        )
    say(styled(f"{job} succeeded", "green"), f" ({which})")


def _require_days(job: str, partition: date | None, first: date | None, last: date | None, *, again: bool) -> None:
    """Say before servers are started for nothing that the job, or its days, cannot be."""
    from sentiment_platform.news.sources.configured import configured_sources
    from sentiment_platform.running.backfill import pieces_of
    from sentiment_platform.running.headless import job_named, require_partition
    from sentiment_platform.settings import Settings

    context = click.get_current_context()
    if (first is None) != (last is None) or (partition and first) or (again and not first):
        raise click.UsageError("A range needs --from and --to, and no --partition.", ctx=context)
    require_order(first, last)
    with usage_of("JOB"):
        definition = job_named(job)
    if job == "collect_job":
        configured_sources(Settings.from_environment(), os.environ)
    if not first:
        with usage_of("--partition"):
            require_partition(definition, partition.isoformat() if partition else None)
    elif definition.partitions_def is None:
        raise click.UsageError(f"{job} has no days; run it without --from and --to.", ctx=context)
    elif last:
        with usage_of("--from"):
            pieces_of(definition, first.isoformat(), last.isoformat())


def _score_by(job: str, version: str) -> dict[str, Any]:
    """The configuration of a run that scores by a version."""
    from sentiment_platform.sentiment.jobs import by_version

    if job != "score_job":
        raise click.UsageError(f"{job} takes no --version; only score_job does.", ctx=click.get_current_context())
    return by_version(version)


def _run(instance: "DagsterInstance", job: str, tags: dict[str, str], config: Any, **days: Any) -> "RunOutcome":
    """One run: in a terminal with a moving line, elsewhere with the run's log."""
    from sentiment_platform.models.pages.reporting import listener
    from sentiment_platform.running.headless import run_job

    if out.whole_lines:
        return run_job(instance, job, tags=tags, run_config=config, **days)
    from sentiment_platform.commands.live_progress import LiveProgress

    with LiveProgress() as live:
        listener.set(live)
        live.step(job)

        def show(step: str) -> None:
            live.step(f"{job}: {step}")

        return run_job(instance, job, tags=tags, run_config=config, log_level="WARNING", on_step=show, **days)


def _run_late_days(instance: "DagsterInstance", settings: "Settings", tags: dict[str, str]) -> list[str]:
    """Earlier days that articles came in for; what failed, in words."""
    from sentiment_platform.news.jobs import WITHOUT_ASKING
    from sentiment_platform.running.late_days import LATE_NEWS, late_ranges

    failed: list[str] = []
    for first, last in late_ranges(settings, utc_now()):
        outcome = _run(instance, "collect_job", tags | LATE_NEWS, WITHOUT_ASKING, partition_range=(first, last))
        say(f"Articles of earlier days came in: {first} to {last}")
        for asset in ("articles", "article_sentiment"):
            say(f"    {outcome.metadata.get(asset, {}).get('summary', '')}")
        failed += [] if outcome.success else [f"{first} to {last}: {_failure(outcome)}"]
    return failed


def _run_range(
    instance: "DagsterInstance",
    job: str,
    days: tuple[str, str],
    tags: dict[str, str],
    config: Any,
    *,
    again: bool,
    at_once: int,
) -> list[str]:
    """What failed, in words."""
    from sentiment_platform.running.backfill import RangeProgress, run_range

    def show(progress: RangeProgress) -> None:
        say(progress.line)
        _show(progress.outcome)

    def goes_on(done: int, of: int) -> None:
        say(f"Going on where {' to '.join(days)} was interrupted: {done:,} of {of:,} days are done (--again makes them anew).")

    outcomes = run_range(
        instance, job, *days, tags=tags, run_config=config, again=again, at_once=at_once, goes_on=goes_on, progress=show
    )
    return [f"{start} to {end}: {_failure(one)}" for (start, end), one in outcomes.items() if not one.success]


def _failure(outcome: "RunOutcome") -> str:
    return f"{', '.join(outcome.failures)} (run {outcome.run_id})"


def _show(outcome: "RunOutcome") -> None:
    for asset, metadata in outcome.metadata.items():
        shown = (
            f"{key.removeprefix('dagster/')} {value}"
            for key, value in metadata.items()
            if key != "summary" and isinstance(value, str | int | float) and len(str(value)) < 60 and "\n" not in str(value)
        )
        say(f"  {asset}: {', '.join(shown)}")
        for line in str(metadata.get("summary", "")).splitlines():
            say(f"    {line}")
    for warning in outcome.warnings:
        say(f"warning: {warning}", style="yellow")
