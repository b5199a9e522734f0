"""A CSV file of daily bars, read by a column map. What the bars must hold is `market.quality`, storing them `market.prices`."""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

from sentiment_platform.market.bars import RawBar, read_bar
from sentiment_platform.market.errors import PriceFileError
from sentiment_platform.times.stated import Stated

FIELDS = ("symbol", "session", "open", "high", "low", "close", "volume")
NEEDED = ("session", "open", "high", "low", "close")


def parse_price_map(text: str) -> dict[str, str]:
    """`session=ds,symbol=ticker,...`: field -> column. A field that is not named stands in the column of its own name.

    Raises:
        PriceFileError: an unknown or repeated field.
    """
    columns: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        name, _, column = (part.strip() for part in pair.partition("="))
        if name not in FIELDS or not column or name in columns:
            raise PriceFileError(
                f"The column map cannot use {pair!r}.", remedy=f"It is `field=column,...` with the fields {', '.join(FIELDS)}."
            )
        columns[name] = column
    return {name: columns.get(name, name) for name in FIELDS}


def read_price_file(
    path: Path, columns: Mapping[str, str], symbol: str | None = None, stated: Stated | None = None
) -> Iterator[RawBar]:
    """The file's rows in their order; `symbol` names what they are prices of where no column does, `stated` as for `read_session`.

    Raises:
        PriceFileError: no such file, not UTF-8, not CSV, a missing column, or no symbol anywhere.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="")
            header = set(reader.fieldnames or ())
            missing = [columns[name] for name in NEEDED if columns[name] not in header]
            if missing:
                raise PriceFileError(
                    f"{path.name} has no column {', '.join(missing)}.",
                    remedy=f"Name them with --map; its columns are {', '.join(sorted(header)) or 'none'}.",
                )
            if symbol is None and columns["symbol"] not in header:
                raise PriceFileError(
                    f"{path.name} does not say whose prices it holds.", remedy="Give --symbol, or map the field symbol."
                )
            for row in reader:
                payload = {str(name): cell for name, cell in row.items()}
                cells = {name: row.get(column) for name, column in columns.items()}
                yield read_bar({**cells, "symbol": symbol or cells["symbol"]}, payload, stated)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PriceFileError(f"{path.name} cannot be read: {error}.", remedy="Give a UTF-8 CSV file with a header.") from error
