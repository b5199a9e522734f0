"""`market`: bring prices in, see what there is."""

import uuid
from dataclasses import asdict, replace
from pathlib import Path

import click

from sentiment_platform.clock import utc_now
from sentiment_platform.commands.console import note, print_json, say, show_table
from sentiment_platform.commands.parameters import (
    FILE,
    SYMBOL,
    date_format_option,
    json_option,
    stated_by,
    usage_of,
    written_by,
    written_options,
)
from sentiment_platform.commands.refusals import Refusals


@click.group()
def market() -> None:
    """Daily prices: import files, see what there is.

    \b
    Example:
      sentiment-platform market show
    """


@market.command("import")
@click.argument("path", type=FILE, metavar="FILE")
@click.option("--symbol", type=SYMBOL, help="Whose prices these are, where the file has no column for it.")
@click.option(
    "--map",
    "mapping",
    default="",
    help="Columns that have another name than the field: session=...,symbol=...,open=...,high=...,low=...,close=...,volume=...",
)
@click.option("--source", default="archive", help="Name of the source; its bars are compared with its own only.")
@click.option("--accept-jumps", is_flag=True, help="Closes that more than double or halve in a day are real: you have looked.")
@click.option(
    "--zone",
    default="",
    help="On whose clock numbers since 1970 are days; default: only midnight in UTC, and midnight and the opening at the exchange are.",
)
@date_format_option
@written_options
def import_prices(
    path: Path,
    symbol: str | None,
    mapping: str,
    source: str,
    accept_jumps: bool,
    zone: str,
    date_format: str,
    encoding: str,
    delimiter: str,
) -> None:
    """Import daily bars from a CSV file: adjusted open, high, low and close by session.

    Importing a file again changes nothing; a bar that changed replaces itself and is kept as a revision. Rows that break the contract
    (weekends and holidays, high below low, unadjusted splits...) go into quarantine with the rule; the first are shown with their values.
    Where every row is refused, the exit status is 1.

    \b
    Examples:
      sentiment-platform market import AAPL.csv --symbol AAPL --map session=Date
      sentiment-platform market import all.csv --map session=ds,symbol=ticker
    """
    from sentiment_platform.local.session import connected_session
    from sentiment_platform.market.price_files import parse_price_map, read_price_file
    from sentiment_platform.market.prices import store_bars

    with usage_of("--map"):
        columns = parse_price_map(mapping)
    refused, written = Refusals(), written_by(encoding, delimiter)
    stated = replace(stated_by(zone or "UTC", date_format), has_zone=bool(zone)) if zone or date_format else None
    bars = list(read_price_file(path, columns, symbol, stated, written))
    with connected_session(log=note) as (_, engine), engine.begin() as connection:
        stored = store_bars(
            connection,
            bars,
            source=source,
            run_id=f"import-{uuid.uuid4()}",
            now=utc_now(),
            accept_jumps=accept_jumps,
            tell_refusal=lambda one: refused.add(None, one.detail, one.row),
        )
    bars_now = stored.written
    say(
        f"{stored.fetched} rows: {bars_now.new} new, {bars_now.revised} revised, {bars_now.unchanged} known, "
        f"{bars_now.of_another_source} of days that another source has, {stored.refused} quarantined."
    )
    kept = bars_now.new + bars_now.revised + bars_now.unchanged + bars_now.of_another_source
    if (sentence := written.note()) is not None:
        say(sentence, style="yellow")
    refused.end(path.name, source, stored.fetched, stored.refused, kept=kept)
    say("Next: sentiment-platform run market_job --from DAY --to DAY computes the outcomes of the articles of these days.")


@market.command()
@json_option
def show(as_json: bool) -> None:
    """Show which symbols have prices, on which exchange, from when to when, how many bars were revised, and which sessions of the last
    45 days are missing.

    As JSON: one object a series (symbol, source, first, last, bars, revised, exchange, missing).

    \b
    Example:
      sentiment-platform market show --json
    """
    from sentiment_platform.local.session import connected_session
    from sentiment_platform.market.evaluation import completeness_now
    from sentiment_platform.market.symbol_exchange import exchange_of
    from sentiment_platform.store.market import coverage

    with connected_session() as (_, engine), engine.connect() as connection:
        series = list(coverage(connection))
        completeness = completeness_now(connection, utc_now(), ())
    if as_json:
        missing = completeness.gaps
        print_json(
            [asdict(one) | {"exchange": exchange_of(one.symbol), "missing": missing.get(one.symbol, ())} for one in series]
        )
        return
    show_table(
        ["symbol", "exchange", "source", "first", "last", "bars", "revised"],
        [(one.symbol, exchange_of(one.symbol), one.source, one.first, one.last, one.bars, one.revised) for one in series],
        title=f"{len(series)} series",
        empty="There are no prices yet. Bring a file in: sentiment-platform market import AAPL.csv --symbol AAPL",
    )
    for exchange, said in completeness.by_exchange.items():
        say(f"{exchange}: {'; '.join(said)}.", style="yellow")
