"""`news`: bring archives in, see what was refused, take it in again."""

import uuid
from pathlib import Path

import click
import msgspec
from rich.progress import Progress
from rich.table import Table

from sentiment_platform.clock import utc_now
from sentiment_platform.commands.console import console, shows_errors
from sentiment_platform.local.session import connected_session


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
    with connected_session(log=console.print) as (_, engine), Progress(console=console) as bar:
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
    console.print(
        f"{report.fetched} rows: {report.stored} stored, {report.duplicate} duplicate, {report.quarantined} quarantined."
    )
    console.print("Next: sentiment-platform run collect_job --from DAY --to DAY clusters stories and computes features.")


@news.command()
@click.option("--source", help="Only this source.")
@click.option("--rule", help="Only rows that broke this rule.")
@click.option("--limit", default=20, show_default=True, help="Rows to show.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document: counts, and rows with their payload.")
@shows_errors
def quarantine(source: str | None, rule: str | None, limit: int, as_json: bool) -> None:
    """Show refused rows with the rule that each broke, and how many wait or were released, by source and rule."""
    from sentiment_platform.store.quarantine import quarantine_totals, quarantined_items

    with connected_session() as (_, engine), engine.connect() as connection:
        items = quarantined_items(connection, source=source, rule=rule, limit=limit)
        totals = list(quarantine_totals(connection, source=source, rule=rule))
    if as_json:
        click.echo(msgspec.json.encode({"counts": totals, "rows": items}))
        return
    counts = Table("boundary", "source", "rule", "waiting", "released", title="Quarantine")
    for count in totals:
        counts.add_row(count.boundary, count.source, count.rule, f"{count.waiting:,}", f"{count.released:,}")
    console.print(counts)
    table = Table("source", "rule", "detail", "fetched", title=f"The newest {len(items)} rows that wait")
    for item in items:
        table.add_row(item.source, item.rule, item.detail[:80], f"{item.fetched_at:%Y-%m-%d %H:%M}")
    console.print(table)


@news.command("replay")
@click.option("--source", help="Only this source.")
@click.option("--rule", help="Only rows that broke this rule.")
@click.option("--dry-run", is_flag=True, help="Say what would be admitted, and change nothing.")
@shows_errors
def replay_news(source: str | None, rule: str | None, dry_run: bool) -> None:
    """Judge refused news again, after a fix, and store what keeps the contract now, as of when it was fetched.

    Running it again finds nothing left to do.
    """
    from sentiment_platform.news.replay import replay

    with connected_session(log=console.print) as (_, engine):
        replayed = replay(engine, source=source, rule=rule, run_id=f"replay-{uuid.uuid4()}", now=utc_now(), dry_run=dry_run)
    title = "Dry run: nothing changed" if dry_run else "Replayed"
    table = Table("source", "tried", "admitted", "duplicate", "stay refused", title=title)
    for report in replayed.reports:
        table.add_row(report.source, *(f"{n:,}" for n in (report.fetched, report.stored, report.duplicate, report.quarantined)))
    console.print(table)
    if replayed.days and not dry_run:
        console.print(f"Next: sentiment-platform run collect_job --from {replayed.days[0]} --to {replayed.days[-1]}")
