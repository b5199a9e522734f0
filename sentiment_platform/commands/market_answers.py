"""What a person answers about suspected splits on the command line, and how it is told."""

import getpass
import uuid
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from sentiment_platform.clock import utc_now
from sentiment_platform.commands.console import say
from sentiment_platform.commands.refusals import SHOWN

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from sentiment_platform.market.prices import LevelReport, StoredPrices
    from sentiment_platform.market.ratios import Ratio


def answer(
    connection: "Connection",
    said: "Sequence[tuple[str, date, Ratio | None]]",
    taken_back: Sequence[tuple[str, date]],
) -> None:
    """Store what a person says of days, what is `taken_back` first, judge again what waited for it, and say what became of that."""
    from sentiment_platform.market.prices import judge_again
    from sentiment_platform.market.splits import answer_split, take_back

    by, now, run_id = getpass.getuser(), utc_now(), f"split-{uuid.uuid4()}"
    told: dict[str, list[str]] = {}
    for symbol, day in taken_back:
        revised = take_back(connection, symbol, day, by=by, run_id=run_id, now=now)
        told.setdefault(symbol, []).append(f"{symbol} {day}: taken back, {revised} earlier bars are as they were.")
    for symbol, day, ratio in said:
        revised = answer_split(connection, symbol, day, ratio, by=by, run_id=run_id, now=now)
        what = "the move is real" if ratio is None else f"a split {ratio}"
        told.setdefault(symbol, []).append(f"{symbol} {day}: {what}, {revised} earlier bars were adjusted.")
    for symbol, lines in told.items():
        for line in lines:
            say(line)
        for stored, report in judge_again(connection, symbol, run_id=run_id, now=now):
            if report.released:
                say(f"{report.released} bars that waited were judged again: {counts_of(stored)}.")
            tell_levels(report)
    if told:
        say("Next: sentiment-platform run market_job --partition DAY computes the outcomes that waited for this.")


def counts_of(stored: "StoredPrices") -> str:
    """How many bars became what, in words."""
    bars = stored.written
    return f"{bars.new} new, {bars.revised} revised, {bars.unchanged} known, {bars.of_another_source} of days that another source has"


def tell_levels(report: "LevelReport") -> None:
    """Say each open question with what answers it, and which moves were taken as real."""
    for question in report.questions:
        say(question.words, style="yellow")
    if report.news:
        rest = f" and {len(report.news) - SHOWN} more" if len(report.news) > SHOWN else ""
        say(f"Taken as real, for much more was traded than usual: {'; '.join(report.news[:SHOWN])}{rest}.")
