"""`market`: bring prices in, see what there is."""

import getpass
import uuid
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sentiment_platform.clock import utc_now
from sentiment_platform.commands.console import note, print_json, say, show_table
from sentiment_platform.commands.market_answers import answer, counts_of, tell_levels
from sentiment_platform.commands.parameters import (
    DAY,
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

if TYPE_CHECKING:
    from sentiment_platform.market.prices import LevelReport


@click.group()
def market() -> None:
    """Daily prices: import files, see what there is.

    \b
    Example:
      sentiment-platform market show
    """


@market.command("import")
@click.argument("path", type=FILE, metavar="[FILE]", required=False)
@click.option("--symbol", type=SYMBOL, help="Whose prices these are, where the file has no column for it.")
@click.option(
    "--map",
    "mapping",
    default="",
    help="Columns that have another name than the field: session=...,symbol=...,open=...,high=...,low=...,close=...,volume=...",
)
@click.option("--source", default="archive", help="Name of the source; its bars are compared with its own only.")
@click.option("--accept-jumps", is_flag=True, help="Every move in this file that looks like a split is real: you have looked.")
@click.option(
    "--split",
    "splits",
    type=(SYMBOL, DAY, str),
    multiple=True,
    metavar="SYMBOL DAY RATIO",
    help="On that day there was a split, 2:1 (two new for one) or 1:10: stored bars before it are adjusted. Needs no FILE.",
)
@click.option(
    "--real-move",
    "real_moves",
    type=(SYMBOL, DAY),
    multiple=True,
    metavar="SYMBOL DAY",
    help="The move of that day is real, no split. Needs no FILE.",
)
@click.option(
    "--take-back",
    "taken_back",
    type=(SYMBOL, DAY),
    multiple=True,
    metavar="SYMBOL DAY",
    help="What was said of that day was wrong: bars are as they were. Needs no FILE.",
)
@click.option(
    "--zone",
    default="",
    help="On whose clock numbers since 1970 are days; default: only midnight in UTC, and midnight and the opening at the exchange are.",
)
@date_format_option
@written_options
def import_prices(
    path: Path | None,
    symbol: str | None,
    mapping: str,
    source: str,
    accept_jumps: bool,
    splits: tuple[tuple[str, date, str], ...],
    real_moves: tuple[tuple[str, date], ...],
    taken_back: tuple[tuple[str, date], ...],
    zone: str,
    date_format: str,
    encoding: str,
    delimiter: str,
) -> None:
    """Import daily bars from a CSV file: adjusted open, high, low and close by session. Or say what a suspected split was.

    Importing a file again changes nothing; a bar that changed replaces itself and is kept as a revision. Rows that break the contract
    (weekends and holidays, high below low...) go into quarantine with the rule; the first are shown with their values. Where every row is
    refused, the exit status is 1.

    From a day on which prices change their level as after a split, bars wait until you say what it was: --split, or --real-move.
    What waited is then judged again. Both are kept with your name, and --take-back undoes them.

    \b
    Examples:
      sentiment-platform market import AAPL.csv --symbol AAPL --map session=Date
      sentiment-platform market import all.csv --map session=ds,symbol=ticker
      sentiment-platform market import --split LMP 2026-03-02 2:1
      sentiment-platform market import --real-move LMP 2026-03-02
    """
    from sentiment_platform.local.session import connected_session
    from sentiment_platform.market.price_files import parse_price_map, read_price_file
    from sentiment_platform.market.prices import store_bars
    from sentiment_platform.market.ratios import parse_ratio
    from sentiment_platform.store.splits import RULE

    if path is None and not (splits or real_moves or taken_back):
        raise click.UsageError("Name a FILE, or say something of a day with --split, --real-move or --take-back.")
    with usage_of("--map"):
        columns = parse_price_map(mapping)
    with usage_of("--split"):
        said = [(named, day, parse_ratio(ratio)) for named, day, ratio in splits]
    reports: list[LevelReport] = []
    refused, written = Refusals(), written_by(encoding, delimiter)
    stated = replace(stated_by(zone or "UTC", date_format), has_zone=bool(zone)) if zone or date_format else None
    bars = list(read_price_file(path, columns, symbol, stated, written)) if path else []
    with connected_session(log=note) as (_, engine), engine.begin() as connection:
        answer(connection, [*said, *((named, day, None) for named, day in real_moves)], taken_back)
        if path is None:
            return
        stored = store_bars(
            connection,
            bars,
            source=source,
            run_id=f"import-{uuid.uuid4()}",
            now=utc_now(),
            accept_jumps=accept_jumps,
            accepted_by=getpass.getuser(),
            tell_refusal=lambda one: None if one.rule == RULE else refused.add(None, one.detail, one.row),
            tell_levels=reports.append,
        )
    say(f"{stored.fetched} rows: {counts_of(stored)}, {stored.refused} quarantined.")
    if (sentence := written.note()) is not None:
        say(sentence, style="yellow")
    for report in reports:
        tell_levels(report)
    bars_now = stored.written
    kept = bars_now.new + bars_now.revised + bars_now.unchanged + bars_now.of_another_source
    refused.end(path.name, source, stored.fetched, stored.refused, kept=kept)
    say("Next: sentiment-platform run market_job --from DAY --to DAY computes the outcomes of the articles of these days.")


@market.command()
@json_option
def show(as_json: bool) -> None:
    """Show which symbols have prices, on which exchange, from when to when, how many bars were revised, which sessions of the last 45 days
    are missing, and what is asked about their splits.

    As JSON: one object a series (symbol, source, first, last, bars, revised, exchange, missing, asked). `asked` holds each open question:
    day, ratio, before, after, and the two commands that answer it.

    \b
    Example:
      sentiment-platform market show --json
    """
    from sentiment_platform.local.session import connected_session
    from sentiment_platform.market.evaluation import completeness_now
    from sentiment_platform.market.symbol_exchange import exchange_of
    from sentiment_platform.store.market import coverage
    from sentiment_platform.store.splits import questions_open

    with connected_session() as (_, engine), engine.connect() as connection:
        series, asked = list(coverage(connection)), questions_open(connection)
        completeness = completeness_now(connection, utc_now(), ())
    if as_json:
        print_json(
            [
                asdict(one)
                | {
                    "exchange": exchange_of(one.symbol),
                    "missing": completeness.gaps.get(one.symbol, ()),
                    "asked": [
                        {"day": q.day, "ratio": q.ratio, "before": q.before, "after": q.after, "commands": q.commands}
                        for q in asked
                        if (q.symbol, q.source) == (one.symbol, one.source)
                    ],
                }
                for one in series
            ]
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
    for question in asked:
        say(question.words, style="yellow")
