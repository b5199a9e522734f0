"""`market`: bring prices in, see what there is."""

import uuid
from pathlib import Path

import click
from rich.table import Table

from sentiment_platform.clock import utc_now
from sentiment_platform.commands.console import console, shows_errors
from sentiment_platform.local.session import connected_session


@click.group()
def market() -> None:
    """Daily prices: import files, see what there is."""


@market.command("import")
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--symbol", help="Whose prices these are, where the file has no column for it.")
@click.option(
    "--map",
    "mapping",
    default="",
    help="Columns that have another name than the field: session=...,symbol=...,open=...,high=...,low=...,close=...,volume=...",
)
@click.option(
    "--source", default="archive", show_default=True, help="Name of the source; its bars are compared with its own only."
)
@click.option("--accept-jumps", is_flag=True, help="Closes that more than double or halve in a day are real: you have looked.")
@shows_errors
def import_prices(path: Path, symbol: str | None, mapping: str, source: str, accept_jumps: bool) -> None:
    """Import daily bars from a CSV file: adjusted open, high, low and close by session.

    Importing a file again changes nothing; a bar that changed replaces itself and is kept as a revision. Rows that break the contract
    (weekends and holidays, high below low, unadjusted splits...) go into quarantine with the rule.

    \b
    Examples:
      sentiment-platform market import AAPL.csv --symbol AAPL --map session=Date
      sentiment-platform market import all.csv --map session=ds,symbol=ticker
    """
    from sentiment_platform.market.price_files import parse_price_map, read_price_file
    from sentiment_platform.market.prices import store_bars

    bars = list(read_price_file(path, parse_price_map(mapping), symbol))
    with connected_session(log=console.print) as (_, engine), engine.begin() as connection:
        stored = store_bars(
            connection, bars, source=source, run_id=f"import-{uuid.uuid4()}", now=utc_now(), accept_jumps=accept_jumps
        )
    written = stored.written
    console.print(
        f"{stored.fetched} rows: {written.new} new, {written.revised} revised, {written.unchanged} known, "
        f"{written.of_another_source} of days that another source has, {stored.refused} quarantined."
    )
    if stored.refused:
        console.print("[yellow]Which rule each broke: sentiment-platform news quarantine --source " + source + "[/]")
    console.print(
        "Next: sentiment-platform run market_job --from DAY --to DAY computes the outcomes of the articles of these days."
    )


@market.command()
@shows_errors
def show() -> None:
    """Show which symbols have prices, from when to when, and how many bars were revised."""
    from sentiment_platform.store.market import coverage

    with connected_session() as (_, engine), engine.connect() as connection:
        series = coverage(connection)
    table = Table("symbol", "source", "first", "last", "bars", "revised", title=f"{len(series)} series")
    for one in series:
        table.add_row(one.symbol, one.source, str(one.first), str(one.last), f"{one.bars:,}", f"{one.revised:,}")
    console.print(table)
