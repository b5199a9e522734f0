"""Daily bars from a vendor's JSON interface, described by an entry of `sources.toml`: one bounded GET a symbol.

Not here: whether the bars are sound (`market.quality`), what is stored (`market.prices`).
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from sentiment_platform.market.bars import RawBar, read_bar
from sentiment_platform.market.errors import PriceSourceBusyError, PriceSourceError

CATALOGUE = Path(__file__).with_name("sources.toml")
MAX_BYTES = 8 * 1024 * 1024
TIMEOUT = httpx.Timeout(15.0, connect=5.0)
_AGAIN = "It is tried again with the next run, which asks for the last days once more."


class PriceSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry of the catalogue; what the keys mean stands at the head of `sources.toml`."""

    url: str
    headers: dict[str, str]
    rows: str
    fields: dict[str, str]
    verified: bool


@dataclass(frozen=True, slots=True)
class PriceRequest:
    """Whose bars, from the first to the last day, both included."""

    symbol: str
    first: date
    last: date


def read_catalogue(path: Path = CATALOGUE) -> Mapping[str, PriceSource]:
    """Name -> entry.

    Raises:
        PriceSourceError: the file is no TOML, or an entry lacks a key or has an unknown one.
    """
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), dict[str, PriceSource])
    except (OSError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise PriceSourceError(f"{path.name} is no catalogue: {error}.", remedy="Its head says what an entry holds.") from error


def fetch_bars(source: PriceSource, request: PriceRequest, key: str, *, allow_private_hosts: bool = False) -> list[RawBar]:
    """The vendor's bars of one symbol, as they came.

    Redirects are not followed, since the key would travel with them; neither address nor key of the caller's environment is used.

    Raises:
        PriceSourceBusyError: connection, time-out, 429, 5xx.
        PriceSourceError: another status, an answer that is too large or of another shape.
    """
    url = source.url.format(symbol=quote(request.symbol, safe=""), first=request.first, last=request.last)
    if not url.startswith("https://") and not allow_private_hosts:
        raise PriceSourceError("Prices are fetched over https only.", remedy="Correct the entry in sources.toml.")
    headers = {name: value.format(key=key) for name, value in source.headers.items()}
    host = httpx.URL(url).host
    try:
        with httpx.Client(timeout=TIMEOUT, trust_env=False) as client, client.stream("GET", url, headers=headers) as response:
            _refuse_status(response.status_code, host, request.symbol)
            body = b""
            for chunk in response.iter_bytes(1 << 16):
                body += chunk
                if len(body) > MAX_BYTES:
                    raise PriceSourceError(f"{host} sends more than {MAX_BYTES:,} bytes.", remedy="Ask for fewer days.")
    except (httpx.TransportError, httpx.DecodingError) as error:
        raise PriceSourceBusyError(f"{host} did not answer: {type(error).__name__}: {error}.", remedy=_AGAIN) from error
    return _bars(body, source, request.symbol, host)


def _refuse_status(status: int, host: str, symbol: str) -> None:
    if status == 429 or status >= 500:
        raise PriceSourceBusyError(f"{host} answered {status}.", remedy=_AGAIN)
    if status in (401, 403):
        raise PriceSourceError(
            f"{host} refused the key ({status}).", remedy="Check SENTIMENT_PRICE_KEY and what the plan allows."
        )
    if status != 200:
        raise PriceSourceError(
            f"{host} answered {status} for {symbol}.", remedy="Check the symbol and the entry in sources.toml."
        )


def _bars(body: bytes, source: PriceSource, symbol: str, host: str) -> list[RawBar]:
    try:
        found: Any = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise PriceSourceError(f"{host} sent no JSON: {error}.", remedy="Look at the answer: an error page, perhaps.") from error
    for step in filter(None, source.rows.split(".")):
        # Without the list there are no bars: that is how one vendor says that nothing was traded.
        found = found.get(step, []) if isinstance(found, dict) else None
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise PriceSourceError(f"{host} sent no list of bars.", remedy="Compare the answer with `rows` in sources.toml.")
    return [read_bar({name: row.get(key) for name, key in source.fields.items()} | {"symbol": symbol}, row) for row in found]
