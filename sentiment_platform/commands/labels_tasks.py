"""`labels tasks`: a random sample of served texts for people to label, out of the database and into a labelling tool."""

from datetime import timedelta
from pathlib import Path

import click

from sentiment_platform.clock import utc_now
from sentiment_platform.commands.console import note, print_json, say
from sentiment_platform.commands.parameters import COUNT, json_option
from sentiment_platform.labels.examples import AUDIT_SET
from sentiment_platform.labels.tasks import TASK_FORMATS


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
        draw_sample(connection, utc_now())
        counts = sample_counts(connection, AUDIT_SET)
    if as_json:
        print_json(asdict(counts))
        return
    say(
        f"{counts.answers:,} answers of the last 31 days in the sample: {counts.texts:,} texts, {counts.waiting:,} wait for a label."
    )
    if counts.waiting:
        say("Next: sentiment-platform labels tasks export --out FILE")


@tasks.command()
@click.option("--out", type=click.Path(dir_okay=False, writable=True, path_type=Path), required=True, help="The file to write.")
@click.option("--format", "form", type=click.Choice(list(TASK_FORMATS)), default="csv", help="What reads the file.")
@click.option("--limit", type=COUNT, default=200, help="Texts at most.")
@click.option("--days", type=COUNT, default=30, help="Served in so many days before now.")
def export(out: Path, form: str, limit: int, days: int) -> None:
    """Write the texts of the audit sample that wait for a label, without the model's answer.

    The same texts come out until they are labelled in set audit. A CSV has an empty column `label`: fill it in and import the file. With
    Label Studio, label the project and import its export with --format label-studio. Live accuracy reads set audit alone.

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
    out.write_text(TASK_FORMATS[form](waiting), "utf-8", newline="")
    tool = "" if form == "csv" else f" --format {form}"
    say(
        f"{len(waiting)} texts in {out}. Next, once they are labelled: sentiment-platform labels import FILE --set {AUDIT_SET}{tool}"
    )
