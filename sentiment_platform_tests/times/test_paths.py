"""The table of spellings through every path by which a time comes in: all give what the one reader says."""

import csv
import json
from datetime import datetime, timedelta
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from sentiment_platform.news.archive import archive_items, parse_mapping
from sentiment_platform.news.items import RawItem
from sentiment_platform.news.parsing.parse import parse_feed
from sentiment_platform.news.parsing.sandbox import FeedParser
from sentiment_platform.news.sources.entries import FieldMap, JsonApiEntry
from sentiment_platform.news.sources.json_api import JsonApiSource
from sentiment_platform.times.reading import read_time
from sentiment_platform.times.stated import stated_clock
from sentiment_platform_tests.times.spellings import ASSUMED, DAYS, expected

RIGHT = {text: right for text, right in expected().items() if text}
ZONE = "America/New_York"
IN_NEW_YORK = {text: read.at if (read := read_time(text, stated_clock(ZONE))) else None for text in RIGHT}


def rss(texts: list[str]) -> bytes:
    items = "".join(f"<item><title>Profit</title><pubDate>{escape(text)}</pubDate></item>" for text in texts)
    return f'<rss version="2.0"><channel><title>f</title>{items}</channel></rss>'.encode()


def atom(texts: list[str]) -> bytes:
    entries = "".join(f"<entry><title>Profit</title><updated>{escape(text)}</updated></entry>" for text in texts)
    return f'<feed xmlns="http://www.w3.org/2005/Atom"><title>f</title>{entries}</feed>'.encode()


def instants(items: tuple[RawItem, ...] | list[RawItem]) -> list[datetime | None]:
    return [item.published_at for item in items]


@pytest.mark.parametrize("document", [rss, atom])
def test_feeds(document: object) -> None:
    body = (rss if document is rss else atom)(list(RIGHT))
    items = parse_feed(body, source="s", url="https://e.example/")
    assert dict(zip(RIGHT, instants(items), strict=True)) == RIGHT
    assert {text for text, item in zip(RIGHT, items, strict=True) if item.day_only} == set(DAYS)
    stated = parse_feed(body, source="s", url="https://e.example/", stated=stated_clock(ZONE))
    assert dict(zip(RIGHT, instants(stated), strict=True)) == IN_NEW_YORK


def test_the_process_that_may_open_no_file_knows_every_zone_and_every_format() -> None:
    texts = [*RIGHT, "2 Jul 2024 10:00 Antarctica/Troll", "2 Jul 2024 10:00 Asia/Kathmandu"]
    with FeedParser() as parser:
        items = parser.read(rss(texts), source="s", url="https://e.example/", zone="Pacific/Apia").items
        (day_first,) = parser.read(rss(["07/08/2024"]), source="s", url="https://e.example/", date_format="%d/%m/%Y").items
    assert instants(items) == [read.at if (read := read_time(text, stated_clock("Pacific/Apia"))) else None for text in texts]
    assert instants(items)[-1] is not None
    assert (day_first.published_at, day_first.day_only) == (datetime.fromisoformat("2024-08-07T00:00Z"), True)


def test_json_sources() -> None:
    fields = FieldMap(title="title", published_at="at")
    for zone, right in (("UTC", RIGHT), (ZONE, IN_NEW_YORK)):
        entry = JsonApiEntry(title="wire", url="https://e.example/news", fields=fields, zone=zone)
        items = JsonApiSource("wire", entry)._items([{"title": "Profit", "at": text} for text in right], "o")  # pyright: ignore[reportPrivateUsage]
        assert dict(zip(right, instants(items), strict=True)) == right


def test_numbers_in_json_are_epochs() -> None:
    entry = JsonApiEntry(title="wire", url="https://e.example/news", fields=FieldMap(title="title", published_at="at"))
    rows = [
        {"title": "Profit", "at": at} for at in (1719914400, 1719914400.25, 1719914400250, 1719914400250000, 20240702, 0, True)
    ]
    read = instants(JsonApiSource("wire", entry)._items(rows, "o"))  # pyright: ignore[reportPrivateUsage]
    ten = datetime.fromisoformat("2024-07-02T10:00Z")
    quarter = ten + timedelta(milliseconds=250)
    assert read == [ten, quarter, quarter, quarter, ten.replace(hour=0), None, None]


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_archives(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    with path.open("w", newline="") as file:
        if ending == "csv":
            csv.writer(file).writerows([("title", "date"), *(("Profit", text) for text in RIGHT)])
        else:
            file.writelines(json.dumps({"title": "Profit", "date": text}) + "\n" for text in RIGHT)
    for zone, right in (("UTC", RIGHT), (ZONE, IN_NEW_YORK)):
        items = list(archive_items(path, parse_mapping("title=title,published_at=date"), "a", stated=stated_clock(zone)))
        assert dict(zip(right, instants(items), strict=True)) == right
        assert {text for text, item in zip(right, items, strict=True) if item.day_only} == set(DAYS)


def test_the_stated_clock_moves_exactly_what_names_none() -> None:
    moved = {text for text in RIGHT if RIGHT[text] != IN_NEW_YORK[text]}
    assert moved == set(ASSUMED) | set(DAYS)
