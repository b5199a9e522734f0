"""Daily bars from a vendor's JSON interface, described by an entry of `sources.toml`: one polite GET a symbol (`fetching.politeness`).

Not here: whether the bars are sound (`market.quality`), what is stored (`market.prices`).
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import msgspec

from sentiment_platform.fetching.addresses import shown
from sentiment_platform.fetching.http import FetchLimits, user_agent
from sentiment_platform.fetching.politeness import PoliteClient, pace_of
from sentiment_platform.market.bars import RawBar, read_bar
from sentiment_platform.market.errors import PriceSourceError
from sentiment_platform.times.stated import Stated, stated_clock

CATALOGUE = Path(__file__).with_name("sources.toml")
MAX_BYTES = 8 * 1024 * 1024


class PriceSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One entry of the catalogue; what the keys mean stands at the head of `sources.toml`."""

    url: str
    headers: dict[str, str]
    rows: str
    fields: dict[str, str]
    verified: bool
    requests_per_s: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    class_separator: str = "-"
    zone: str = ""

    def __post_init__(self) -> None:
        self.stated()

    def stated(self) -> Stated | None:
        """On whose clock numbers are days; None where the entry does not say.

        Raises:
            ValueError: no such zone.
        """
        return stated_clock(self.zone) if self.zone else None


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


def price_client(contact: str, *, allow_private_hosts: bool) -> PoliteClient:
    """What a run asks its vendor with: guarded, paced, and bounded in time for each symbol."""
    limits = FetchLimits(max_bytes=MAX_BYTES, allow_private_hosts=allow_private_hosts)
    return PoliteClient(agent=user_agent(contact), limits=limits)


def fetch_bars(source: PriceSource, request: PriceRequest, key: str, client: PoliteClient, now: datetime) -> list[RawBar]:
    """The vendor's bars of one symbol, as they came.

    Raises:
        SourceUnreachableError, SourceRefusedError: of the request, which is made again where that may help.
        PriceSourceError: an answer of another shape.
    """
    url = source.url.format(
        symbol=quote(request.symbol.replace("-", source.class_separator), safe=""), first=request.first, last=request.last
    )
    headers = {"Accept": "application/json"} | {name: value.format(key=key) for name, value in source.headers.items()}
    fetched = client.get(url, now=now, headers=headers, per_second=pace_of(url, source.requests_per_s))
    return _bars(fetched.body, source, request.symbol, shown(url))


def _bars(body: bytes, source: PriceSource, symbol: str, host: str) -> list[RawBar]:
    try:
        answer: Any = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise PriceSourceError(f"{host} sent no JSON: {error}.", remedy="Look at the answer: an error page, perhaps.") from error
    for step in filter(None, source.rows.split(".")):
        # Without the list there are no bars: that is how one vendor says that nothing was traded.
        answer = answer.get(step, []) if isinstance(answer, dict) else None
    if not isinstance(answer, list) or not all(isinstance(row, dict) for row in answer):
        raise PriceSourceError(f"{host} sent no list of bars.", remedy="Compare the answer with `rows` in sources.toml.")
    stated = source.stated()
    return [
        read_bar({name: row.get(key) for name, key in source.fields.items()} | {"symbol": symbol}, row, stated) for row in answer
    ]
