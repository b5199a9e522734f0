"""`news`: bring archives in, see what was refused, take it in again."""

import uuid
from datetime import UTC, date, timedelta
from pathlib import Path

import click

from sentiment_platform.clock import utc_now
from sentiment_platform.commands.console import note, print_json, say, show_table
from sentiment_platform.commands.parameters import (
    COUNT,
    FILE,
    json_option,
    stated_by,
    stated_options,
    usage_of,
    written_by,
    written_options,
)
from sentiment_platform.commands.refusals import Refusals


@click.group()
def news() -> None:
    """Import archives of news, look at what was refused.

    \b
    Example:
      sentiment-platform news sources
    """


@news.command("import")
@click.argument("path", type=FILE, metavar="FILE")
@click.option(
    "--map",
    "mapping",
    required=True,
    help="Columns: title=...,published_at=...,tickers=...,summary=...,url=...,outlet=... (names, or positions in a file without header).",
)
@click.option("--source", help="Name of the source; default: the file's name.")
@stated_options
@written_options
def import_news(path: Path, mapping: str, source: str | None, zone: str, date_format: str, encoding: str, delimiter: str) -> None:
    """Import a CSV, JSON lines or Parquet archive. Importing it again stores nothing, and changes no time that is stored: state the clock
    (--zone) the first time.

    A row needs a title and a time. What else cannot be read (an address, a symbol, a language) is left out with a note in the row.
    The first refused rows are shown with their values. Where every row is refused, the exit status is 1.

    \b
    Examples:
      sentiment-platform news import archive.csv --map title=headline,published_at=date,tickers=symbol
      sentiment-platform news import desk.csv --map title=0,published_at=1 --zone America/New_York --date-format month-first
      sentiment-platform news import desk.csv --map 'title="Title, long",published_at=Date' --encoding cp1251 --delimiter semicolon
    """
    from sentiment_platform.commands.progress import counting_bar
    from sentiment_platform.local.session import connected_session
    from sentiment_platform.news.archive import import_archive, parse_mapping
    from sentiment_platform.store.articles import published_range
    from sentiment_platform.times.assumed import AssumedClock

    refused = Refusals()
    with usage_of("--map"):
        columns = parse_mapping(mapping)
    stated, written = stated_by(zone, date_format), written_by(encoding, delimiter)
    assumed = AssumedClock(stated, "--zone America/New_York")
    with connected_session(log=note) as (_, engine), counting_bar("articles") as done:
        report = import_archive(
            path,
            columns,
            source=source or path.stem,
            engine=engine,
            run_id=f"import-{uuid.uuid4()}",
            now=utc_now(),
            stated=stated,
            assumed=assumed,
            written=written,
            progress=done,
            tell_refusal=lambda one: refused.add(one.item.position, one.detail, one.value),
        )
        with engine.connect() as connection:
            days = published_range(connection, source or path.stem)
    say(f"{report.fetched} rows: {report.stored} stored, {report.duplicate} duplicate, {report.quarantined} quarantined.")
    for sentence in filter(None, (assumed.note(), written.note())):
        say(sentence, style="yellow")
    if report.detail and report.detail != path.name:
        say(f"{report.detail}.")
    refused.end(path.name, report.source, report.fetched, report.quarantined, kept=report.stored + report.duplicate)
    if days:
        _say_next(*(at.astimezone(UTC).date() for at in days))


def _say_next(first: date, last: date) -> None:
    """The command that makes the days of a source, and what days before the first partition need."""
    from sentiment_platform.setting_values.first_day import first_day

    earliest, setting = first_day(), ""
    if first < earliest:
        setting = f"SENTIMENT_FIRST_DAY={first} "
        which = f"{first} to {min(last, earliest - timedelta(days=1))}"
        say(
            f"The days {which} have no partition: they begin with {earliest}. {setting}gives them one; keep it in .env.",
            style="yellow",
        )
    say(f"Next: {setting}sentiment-platform run collect_job --from {first} --to {last}")
    say("It clusters stories and computes features.")


@news.command()
@click.option("--source", help="Only this source.")
@click.option("--rule", help="Only rows that broke this rule.")
@click.option("--limit", type=COUNT, default=20, help="Rows to show.")
@json_option
def quarantine(source: str | None, rule: str | None, limit: int, as_json: bool) -> None:
    """Show refused rows with the rule that each broke, and how many wait or were released, by source and rule.

    As JSON: {"counts": [...], "rows": [...]}, each row with its payload.

    \b
    Examples:
      sentiment-platform news quarantine --source desk
      sentiment-platform news quarantine --rule published_at_is_readable --limit 5 --json
    """
    from sentiment_platform.local.session import connected_session
    from sentiment_platform.store.quarantine import quarantine_totals, quarantined_items

    with connected_session() as (_, engine), engine.connect() as connection:
        items = quarantined_items(connection, source=source, rule=rule, limit=limit)
        totals = list(quarantine_totals(connection, source=source, rule=rule))
    if as_json:
        print_json({"counts": totals, "rows": items})
        return
    show_table(
        ["boundary", "source", "rule", "waiting", "released"],
        [(count.boundary, count.source, count.rule, count.waiting, count.released) for count in totals],
        title="Quarantine",
        empty=_nothing_refused(source, rule),
    )
    if items:
        show_table(
            ["source", "rule", "detail", "fetched"],
            [(item.source, item.rule, item.detail, item.fetched_at) for item in items],
            title=f"The newest {len(items)} rows that wait",
        )


def _nothing_refused(source: str | None, rule: str | None) -> str:
    if source or rule:
        return "Nothing of that was refused. Without --source and --rule, `sentiment-platform news quarantine` shows everything."
    return (
        "Nothing was refused. News comes in with `sentiment-platform news import FILE` and `sentiment-platform run collect_job`."
    )


@news.command("replay")
@click.option("--source", help="Only this source.")
@click.option("--rule", help="Only rows that broke this rule.")
@click.option("--dry-run", is_flag=True, help="Say what would be admitted, and change nothing.")
@json_option
def replay_news(source: str | None, rule: str | None, dry_run: bool, as_json: bool) -> None:
    """Judge refused news again, after a fix, and store what keeps the contract now, as of when it was fetched.

    Running it again finds nothing left to do. As JSON: one object a source.

    \b
    Example:
      sentiment-platform news replay --source desk --dry-run
    """
    from sentiment_platform.local.session import connected_session
    from sentiment_platform.news.replay import replay

    with connected_session(log=note) as (_, engine):
        replayed = replay(engine, source=source, rule=rule, run_id=f"replay-{uuid.uuid4()}", now=utc_now(), dry_run=dry_run)
    if as_json:
        print_json(replayed.reports)
        return
    show_table(
        ["source", "tried", "admitted", "duplicate", "stay refused"],
        [(one.source, one.fetched, one.stored, one.duplicate, one.quarantined) for one in replayed.reports],
        title="Dry run: nothing changed" if dry_run else "Replayed",
        empty="No refused news waits. `sentiment-platform news quarantine` shows what was refused, and why.",
    )
    if replayed.days and not dry_run:
        say(f"Next: sentiment-platform run collect_job --from {replayed.days[0]} --to {replayed.days[-1]}")
