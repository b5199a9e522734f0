"""Run things: serving alone, one job, one pass of the daemon, the database's migrations."""

import sys
from importlib import import_module
from typing import TYPE_CHECKING

import click
from rich.markup import escape

from sentiment_platform.clock import utc_now
from sentiment_platform.commands.console import console, shows_errors
from sentiment_platform.commands.progress import TrainingBar
from sentiment_platform.errors import PermanentError
from sentiment_platform.local.session import session

if TYPE_CHECKING:
    from dagster import DagsterInstance

    from sentiment_platform.running.headless import RunOutcome


@click.command()
@shows_errors
def serve() -> None:
    """The serving process alone: answers with the deployed version, and with nothing else."""
    import_module("serving").run()


@click.command("run")
@click.argument("job")
@click.option("--partition", help="One day, such as 2026-11-23.")
@click.option("--from", "first", help="First day of a range: a backfill, a month a run.")
@click.option("--to", "last", help="Last day of the range, included.")
@click.option("--again", is_flag=True, help="Make every day of the range anew, although an interrupted one could go on.")
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="Tag of the run; may be repeated.")
@shows_errors
def run_job_command(
    job: str, partition: str | None, first: str | None, last: str | None, again: bool, tags: tuple[str, ...]
) -> None:
    """Execute JOB here, without a daemon: collect_job, market_job, feature_store_job, train_job, baseline_job, deploy_job, monitor_job,
    alert_job.

    A range that was interrupted, by whatever, goes on when the same command is run again.

    Exits with 1 when a step failed or a check of severity ERROR failed, with 130 or 143 when SIGINT or SIGTERM ended the run.
    """
    from sentiment_platform.models.pages.reporting import listener
    from sentiment_platform.running.headless import dagster_instance, job_named, require_partition, run_job

    if (first is None) != (last is None) or (partition and first) or (again and not first):
        raise PermanentError("A range needs --from and --to, and no --partition.", remedy="Give both days, or one partition.")
    if job == "collect_job" and not partition and not first:
        partition = utc_now().date().isoformat()
    if wrong := [tag for tag in tags if "=" not in tag]:
        raise PermanentError(f"{wrong[0]!r} is no tag.", remedy="Write it as KEY=VALUE.")
    pairs = dict(tag.split("=", 1) for tag in tags)
    if not first:
        # Said before servers are started for nothing.
        require_partition(job_named(job), partition)
    with session(log=console.print), dagster_instance() as instance:
        if first and last:
            which, failed = f"{first} to {last}", _run_range(instance, job, first, last, pairs, again=again)
        else:
            with TrainingBar() as bar:
                listener.set(bar if console.is_terminal else None)
                outcome = run_job(instance, job, partition=partition, tags=pairs)
            _show(outcome)
            which, failed = f"run {outcome.run_id}", [] if outcome.success else [_failure(outcome)]
    if failed:
        console.print(f"[bold red]{job} failed: " + "\n  ".join(failed))
        sys.exit(1)
    console.print(f"[green]{job} succeeded[/] ({which})")


def _run_range(instance: "DagsterInstance", job: str, first: str, last: str, tags: dict[str, str], *, again: bool) -> list[str]:
    """What failed, in words."""
    from sentiment_platform.running.backfill import RangeProgress, run_range

    def show(progress: RangeProgress) -> None:
        console.print(progress.line)
        _show(progress.outcome)

    def goes_on(done: int, days: int) -> None:
        console.print(
            f"Going on where {first} to {last} was interrupted: {done:,} of {days:,} days are done (--again makes them anew)."
        )

    outcomes = run_range(instance, job, first, last, tags=tags, again=again, goes_on=goes_on, progress=show)
    return [f"{start} to {end}: {_failure(one)}" for (start, end), one in outcomes.items() if not one.success]


def _failure(outcome: "RunOutcome") -> str:
    return f"{', '.join(outcome.failures)}[/] (run {outcome.run_id})"


def _show(outcome: "RunOutcome") -> None:
    for asset, metadata in outcome.metadata.items():
        shown = (
            f"{key} {value}"
            for key, value in metadata.items()
            if key != "summary" and isinstance(value, str | int | float) and len(str(value)) < 60
        )
        console.print(escape(f"  {asset}: {', '.join(shown)}"))
        for line in str(metadata.get("summary", "")).splitlines():
            console.print(escape(f"    {line}"))
    for warning in outcome.warnings:
        console.print(f"[yellow]warning: {escape(warning)}[/]")


@click.command()
@click.option("--timeout", "timeout_s", default=300, show_default=True, help="Seconds until a hanging daemon is stopped.")
@shows_errors
def tick(timeout_s: int) -> None:
    """One pass of the real Dagster daemon: schedules, sensors and queued runs, then stop.

    That takes between half a minute and one and a half, and as long as the runs take. Exits with 1 when a run or a tick failed.
    """
    from sentiment_platform.local.ticking import tick_once

    with session(log=console.print):
        report = tick_once(timeout_s)
    for sensor, outcome in report.sensors.items():
        console.print(f"  {sensor}: {outcome.lower()}")
    console.print(
        f"Daemons that made a pass: {', '.join(report.daemons)}. Runs: {report.finished} finished, {report.failed} failed."
    )
    if report.failed_ticks:
        console.print(f"[bold red]Failed ticks: {', '.join(report.failed_ticks)}[/]")
    if report.failed or report.failed_ticks:
        sys.exit(1)


@click.group()
def db() -> None:
    """Migrations of the platform's tables."""


@db.command("upgrade")
@shows_errors
def db_upgrade() -> None:
    """Bring the database to the newest revision."""
    with session(log=console.print):
        console.print("[green]The database is at the newest revision.[/]")


@db.command("check")
@shows_errors
def db_check() -> None:
    """Compare the database with the typed models; exits with 1 when they differ."""
    from sentiment_platform.store.migrate import differences

    with session(log=console.print) as settings:
        drifted = differences(settings.direct_database_url())
    for difference in drifted:
        console.print(f"[red]{difference}[/]")
    if drifted:
        sys.exit(1)
    console.print("[green]Database and models agree.[/]")
