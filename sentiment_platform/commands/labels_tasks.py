"""`labels tasks`: served texts for people to label, out of the database and into a labelling tool."""

from datetime import timedelta
from pathlib import Path

import click

from sentiment_platform.clock import utc_now
from sentiment_platform.commands.console import note, say
from sentiment_platform.commands.parameters import COUNT
from sentiment_platform.labels.tasks import TASK_FORMATS


@click.group()
def tasks() -> None:
    """Texts that were served and that nobody has labelled.

    \b
    Example:
      sentiment-platform labels tasks export --out tasks.csv
    """


@tasks.command()
@click.option("--out", type=click.Path(dir_okay=False, writable=True, path_type=Path), required=True, help="The file to write.")
@click.option("--format", "form", type=click.Choice(list(TASK_FORMATS)), default="csv", help="What reads the file.")
@click.option("--limit", type=COUNT, default=200, help="Texts at most.")
@click.option("--days", type=COUNT, default=30, help="Served in so many days before now.")
def export(out: Path, form: str, limit: int, days: int) -> None:
    """Write a random sample of the texts that were served and that no person has labelled, without the model's answer.

    The same sample comes out until its texts are labelled. A CSV has an empty column `label`: fill it in and import the file. With
    Label Studio, label the project and import its export with --format label-studio.

    \b
    Examples:
      sentiment-platform labels tasks export --out tasks.csv
      sentiment-platform labels import tasks.csv --set audit
      sentiment-platform labels tasks export --out tasks.json --format label-studio --limit 500
    """
    from sentiment_platform.local.session import connected_session
    from sentiment_platform.store.labelling_tasks import unlabelled_texts

    now = utc_now()
    with connected_session() as (_, engine), engine.connect() as connection:
        found = unlabelled_texts(connection, now - timedelta(days=days), now, limit)
    if not found:
        note(f"Nothing is to be labelled: every text served in the last {days} days has a label, or nothing was served.")
        return
    out.write_text(TASK_FORMATS[form](found), "utf-8", newline="")
    tool = "" if form == "csv" else f" --format {form}"
    say(f"{len(found)} texts in {out}. Next, once they are labelled: sentiment-platform labels import FILE --set audit{tool}")
