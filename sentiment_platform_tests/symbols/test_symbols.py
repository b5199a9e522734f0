"""Claims about symbols: one spelling for one thing, through whatever a symbol comes in."""

import csv
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sentiment_platform.market.bars import read_bar
from sentiment_platform.market.errors import PriceFileError
from sentiment_platform.market.price_files import parse_price_map, read_price_file
from sentiment_platform.news.archive import archive_items, parse_mapping
from sentiment_platform.news.items import RawItem
from sentiment_platform.news.parsing.parse import parse_feed
from sentiment_platform.news.quality import judge
from sentiment_platform.news.sources.catalogue import read_catalogue
from sentiment_platform.news.sources.entries import JsonApiEntry
from sentiment_platform.news.sources.json_api import JsonApiSource
from sentiment_platform.news.sources.protocol import Window
from sentiment_platform.symbols import SPELLING, symbol, symbols
from sentiment_platform_tests.symbols.spellings import NO_SYMBOL, NOTHING, SPELLINGS
from serving.contract.problems import Problem
from serving.predict.text_input import readable_symbol

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
CELLS = {**SPELLINGS, **dict.fromkeys((*NOTHING, *NO_SYMBOL), ())}


def tickers_of(items: Any) -> dict[int, RawItem]:
    """Accepted items by position; none may be refused."""
    judgement = judge(tuple(items), NOW)
    assert judgement.refused == ()
    return {item.position: item for item in judgement.accepted}


@pytest.mark.parametrize("cell", CELLS)
def test_a_spelling_means_these_symbols_and_its_one_spelling_means_itself(cell: str) -> None:
    read = symbols(cell)
    assert read.symbols == CELLS[cell]
    assert bool(read.left_out) == (cell in NO_SYMBOL)
    for known in read.symbols:
        assert symbols(known) == ((known,), ())


def test_a_cell_may_be_a_list_an_object_or_a_number() -> None:
    assert symbols(["mill", None, float("nan"), {"ticker": "MIL/B"}, ["LAKE"]]).symbols == ("MILL", "MIL-B", "LAKE")
    assert (symbols(7200.0).symbols, symbols(None), symbols(True)) == (("7200",), ((), ()), ((), ()))
    assert symbols([10**400]).left_out == ("<a long number>",)


_PARTS = st.sampled_from(
    [
        "LAMP",
        "LMP/B",
        "NASDAQ:",
        "US",
        "Equity",
        "nan",
        "BTC",
        "USD",
        "EUR",
        "-",
        "/",
        ".",
        ":",
        "KS",
        "HK",
        "(",
        ")",
        "$",
        "^",
        "=X",
        "-P",
        "Index",
        "C",
        "X",
        "FOREX:",
        "0",
        "&",
        "p",
        "b",
    ]
)


@settings(max_examples=500, deadline=None)
@given(st.one_of(st.text(max_size=14), st.lists(_PARTS, max_size=5).map("".join), st.lists(_PARTS, max_size=5).map(" ".join)))
@example("NASDAQ:NASDAQ:")
@example("&^B")
@example("BTC X : EUR")
def test_whatever_is_written_what_is_read_is_its_own_one_spelling(cell: str) -> None:
    for known in symbols(cell).symbols:
        assert re.fullmatch(SPELLING, known)
        assert symbol(known) == known


def test_a_row_of_an_archive_is_stored_with_these_symbols_and_a_note_on_what_is_none(tmp_path: Path) -> None:
    path = tmp_path / "desk.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(
            [("title", "date", "ticker"), *((f"Profit rises {n}", "2026-03-01", cell) for n, cell in enumerate(CELLS))]
        )
    accepted = tickers_of(archive_items(path, parse_mapping("title=title,published_at=date,tickers=ticker"), "desk"))
    assert len(accepted) == len(CELLS) >= 150
    for number, (cell, expected) in enumerate(CELLS.items(), start=1):
        assert accepted[number].tickers == expected, cell
        assert (accepted[number].notes != ()) == (cell in NO_SYMBOL), cell
    assert accepted[list(CELLS).index("hello world!!") + 1].notes == ("tickers: 'hello world!!' is no symbol",)


class _Reply:
    def __init__(self, body: bytes) -> None:
        self.body, self.url, self.content_type = body, "https://vendor.example/", "application/json"

    def get(self, url: str, *, headers: Any = None) -> Any:
        return self


@pytest.mark.parametrize("name", ["alpha_vantage", "finnhub", "polygon"])
def test_an_item_of_a_vendor_in_the_catalogue_has_these_symbols(name: str) -> None:
    entry = read_catalogue()[name].entry
    assert isinstance(entry, JsonApiEntry)
    rows = [_row(name, n, cell) for n, cell in enumerate(CELLS)]
    reply = _Reply(json.dumps({entry.items_at: rows} if entry.items_at else rows).encode())
    page = next(JsonApiSource(name, entry, "key").pages(Window(NOW, NOW), None, reply))  # pyright: ignore[reportArgumentType]
    accepted = tickers_of(page.items)
    for number, (cell, expected) in enumerate(CELLS.items(), start=1):
        assert accepted[number].tickers == expected, cell


def _row(vendor: str, number: int, cell: str) -> dict[str, Any]:
    title, url = f"Profit rises {number}", f"https://vendor.example/{number}"
    if vendor == "alpha_vantage":
        return {"title": title, "url": url, "time_published": "20260301T100000", "ticker_sentiment": [{"ticker": cell}]}
    if vendor == "finnhub":
        return {"headline": title, "url": url, "datetime": 1772359200, "related": cell}
    return {"title": title, "article_url": url, "published_utc": "2026-03-01T10:00:00Z", "tickers": [cell]}


def test_a_category_of_a_feed_has_these_symbols() -> None:
    from xml.sax.saxutils import escape

    cells = [cell for cell in CELLS if cell.strip()]
    items = "".join(
        f"<item><title>Profit rises {n}</title><pubDate>Sun, 01 Mar 2026 10:00:00 GMT</pubDate>"
        f'<category domain="https://feed.example/ticker">{escape(cell)}</category></item>'
        for n, cell in enumerate(cells)
    )
    body = f"<rss version='2.0'><channel><title>Wire</title>{items}</channel></rss>".encode()
    accepted = tickers_of(parse_feed(body, source="wire", url="https://feed.example/rss"))
    # A feed's own reader folds white space, so that a tab no longer separates; blanks do as well.
    assert {cell: accepted[n].tickers for n, cell in enumerate(cells, start=1)} == {cell: CELLS[cell] for cell in cells}


def one(expected: tuple[str, ...]) -> str | None:
    return expected[0] if len(expected) == 1 else None


def test_a_row_of_prices_is_of_this_symbol(tmp_path: Path) -> None:
    for cell, expected in CELLS.items():
        assert read_bar({"symbol": cell}, {}).symbol == one(expected), cell
    path = tmp_path / "prices.csv"
    path.write_text("symbol,session,open,high,low,close\nNYSE:MIL/B,2026-03-02,1,1,1,1\n")
    (bar,) = read_price_file(path, parse_price_map(""))
    assert bar.symbol == "MIL-B"
    with pytest.raises(PriceFileError):
        list(read_price_file(path, parse_price_map("symbol=ticker")))


def test_a_request_names_this_symbol_none_or_is_refused() -> None:
    for cell, expected in CELLS.items():
        if len(expected) == 1 or cell in NOTHING:
            assert readable_symbol(cell, "ticker") == one(expected), cell
        else:
            with pytest.raises(Problem) as refusal:
                readable_symbol(cell, "ticker")
            assert [fault.field for fault in refusal.value.errors] == ["ticker"], cell
