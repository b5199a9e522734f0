"""A vendor that exists nowhere: its entry in TOML, and a server that pages through its rows in every way."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

from sentiment_platform_tests.news.server import Answer, reply
from sentiment_platform_tests.news.sources.conftest import NOW, Collector

KEY = "k3y-that-must-not-be-seen"
HOUR = timedelta(hours=1)
BASE = """
[wire]
kind = "json_api"
title = "The Wire"
url = "{url}/news"
items_at = "data.rows"
language = "en"
"""
FIELDS = """
[wire.fields]
id = "id"
title = "head"
published_at = "at"
tickers = "about[].symbol"
outlet = "by.name"
"""


def row(number: int, at: datetime = NOW - HOUR) -> dict[str, object]:
    return {
        "id": number,
        "head": f"Company {number} raises its &amp; our outlook",
        "at": at.isoformat(),
        "about": [{"symbol": f"C{number}"}],
        "by": {"name": "Ledger"},
        "sentiment": "bullish",
        "sentiment_score": 0.9,
    }


def vendor(rows: list[dict[str, object]], page: Callable[[dict[str, str], list[dict[str, object]]], dict[str, object]]) -> Answer:
    """Answers what `page` makes of the query's parameters and all rows."""

    def write(handler: BaseHTTPRequestHandler) -> None:
        query = {name: values[-1] for name, values in parse_qs(urlsplit(handler.path).query).items()}
        reply(json.dumps(page(query, rows)).encode(), content_type="application/json")(handler)

    return write


def by_page(query: dict[str, str], rows: list[dict[str, object]]) -> dict[str, object]:
    first = (int(query["page"]) - 1) * 2
    return {"data": {"rows": rows[first : first + 2]}}


def by_offset(query: dict[str, str], rows: list[dict[str, object]]) -> dict[str, object]:
    first = int(query["skip"])
    return {"data": {"rows": rows[first : first + 2]}}


def by_cursor(query: dict[str, str], rows: list[dict[str, object]]) -> dict[str, object]:
    first = int(query.get("token", "t0")[1:])
    following = f"t{first + 2}" if first + 2 < len(rows) else None
    return {"data": {"rows": rows[first : first + 2]}, "meta": {"next": following}}


def by_url(query: dict[str, str], rows: list[dict[str, object]]) -> dict[str, object]:
    first = int(query.get("from", 0))
    following = {"next": f"/news?from={first + 2}&key={query.get('key', '')}"} if first + 2 < len(rows) else {}
    return {"data": {"rows": rows[first : first + 2]}, **following}


def by_time(query: dict[str, str], rows: list[dict[str, object]]) -> dict[str, object]:
    since = datetime.fromtimestamp(int(query["since"]), UTC)
    return {"data": {"rows": [row for row in rows if datetime.fromisoformat(str(row["at"])) >= since][:2]}}


PAGING = {
    "page": ('paging = { kind = "page", parameter = "page", size = 2 }', by_page),
    "offset": ('paging = { kind = "offset", parameter = "skip", size = 2 }', by_offset),
    "cursor": ('paging = { kind = "cursor", parameter = "token", at = "meta.next" }', by_cursor),
    "next_url": ('paging = { kind = "next_url", at = "next" }\nauth = { variable = "WIRE_KEY", query = "key" }', by_url),
    "time": ('paging = { kind = "time", size = 2 }\nwindow = { start = "since", format = "unix" }', by_time),
}


def titles(collector: Collector) -> set[str]:
    return {article.title for article in collector.articles()}
