"""The table of spellings through every path by which a time comes in: all give what the one reader says."""

import csv
import json
from datetime import date, datetime, time, timedelta
from pathlib import Path
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

import pytest

from sentiment_platform.labels.importers import plain
from sentiment_platform.labels.label_studio import label_studio
from sentiment_platform.market.bars import read_session
from sentiment_platform.market.price_files import parse_price_map, read_price_file
from sentiment_platform.news.archive import archive_items, parse_mapping
from sentiment_platform.news.items import RawItem
from sentiment_platform.news.parsing.parse import parse_feed
from sentiment_platform.news.parsing.sandbox import FeedParser
from sentiment_platform.news.sources.entries import FieldMap, JsonApiEntry
from sentiment_platform.news.sources.json_api import JsonApiSource
from sentiment_platform.times.assumed import AssumedClock
from sentiment_platform.times.reading import read_time
from sentiment_platform.times.stated import stated_clock
from sentiment_platform_tests.times.spellings import ASSUMED, DAYS, NAMED, expected
from serving.contract.problems import Problem
from serving.predict.published_time import published_time

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


@pytest.mark.parametrize(("ending", "zone"), [("csv", "UTC"), ("jsonl", ZONE)])
def test_label_files(tmp_path: Path, ending: str, zone: str) -> None:
    path = tmp_path / f"labels.{ending}"
    with path.open("w", newline="") as file:
        if ending == "csv":
            rows = ((number, "Sales rose", "positive", text, text) for number, text in enumerate(RIGHT))
            csv.writer(file).writerows([("id", "text", "label", "labelled_at", "published_at"), *rows])
        else:
            known = {"text": "Sales rose", "label": "positive"}
            rows = (known | {"id": number, "labelled_at": text, "published_at": text} for number, text in enumerate(RIGHT))
            file.writelines(json.dumps(row) + "\n" for row in rows)
    clock = AssumedClock(stated_clock(zone), "--zone")
    report = plain(path, clock=clock)
    right = RIGHT if zone == "UTC" else IN_NEW_YORK
    read = {example.external_id: (example.labelled_at, example.published_at) for example in report.examples}
    assert read == {str(number): (at, at) for number, at in enumerate(right.values()) if at}
    refused = {str(one.row.payload["id"]) for one in report.refused}
    assert refused == {str(number) for number, at in enumerate(right.values()) if at is None}
    assert clock.times == 2 * len(ASSUMED)


def test_labelling_tools(tmp_path: Path) -> None:
    path = tmp_path / "project.json"
    result = [{"value": {"choices": ["positive"]}}]
    tasks = [
        {"id": number, "data": {"text": "Sales rose"}, "annotations": [{"completed_by": 1, "result": result, "updated_at": text}]}
        for number, text in enumerate(RIGHT)
    ]
    path.write_text(json.dumps(tasks))
    report = label_studio(path, clock=AssumedClock(stated_clock(ZONE), "--zone"))
    read = {one.external_id: one.labelled_at for one in report.examples}
    assert read == {str(number): at for number, at in enumerate(IN_NEW_YORK.values()) if at}


def test_price_files(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("session", "open", "high", "low", "close"), *((text, 1, 1, 1, 1) for text in RIGHT)])
    read = [read_time(text, stated_clock(ZONE)) for text in RIGHT]
    in_new_york = [one.at.astimezone(ZoneInfo(ZONE)).date() if one else None for one in read]
    stated = [bar.session for bar in read_price_file(path, parse_price_map(""), "EXM", stated_clock(ZONE))]
    assert all(
        session == (one.day if one and one.local and one.local.time() == time() else day)
        for session, one, day in zip(stated, read, in_new_york, strict=True)
    )
    assert len(set(stated)) > 5
    # Without a statement a time on the clock of another place is no day: which of two it means, nobody can say.
    unstated = [bar.session for bar in read_price_file(path, parse_price_map(""), "EXM")]
    text_days = [one.day if one else None for one in map(read_time, RIGHT)]
    assert all(session in (None, *days) for session, *days in zip(unstated, text_days, in_new_york, strict=True))
    by_text = dict(zip(RIGHT, unstated, strict=True))
    assert {text: by_text[text] for text in DAYS} == {text: date.fromisoformat(day) for text, day in DAYS.items()}


@pytest.mark.parametrize("per_second", [1, 10**3, 10**6, 10**9])
@pytest.mark.parametrize(("zone", "midnight"), [(None, "00:00"), (None, "05:00"), ("Asia/Seoul", "15:00"), ("UTC", "21:00")])
def test_a_number_is_the_session_whose_midnight_it_is(per_second: int, zone: str | None, midnight: str) -> None:
    moment = datetime.fromisoformat(f"2025-02-17T{midnight}Z")
    number = int(moment.timestamp()) * per_second
    day = moment.date() + timedelta(days=zone == "Asia/Seoul")
    assert read_session(number, stated_clock(zone) if zone else None) == read_session(
        str(number), stated_clock(zone) if zone else None
    )
    assert read_session(number, stated_clock(zone) if zone else None) == day


def test_a_number_that_is_nobodys_midnight_is_no_session() -> None:
    assert read_session(int(datetime.fromisoformat("2025-02-17T15:00Z").timestamp())) is None


NOW = datetime.fromisoformat("2026-11-29T07:00Z")


def of_a_request(text: str) -> datetime | None:
    try:
        return published_time(text, NOW)
    except Problem as problem:
        names_the_field = (problem.status_code, [fault.field for fault in problem.errors]) == (400, ["published_at"])
        return None if names_the_field else NOW


def test_requests_know_what_the_text_itself_names_and_refuse_the_rest_by_the_fields_name() -> None:
    named = {text: at for text, at in RIGHT.items() if text in NAMED and not text.replace(".", "").isdigit() and at}
    named = {text: at for text, at in named.items() if "/Date" not in text and "e+" not in text}
    assert {text: of_a_request(text) for text in RIGHT} == dict.fromkeys(RIGHT) | named
    assert published_time(None, NOW) is None


@pytest.mark.parametrize(
    ("text", "usable"),
    [
        ("1990-01-01T00:00:00Z", True),
        ("1989-12-31T23:59:59Z", False),
        ("2026-11-30T07:00:00Z", True),
        ("2026-11-30T07:00:01Z", False),
    ],
)
def test_requests_take_times_from_1990_to_a_day_ahead(text: str, usable: bool) -> None:
    assert (of_a_request(text) is not None) == usable


def test_an_import_says_what_it_assumed_and_how_much_falls_into_exchange_hours() -> None:
    def noted(zone: str, *texts: str) -> str | None:
        assumed = AssumedClock(stated_clock(zone), "--zone America/New_York")
        for text in texts:
            assumed.add(read_time(text, assumed.stated))
        return assumed.note()

    said = noted(
        "UTC", "2026-07-01 13:30", "2026-07-01 19:59:59", "2026-07-01 20:00", "2026-07-01 13:29", "2026-07-01", "1719914400"
    )
    assert said == (
        "4 times have no offset and are read as UTC; 50% of them fall between 13:30 and 20:00 UTC, when the exchange is open. "
        "If they are of another clock, say so with --zone America/New_York."
    )
    assert noted("America/New_York", "2026-07-01 09:31") == (
        "1 time has no offset and is read as America/New_York; 100% of them fall between 13:30 and 20:00 UTC, when the exchange is open."
    )
    assert noted("UTC", "2026-07-01T09:31Z", "2026-07-01", "soon") is None


def test_the_stated_clock_moves_exactly_what_names_none() -> None:
    moved = {text for text in RIGHT if RIGHT[text] != IN_NEW_YORK[text]}
    assert moved == set(ASSUMED) | set(DAYS)
