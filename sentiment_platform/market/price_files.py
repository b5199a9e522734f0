"""A CSV file of daily bars, read by a column map. What the bars must hold is `market.quality`, storing them `market.prices`."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from sentiment_platform.market.bars import RawBar, read_bar
from sentiment_platform.market.errors import PriceFileError
from sentiment_platform.text_files.maps import column_of, parse_map
from sentiment_platform.text_files.tables import more_than_header, open_table
from sentiment_platform.text_files.written import Written
from sentiment_platform.times.stated import Stated

FIELDS = ("symbol", "session", "open", "high", "low", "close", "volume")
NEEDED = ("session", "open", "high", "low", "close")


def parse_price_map(text: str) -> dict[str, str]:
    """`session=ds,symbol=ticker,...`: field -> column. A field that is not named stands in the column of its own name.

    Raises:
        PriceFileError: an unknown or repeated field.
    """
    try:
        columns = parse_map(text, FIELDS)
    except ValueError as error:
        raise PriceFileError(
            f"The column map cannot use {str(error)!r}.", remedy=f"It is `field=column,...` with the fields {', '.join(FIELDS)}."
        ) from error
    return {name: columns.get(name, name) for name in FIELDS}


def read_price_file(
    path: Path,
    columns: Mapping[str, str],
    symbol: str | None = None,
    stated: Stated | None = None,
    written: Written | None = None,
) -> Iterator[RawBar]:
    """The file's rows in their order; `symbol` names what they are prices of where no column does, `stated` as for `read_session`.

    `written`: encoding and delimiter as stated; what is guessed is noted there.

    Raises:
        PriceFileError: a missing column, or no symbol anywhere.
        TextFileError: no such file, its encoding cannot be told, or it is no CSV.
    """
    table = open_table(path, [columns[name] for name in NEEDED], written or Written())
    places = {name: column_of(table.header, column, path.name) for name, column in columns.items()}
    if missing := [columns[name] for name in NEEDED if places[name] is None]:
        raise PriceFileError(
            f"{path.name} has no column {', '.join(missing)}.",
            remedy=f"Name them with --map; its columns are {', '.join(sorted(table.header)) or 'none'}.",
        )
    if symbol is None and places["symbol"] is None:
        raise PriceFileError(f"{path.name} does not say whose prices it holds.", remedy="Give --symbol, or map the field symbol.")
    for row in table.rows:
        full = [*row, *[""] * (len(table.header) - len(row))]
        payload = dict(zip(table.header, full, strict=False))
        cells = {name: None if place is None else full[place] for name, place in places.items()}
        if more_than_header(table.header, row):  # Which number is which nobody can say: a comma of thousands stands in one.
            yield read_bar({}, payload | {"more": " | ".join(row[len(table.header) :])}, stated)
        else:
            yield read_bar({**cells, "symbol": symbol or cells["symbol"]}, payload, stated)
