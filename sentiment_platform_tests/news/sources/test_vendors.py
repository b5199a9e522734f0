"""The shipped entries of the catalogue against what vendors answer: pages of every size, nothing, refusals inside of a 200, odd JSON.

Replies come from a list; the reader, the paging and the entries are the shipped ones.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from sentiment_platform.errors import PlatformError
from sentiment_platform.fetching.errors import SourceRefusedError
from sentiment_platform.fetching.http import Fetched
from sentiment_platform.news.errors import NotAFeedError
from sentiment_platform.news.parsing.parse import ParsedFeed, read_feed
from sentiment_platform.news.quality import judge
from sentiment_platform.news.sources.catalogue import read_catalogue
from sentiment_platform.news.sources.entries import Entry, JsonApiEntry, SecEntry
from sentiment_platform.news.sources.json_api import JsonApiSource
from sentiment_platform.news.sources.protocol import Cursor, Page, Window
from sentiment_platform.news.sources.sec import SecSource

NOW = datetime(2025, 1, 6, 12, tzinfo=UTC)
WINDOW = Window(NOW - timedelta(hours=6), NOW)
KEY = "s3cret/key+of=us"
JSON_ENTRIES = {name: listed.entry for name, listed in read_catalogue().items() if isinstance(listed.entry, JsonApiEntry)}
PAGED = ("tiingo", "newsapi", "alpha_vantage", "gdelt")
TIMES = {"alpha_vantage": "%Y%m%dT%H%M%S", "gdelt": "%Y%m%dT%H%M%SZ"}


class Replies:
    """Answers with one body after the other; what is asked for beyond them is an error of the test."""

    def __init__(self, answer: Callable[[dict[str, str]], bytes] | Sequence[bytes]) -> None:
        self.answer = answer
        self.asked: list[dict[str, str]] = []

    def get(self, url: str, *, headers: Mapping[str, str] | None = None, conditional: bool = False) -> Fetched:
        query = {name: values[-1] for name, values in parse_qs(urlsplit(url).query).items()}
        self.asked.append(query)
        body = self.answer(query) if callable(self.answer) else self.answer[len(self.asked) - 1]
        return Fetched(
            url=url.partition("?")[0],
            not_modified=False,
            body=body,
            content_type="application/json",
            etag=None,
            last_modified=None,
        )

    def read_feed(self, fetched: Fetched, source: str, entry: Entry) -> ParsedFeed:
        return read_feed(fetched.body, source=source, url=fetched.url)


def pages(name: str, replies: Replies, at: Cursor | None = None) -> list[Page]:
    return list(JsonApiSource(name, JSON_ENTRIES[name], KEY).pages(WINDOW, at, replies))


def row(name: str, number: int) -> dict[str, Any]:
    """One item as a vendor writes it, `number` minutes into the window."""
    fields, at = JSON_ENTRIES[name].fields, WINDOW.start + timedelta(minutes=number)
    made: dict[str, Any] = {
        fields.title.rpartition(".")[2]: f"Kiln maker opens plant {number}",
        "url": f"https://kiln.example/{number}",
    }
    return made | {fields.published_at: at.strftime(TIMES.get(name, "%Y-%m-%dT%H:%M:%SZ"))}


def document(name: str, rows: Sequence[Any], total: int | None = None) -> bytes:
    entry = JSON_ENTRIES[name]
    if not entry.items_at:
        return json.dumps(rows).encode()
    made: dict[str, Any] = {entry.items_at: rows}
    if entry.count_at:
        made[entry.count_at] = str(len(rows))
    if entry.total_at and total is not None:
        made[entry.total_at] = total
    return json.dumps(made).encode()


def numbered(name: str, rows: int, page_size: int, cap: int | None = None) -> Callable[[dict[str, str]], bytes]:
    """A vendor with so many rows that gives at most `page_size` a page, whatever is asked for."""
    entry = JSON_ENTRIES[name]

    def answer(query: dict[str, str]) -> bytes:
        if "offset" in query:
            first = int(query["offset"])
        elif "page" in query:
            first = (int(query["page"]) - 1) * page_size
        else:
            assert entry.window is not None
            since = datetime.strptime(query[entry.window.start], entry.window.format).replace(tzinfo=UTC)
            first = max(0, int((since - WINDOW.start) / timedelta(minutes=1)))
        shown = range(first, min(rows, first + page_size, cap or rows))
        return document(name, [row(name, number) for number in shown], total=rows)

    return answer


@pytest.mark.parametrize(("rows", "page_size"), [(7, 3), (6, 3), (1, 3), (0, 3), (250, 50), (30, 30)])
@pytest.mark.parametrize("name", PAGED)
def test_a_plan_with_smaller_pages_loses_no_item(name: str, rows: int, page_size: int) -> None:
    most = 100 if name == "newsapi" else rows
    replies = Replies(numbered(name, rows, page_size))
    given = [item for page in pages(name, replies) for item in page.items]
    assert {item.title for item in given} >= {f"Kiln maker opens plant {number}" for number in range(min(rows, most))}
    # One page overlaps the next where time leads on, and the last one is only known by one more.
    assert len(replies.asked) <= -(-rows // max(1, page_size - 1)) + 2
    assert not judge(given, NOW).refused


def test_a_stated_total_saves_the_question_for_a_page_that_is_not_there() -> None:
    replies = Replies(numbered("newsapi", 30, 50))
    assert [len(page.items) for page in pages("newsapi", replies)] == [30]


def test_a_cap_of_the_vendor_ends_the_window_and_is_told() -> None:
    replies = Replies(numbered("newsapi", 5_000, 100))
    (page,) = pages("newsapi", replies)
    assert (len(page.items), page.next, page.note) == (100, None, "the vendor states 5000 items and gave 100")


def test_a_vendor_that_stops_before_its_own_total_is_told() -> None:
    last = pages("newsapi", Replies(numbered("newsapi", 40, 10, cap=20)))[-1]
    assert last.note == "the vendor states 40 items and gave 20"


def test_a_count_that_is_not_that_of_the_reply_is_told() -> None:
    body = json.dumps({"items": "50", "feed": [row("alpha_vantage", 1)]}).encode()
    assert pages("alpha_vantage", Replies([body, body]))[0].note == "the reply states 50 items and holds 1"


@pytest.mark.parametrize("name", ["tiingo", "newsapi"])
def test_a_vendor_that_knows_one_page_alone_is_asked_once_more_in_one_turn_and_in_the_next(name: str) -> None:
    same = document(name, [row(name, number) for number in range(5)])
    replies = Replies([same] * 9)
    first, second = pages(name, replies)
    assert (second.next, len(replies.asked)) == (None, 2)
    again = Replies([same] * 9)
    assert [page.next for page in pages(name, again, first.next)] == [None]


def test_one_absurd_time_does_not_end_a_window_and_the_last_item_at_its_end_does() -> None:
    odd = {**row("gdelt", 1), "seendate": "20990101T000000Z"}
    replies = Replies([document("gdelt", [row("gdelt", 0), odd, row("gdelt", 2)]), document("gdelt", [row("gdelt", 2)])])
    assert len(pages("gdelt", replies)) == 2
    assert replies.asked[1]["startdatetime"] == "20250106060200"
    assert len(pages("gdelt", Replies([document("gdelt", [row("gdelt", 1), row("gdelt", 360)])]))) == 1


EMPTY = {
    "tiingo": ["[]", "null", "{}"],
    "polygon": ['{"status": "OK", "results": []}', '{"status": "OK", "count": 0}', '{"results": null, "status": "OK"}', "{}"],
    "finnhub": ["[]", "null", "{}"],
    "newsapi": ['{"status": "ok", "totalResults": 0, "articles": []}', '{"status": "ok", "totalResults": 0}', "{}"],
    "alpha_vantage": ['{"items": "0", "feed": []}', '{"items": "0"}', '{"feed": {}}', "{}"],
    "gdelt": ["{}", '{"articles": []}', '{"articles": null}', " {} \n", "\ufeff{}", "[]"],
}


@pytest.mark.parametrize(("name", "body"), [(name, body) for name, bodies in EMPTY.items() for body in bodies])
def test_an_answer_without_hits_is_no_failure(name: str, body: str) -> None:
    assert [(page.items, page.next) for page in pages(name, Replies([body.encode()]))] == [((), None)]


REFUSED = {
    "tiingo": ({"detail": "Please supply a token"}, "Please supply a token"),
    "polygon": ({"status": "ERROR", "request_id": "x", "error": "The plan allows five calls a minute"}, "The plan allows five calls a minute"),
    "polygon, not allowed": ({"status": "NOT_AUTHORIZED", "message": "Upgrade your plan"}, "Upgrade your plan"),
    "finnhub": ({"error": f"The key {KEY} is unknown"}, "The key *** is unknown"),
    "newsapi": ({"status": "error", "code": "parametersMissing", "message": "Say what to look for"}, "Say what to look for"),
    "newsapi, with a list": ({"status": "error", "message": "Too often", "articles": []}, "Too often"),
    "alpha_vantage": ({"Information": "25 calls a day"}, "25 calls a day"),
    "alpha_vantage, unknown name": ({"Warning message": "Soon gone"}, "Soon gone"),
    "gdelt": ({"error": {"code": 3, "message": "The query is too short"}}, "The query is too short"),
    "gdelt, further in": ({"response": {"status": "failed", "reason": "Quiet hours"}}, "failed; Quiet hours"),
    "gdelt, several": ({"errors": ["One", {"message": "Two"}]}, "One; Two"),
    "tiingo, key in an address": ({"detail": "see /x?token=s3cret%2Fkey%2Bof%3Dus"}, "see /x?token=***"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_refusal_inside_of_a_200_is_told_in_the_vendors_own_words(case: str) -> None:
    body, words = REFUSED[case]
    with pytest.raises(SourceRefusedError) as refusal:
        pages(case.partition(",")[0], Replies([json.dumps(body).encode()]))
    assert f"says: {words}" in refusal.value.message
    assert "s3cret" not in str(refusal.value)


@pytest.mark.parametrize("name", JSON_ENTRIES)
def test_plain_text_is_told_with_its_first_200_characters_and_no_key(name: str) -> None:
    said = f"Slow down, {KEY}! " + "One question every five seconds. " * 20
    with pytest.raises(NotAFeedError) as refusal:
        pages(name, Replies([said.encode()]))
    shown = said.replace(KEY, "***")[:200]
    assert f"it says: {shown}" in refusal.value.message
    assert said.replace(KEY, "***")[:201] not in refusal.value.message
    assert "s3cret" not in str(refusal.value)
    with pytest.raises(NotAFeedError) as cut:
        pages(name, Replies([b"x" * 190 + b" " + KEY.encode() + b" is not known"]))
    assert "s3cret"[:3] not in str(cut.value)
    with pytest.raises(NotAFeedError, match="an HTML page, not JSON") as markup:
        pages(name, Replies([b"<!doctype html><title>Blocked</title>"]))
    assert "Blocked" not in str(markup.value)


ESCAPES = {
    r"Kiln\: up": "Kiln: up",
    r"Kiln\'s": "Kiln's",
    r"Kiln \u12 up": "Kiln u12 up",
    r"Kiln \\: up": "Kiln \\: up",
    r"Kiln \"up\"": 'Kiln "up"',
    r"Z\u00fcrich \- up": "Z\u00fcrich - up",
    r"\ud83d\ude00 \d": "\U0001f600 d",
    "Kiln\t\nup": "Kiln up",
}


@pytest.mark.parametrize("written", ESCAPES)
def test_an_escape_that_json_does_not_know_costs_neither_the_page_nor_its_item(written: str) -> None:
    rows = [json.dumps(row("gdelt", number)) for number in range(250)]
    rows[200] = rows[200].replace("Kiln maker opens plant 200", written)
    body = ('{"articles": [' + ",".join(rows) + "]}").encode()
    (page, _) = pages("gdelt", Replies([body, document("gdelt", [])]))
    assert (len(page.items), page.items[200].title) == (250, ESCAPES[written])
    assert len(judge(page.items, NOW).accepted) == 250


def test_a_lenient_source_may_write_numbers_that_are_none_and_commas_too_many() -> None:
    body = document("gdelt", [row("gdelt", 1), row("gdelt", 2)]).decode()
    broken = body.replace("}]", ', "x": [NaN, -Infinity, 1e999, "a,]", ], },]')
    (page, _) = pages("gdelt", Replies([broken.encode(), document("gdelt", [])]))
    assert len(judge(page.items, NOW).accepted) == 2


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"s": "error", "errmsg": "no access"}, "says: no access"),
        ({"err": {"text": "plan over"}}, "says: plan over"),
        (["error: quota of the day"], "says: error: quota of the day"),
        ("You are too fast", "says: You are too fast"),
        ({"code": 429}, "says: code 429"),
        ({"status": "ok"}, "has no list"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("name", JSON_ENTRIES)
def test_a_refusal_in_other_shapes_reaches_the_person_too(name: str, said: Any, words: str) -> None:
    if JSON_ENTRIES[name].items_at or words != "has no list":
        with pytest.raises(PlatformError, match=words):
            pages(name, Replies([json.dumps(said).encode()]))


@pytest.mark.parametrize("name", ["alpha_vantage", "gdelt"])
def test_a_minute_that_fills_a_page_does_not_hide_what_comes_after_it(name: str) -> None:
    """Five items of one minute, three a page: two of them cannot be asked for, and the report says so; the later ones come."""
    rows = [row(name, number) for number in range(8)]
    for number, one in enumerate(rows):
        at = WINDOW.start + timedelta(minutes=10 if number < 5 else number * 20)
        one[JSON_ENTRIES[name].fields.published_at] = at.strftime(TIMES[name])
    window = JSON_ENTRIES[name].window

    def answer(query: dict[str, str]) -> bytes:
        assert window is not None
        start = datetime.strptime(query[window.start], window.format).strftime(TIMES[name])
        later = [one for one in rows if one[JSON_ENTRIES[name].fields.published_at] >= start]
        return document(name, later[:3])

    replies = Replies(answer)
    told = pages(name, replies)
    assert len({item.title for page in told for item in page.items}) == 6
    assert len(replies.asked) == 4
    assert ["may be missing" in (page.note or "") for page in told] == [False, False, True, False]


def test_strict_stays_strict_where_a_source_does_not_ask_for_leniency() -> None:
    body = document("polygon", [row("polygon", 1)]).replace(b"Kiln maker", rb"Kiln\: maker")
    with pytest.raises(NotAFeedError, match="not JSON"):
        pages("polygon", Replies([body]))


BROKEN_ROWS: tuple[Any, ...] = (
    None,
    7,
    "text",
    [],
    {},
    {"title": {"a": 1}},
    {"title": "Kiln", "seendate": [1]},
    {"title": "\ud83d x"},
)


@pytest.mark.parametrize("broken", BROKEN_ROWS, ids=repr)
def test_a_fault_in_one_item_of_250_costs_that_item(broken: Any) -> None:
    rows: list[Any] = [row("gdelt", number) for number in range(250)]
    rows[100] = broken
    (page, *_) = pages("gdelt", Replies([document("gdelt", rows), document("gdelt", [])]))
    judgement = judge(page.items, NOW)
    assert (len(judgement.accepted), len(judgement.refused)) == (249, 1)


def test_filings_in_smaller_pages_are_read_back_to_the_beginning_of_the_window() -> None:
    entry = read_catalogue()["sec"].entry
    assert isinstance(entry, SecEntry)

    def feed(query: dict[str, str]) -> bytes:
        if not query:
            return b"{}"
        first = int(query["start"])
        entries = "".join(
            f"<entry><title>8-K - KILN {n} (000000000{n}) (Filer)</title><id>urn:{n}</id>"
            f"<updated>{(NOW - timedelta(minutes=n)).isoformat()}</updated></entry>"
            for n in range(first, min(first + 3, 8))
        )
        return f'<feed xmlns="http://www.w3.org/2005/Atom">{entries}</feed>'.encode()

    source = SecSource(name="sec", entry=entry, contact="ops@kiln.example")
    replies = Replies(feed)
    assert sum(len(page.items) for page in source.pages(WINDOW, None, replies)) == 8
    assert [query["start"] for query in replies.asked if query] == ["0", "3", "6", "8"]
    short = Replies(feed)
    assert len(list(source.pages(Window(NOW - timedelta(minutes=2), NOW), None, short))) == 2


def test_every_shipped_vendor_is_tried_here() -> None:
    assert set(EMPTY) == set(JSON_ENTRIES)
    assert {case.partition(",")[0] for case in REFUSED} == set(JSON_ENTRIES)
    assert issubclass(SourceRefusedError, PlatformError)
