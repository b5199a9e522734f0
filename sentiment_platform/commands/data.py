"""`news` and `labels`: bring data in, see what was refused."""

import uuid
from pathlib import Path

import click
from rich.progress import Progress
from rich.table import Table

from sentiment_platform.commands.console import console, shows_errors
from sentiment_platform.local.session import session
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform.store.tables import utc_now


@click.group()
def news() -> None:
    """Import archives of news, look at what was refused."""


@news.command("import")
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--map",
    "mapping",
    required=True,
    help="Columns: title=...,published_at=...,tickers=...,summary=...,url=...,outlet=... (names, or positions in a file without header).",
)
@click.option("--source", help="Name of the source; default: the file's name.")
@shows_errors
def import_news(path: Path, mapping: str, source: str | None) -> None:
    """Import a CSV, JSON lines or Parquet archive. Importing it again stores nothing.

    Example: sentiment-platform news import archive.csv --map title=headline,published_at=date,tickers=symbol
    """
    from sentiment_platform.news.archive import import_archive, parse_mapping

    columns = parse_mapping(mapping)
    with session(log=console.print) as settings, Progress(console=console) as bar:
        engine = create_platform_engine(settings.require("database_url"))
        task = bar.add_task("articles", total=None)
        report = import_archive(
            path,
            columns,
            source=source or path.stem,
            engine=engine,
            run_id=f"import-{uuid.uuid4()}",
            now=utc_now(),
            progress=lambda done: bar.update(task, completed=done),
        )
        engine.dispose()
    console.print(
        f"{report.fetched} rows: {report.stored} stored, {report.duplicate} duplicate, {report.quarantined} quarantined."
    )
    console.print("Next: sentiment-platform run collect_job --from DAY --to DAY clusters stories and computes features.")


@news.command()
@click.option("--source", help="Only this source.")
@click.option("--rule", help="Only rows that broke this rule.")
@click.option("--limit", default=20, show_default=True, help="Rows to show.")
@shows_errors
def quarantine(source: str | None, rule: str | None, limit: int) -> None:
    """Show refused rows with the rule that each broke."""
    from sentiment_platform.store.news import quarantined_items

    with session() as settings:
        engine = create_platform_engine(settings.require("database_url"))
        with engine.connect() as connection:
            items = quarantined_items(connection, source=source, rule=rule, limit=limit)
        engine.dispose()
    table = Table("source", "rule", "detail", "fetched", title=f"{len(items)} refused rows")
    for item in items:
        table.add_row(item.source, item.rule, item.detail[:80], f"{item.fetched_at:%Y-%m-%d %H:%M}")
    console.print(table)


@click.group()
def labels() -> None:
    """Bring human labels in."""


@labels.command("import")
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--format",
    "name",
    type=click.Choice(["phrasebank", "sentfin", "tfns", "plain"]),
    default="plain",
    show_default=True,
    help="Which data set, or a plain CSV or JSON lines file.",
)
@click.option("--set", "label_set", help="Name of the label set (plain files); default: the file's name.")
@click.option("--licence", default="unstated", show_default=True, help="Licence of the labels (plain files).")
@shows_errors
def import_labels_command(path: Path, name: str, label_set: str | None, licence: str) -> None:
    """Import labelled texts. Importing them again changes nothing.

    A plain file has the columns text (or title) and label, and optionally id, published_at, url, annotator, weight.
    """
    from sentiment_platform.labels.importers import IMPORTERS, plain
    from sentiment_platform.labels.importing import import_labels

    report = plain(path, label_set, licence) if name == "plain" else IMPORTERS[name](path)
    with session(log=console.print) as settings:
        engine = create_platform_engine(settings.require("database_url"))
        changed = import_labels(engine, report.examples)
        engine.dispose()
    console.print(f"{len(report.examples)} labels read, {changed} new or changed.")
    for reason, count in report.skipped.items():
        console.print(f"[yellow]{count} rows skipped: {reason}[/]")
