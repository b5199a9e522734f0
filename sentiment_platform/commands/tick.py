"""`tick`: one pass of the daemon, for machines where nothing runs all the time."""

import click

from sentiment_platform.commands.console import note, say
from sentiment_platform.commands.parameters import COUNT
from sentiment_platform.errors import PermanentError


@click.command()
@click.option("--timeout", "timeout_s", type=COUNT, default=300, help="Seconds until a hanging daemon is stopped.")
@click.option(
    "--leave-training", is_flag=True, help="Leave runs that train in the queue, for `run train_job --waiting` elsewhere."
)
@click.option(
    "--output", type=click.Path(dir_okay=False), help="File that gets `waiting=JOB,...`: what is in the queue at the end."
)
def tick(timeout_s: int, leave_training: bool, output: str | None) -> None:
    """One pass of the real Dagster daemon: schedules, sensors and queued runs, then stop.

    That takes between half a minute and one and a half, and as long as the runs take. Exits with 1 when a run or a tick failed.

    \b
    Examples:
      sentiment-platform tick --timeout 600
      sentiment-platform tick --leave-training --output "$GITHUB_OUTPUT"
    """
    from sentiment_platform.local.session import session
    from sentiment_platform.local.ticking import tick_once

    with session(log=note):
        report = tick_once(timeout_s, leave_training=leave_training)
    if output:
        with open(output, "a") as file:
            file.write(f"waiting={','.join(report.left)}\n")
    for sensor, outcome in report.sensors.items():
        say(f"  {sensor}: {outcome.lower()}")
    say(f"Daemons that made a pass: {', '.join(report.daemons)}. Runs: {report.finished} finished, {report.failed} failed.")
    for job in report.left:
        say(f"A run of {job} waits: sentiment-platform run {job} --waiting")
    if report.failed or report.failed_ticks:
        ticks = f", and these ticks: {', '.join(report.failed_ticks)}" if report.failed_ticks else ""
        raise PermanentError(f"{report.failed} runs failed{ticks}.", remedy="The Dagster UI says why: sentiment-platform up.")
