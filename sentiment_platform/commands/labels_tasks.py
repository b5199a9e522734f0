"""`labels tasks`: a random sample of served texts for people to label, out of the database and into a labelling tool."""

import shlex
from datetime import timedelta
from pathlib import Path

import click

from sentiment_platform.clock import utc_now
from sentiment_platform.commands.console import counted, note, print_json, say
from sentiment_platform.commands.parameters import COUNT, json_option
from sentiment_platform.errors import PermanentError
from sentiment_platform.labels.examples import AUDIT_SET
from sentiment_platform.labels.tasks import TASK_FORMATS

WINDOW_DAYS = 30
"""As long as the longest window of live accuracy."""


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def tasks(context: click.Context, as_json: bool) -> None:
    """Show how much of the audit sample waits for a label. Of every day at most 200 served answers, drawn at random, are put aside.

    Live accuracy is counted on this sample alone; feedback does not judge. As JSON: {"answers": ..., "texts": ..., "waiting": ...}.

    \b
    Examples:
      sentiment-platform labels tasks
      sentiment-platform labels tasks export --out tasks.csv
    """
    if context.invoked_subcommand is not None:
        return
    from dataclasses import asdict

    from sentiment_platform.local.session import connected_session
    from sentiment_platform.store.audit_sample import draw_sample, sample_counts

    with connected_session() as (_, engine), engine.begin() as connection:
        draw_sample(connection, now := utc_now())
        counts = sample_counts(connection, AUDIT_SET, now - timedelta(days=WINDOW_DAYS))
    if as_json:
        print_json(asdict(counts))
        return
    say(
        f"{counted(counts.answers, 'answer')} of the last {WINDOW_DAYS} days in the sample: {counted(counts.texts, 'text')}, "
        f"of which {counts.waiting:,} {'waits' if counts.waiting == 1 else 'wait'} for a label."
    )
    if counts.waiting:
        say("Next: sentiment-platform labels tasks export --out FILE")


@tasks.command()
@click.option("--out", type=click.Path(dir_okay=False, writable=True, path_type=Path), required=True, help="The file to write.")
@click.option("--format", "form", type=click.Choice(list(TASK_FORMATS)), default="csv", help="What reads the file.")
@click.option("--limit", type=COUNT, default=200, help="Texts at most.")
@click.option("--days", type=COUNT, default=WINDOW_DAYS, help="Served in so many days before now.")
@click.option("--overwrite", is_flag=True, help="Replace a file of that name, and whatever was labelled in it.")
def export(out: Path, form: str, limit: int, days: int, overwrite: bool) -> None:
    """Write the texts of the audit sample that wait for a label, without the model's answer.

    The same texts come out until they are labelled in set audit. A CSV has an empty column `label`: fill it in and import the file; rows
    without a label wait on. A file that exists is kept unless --overwrite is given. With Label Studio, label the project and import its
    export with --format label-studio. Live accuracy reads set audit alone.

    \b
    Examples:
      sentiment-platform labels tasks export --out tasks.csv
      sentiment-platform labels import tasks.csv --set audit
      sentiment-platform labels tasks export --out tasks.json --format label-studio --limit 500
    """
    from sentiment_platform.local.session import connected_session
    from sentiment_platform.store.audit_sample import draw_sample, waiting_texts

    now = utc_now()
    with connected_session() as (_, engine), engine.begin() as connection:
        draw_sample(connection, now)
        waiting = waiting_texts(connection, AUDIT_SET, now - timedelta(days=days), limit)
    if not waiting:
        note(f"Nothing is to be labelled: the whole sample of the last {days} days is, or nothing was served.")
        return
    try:
        with out.open("w" if overwrite else "x", encoding="utf-8", newline="") as file:
            file.write(TASK_FORMATS[form](waiting))
    except FileExistsError as error:
        raise PermanentError(
            f"{out} exists, and what was labelled in it would be lost.",
            remedy="Name another file with --out, or replace this one with --overwrite.",
        ) from error
    # What a labelling tool exports is another file than the one that went into it.
    labelled = shlex.quote(str(out)) if form == "csv" else f"EXPORT --format {form}"
    command = f"sentiment-platform labels import {labelled} --set {AUDIT_SET}"
    say(f"{counted(len(waiting), 'text')} in {out}. Next, once labelled: {command}")
