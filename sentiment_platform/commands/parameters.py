"""Kinds of arguments. What is wrong with one is a usage error (exit status 2) before anything is started."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sentiment_platform.errors import PlatformError
from sentiment_platform.symbols import symbol
from sentiment_platform.times.own import own_day, own_moment

if TYPE_CHECKING:
    from sentiment_platform.text_files.written import Written
    from sentiment_platform.times.stated import Stated

Said = TypeVar("Said")

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class Number(click.IntRange):
    """A whole number within bounds; click calls it an `integer range`, also where no bound was missed."""

    name = "integer"


class Day(click.ParamType[date]):
    """A day of the calendar, as a `datetime.date`."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """See `click.ParamType`."""
        if isinstance(value, date):
            return value
        try:
            return own_day(value)
        except ValueError:
            self.fail(f"{value!r} is no day; write it like 2026-03-01.", param, ctx)


class Moment(click.ParamType[datetime]):
    """A moment, as a `datetime` with its zone; UTC where none is named."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """See `click.ParamType`."""
        try:
            moment = value if isinstance(value, datetime) else own_moment(value)
        except ValueError:
            self.fail(f"{value!r} is no time; write it like 2026-03-01T09:30 or 2026-03-01.", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class SymbolName(click.ParamType[str]):
    """A symbol in any usual spelling, as the one spelling."""

    name = "symbol"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """See `click.ParamType`."""
        known = symbol(value)
        return known or self.fail(f"{value!r} is not the symbol of one share; write it as LMP, LMP-B or 005930.KS.", param, ctx)


class Version(click.ParamType[str]):
    """The tag of a model version. Whether there is such a version, only a database knows."""

    name = "version"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """See `click.ParamType`."""
        from sentiment_platform.models.families import FAMILIES
        from sentiment_platform.registry.versions import VersionTag

        tag = VersionTag.find(value)
        if tag is None:
            self.fail(f"{value!r} is no version; versions look like v1.4.0-{next(iter(FAMILIES))}.", param, ctx)
        if tag.family not in FAMILIES:
            self.fail(f"{value!r} is of no family of this installation; families are {', '.join(FAMILIES)}.", param, ctx)
        return value


class Tag(click.ParamType[tuple[str, str]]):
    """A tag of a run, as (key, value)."""

    name = "KEY=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """See `click.ParamType`."""
        key, separator, content = value.partition("=")
        if not separator or not key:
            self.fail(f"{value!r} is no tag; write it as KEY=VALUE.", param, ctx)
        return key, content


class Reason(click.ParamType[str]):
    """Why somebody does what is recorded: words, at most 1,000 characters."""

    name = "text"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """See `click.ParamType`."""
        words = value.strip()
        if not words or "\0" in words or len(words) > MOST_REASON:
            self.fail(f"a reason is 1 to {MOST_REASON:,} characters of text.", param, ctx)
        return words


MOST_REASON = 1_000
DAY, MOMENT, VERSION, TAG, SYMBOL, REASON = Day(), Moment(), Version(), Tag(), SymbolName(), Reason()
PORT, COUNT = Number(1, 65535), Number(min=1)

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout instead of tables.")


date_format_option = click.option(
    "--date-format",
    default="",
    help="How its days are written: day-first, month-first, or strptime's codes (%d/%m/%Y %H:%M). Default: only what reads one way.",
)


def stated_options(command: Callable[..., None]) -> Callable[..., None]:
    """`--zone` and `--date-format`, the two things that a person may have to say of a file's times."""
    zone = click.option("--zone", default="UTC", help="The clock of times without an offset: America/New_York, ...")
    return zone(date_format_option(command))


def written_options(command: Callable[..., None]) -> Callable[..., None]:
    """`--encoding` and `--delimiter`, the two things that a person may have to say of how a text file is written."""
    encoding = click.option(
        "--encoding", default="", help="Of a file that is not UTF-8 or UTF-16: cp1251, gb18030, shift_jis, ..."
    )
    delimiter = click.option(
        "--delimiter",
        default="",
        help="Between the cells of a CSV file: comma, semicolon, tab, pipe, or a character; default: found.",
    )
    return encoding(delimiter(command))


def written_by(encoding: str, delimiter: str) -> "Written":
    """What the two options say.

    Raises:
        click.BadParameter: no such encoding, or no delimiter.
    """
    from sentiment_platform.text_files.written import written_as

    return _said_by(written_as, (encoding, "--encoding"), (delimiter, "--delimiter"))


def stated_by(zone: str, date_format: str) -> "Stated":
    """What the two options say.

    Raises:
        click.BadParameter: no such zone, or no format of days.
    """
    from sentiment_platform.times.stated import stated_clock

    return _said_by(stated_clock, (zone, "--zone"), (date_format, "--date-format"))


def _said_by(read: Callable[..., Said], first: tuple[str, str], second: tuple[str, str]) -> Said:
    """What `read` makes of two values, each with its option; the option whose value it refuses is named."""
    context = click.get_current_context(silent=True)
    option = first[1]
    try:
        read(first[0])
        option = second[1]
        return read(first[0], second[0])
    except ValueError as error:
        raise click.BadParameter(f"{error}.", ctx=context, param_hint=f"'{option}'") from error


@contextmanager
def usage_of(parameter: str) -> Generator[None]:
    """Whatever the platform says against the value of a parameter inside the block was a mistake of the command line."""
    try:
        yield
    except PlatformError as error:
        raise click.BadParameter(str(error), ctx=click.get_current_context(silent=True), param_hint=f"'{parameter}'") from error


def require_order(first: date | None, last: date | None) -> None:
    """A range begins before it ends.

    Raises:
        click.UsageError: it does not.
    """
    if first and last and first > last:
        raise click.UsageError(f"--from {first} is after --to {last}.", ctx=click.get_current_context(silent=True))
