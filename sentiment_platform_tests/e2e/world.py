"""A day of news as six sources publish it, behind one real HTTP server whose clock the test sets.

An item shows from `appears` on, which may be long after `published`. Nothing here knows how it is collected.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

import msgspec

from sentiment_platform_tests.news.parsing.hostile import Trap, corpus
from sentiment_platform_tests.news.server import Answer, ScriptedServer, item, reply, rss

DAY = date(2025, 3, 12)
MIDNIGHT = datetime(2025, 3, 12, tzinfo=UTC)
OUTAGE = (MIDNIGHT + timedelta(hours=9), MIDNIGHT + timedelta(hours=14))
NEW_YORK = timezone(-timedelta(hours=4))
NAMES = ("wire", "down", "liar", "hostile", "vendor")
LATE_DAYS = (DAY - timedelta(days=6), DAY - timedelta(days=3), DAY - timedelta(days=2))

CATALOGUE = """
[wire]
kind = "rss"
title = "Wire"
url = "{url}/wire"
[down]
kind = "rss"
title = "Down for hours"
url = "{url}/down"
[liar]
kind = "rss"
title = "Says that nothing changed"
url = "{url}/liar"
[hostile]
kind = "rss"
title = "Sends anything"
url = "{url}/hostile"
[vendor]
kind = "json_api"
title = "Answers for the window that it is asked for"
url = "{url}/vendor"
items_at = "items"
quota_per_day = 1000
fields = {{ id = "id", title = "title", published_at = "at", url = "url" }}
window = {{ start = "from", end = "to" }}
paging = {{ kind = "page", parameter = "page", size = 5 }}
"""
FORGETFUL = CATALOGUE[CATALOGUE.index("[vendor]") :].replace("[vendor]", "[forgetful]") + "lookback_h = 0.25\n"
"""The vendor again, for a collector that asks for the last quarter of an hour alone."""


@dataclass(frozen=True, slots=True)
class Item:
    """What a source publishes; `zone` is the one that it writes its time in."""

    source: str
    title: str
    published: datetime
    appears: datetime
    zone: timezone = UTC

    @property
    def day(self) -> date:
        """The UTC day that it belongs to."""
        return self.published.date()

    @property
    def url(self) -> str:
        """Its address, which two sources share where they tell the same."""
        host = "both" if self.title.startswith("told twice") else self.source
        return f"https://{host}.example/{self.title.replace(' ', '-')}"


@dataclass
class World:
    """All items, and the server's answers at `now`."""

    trap: Trap
    seed: int = 7
    now: datetime = MIDNIGHT
    hostile_sends_good: bool = False
    items: list[Item] = field(init=False)

    def __post_init__(self) -> None:
        self.items = list(_items(random.Random(self.seed)))
        slow = ("huge", "many", "100,000", "more bytes", "open", "mutation", "deep", "length", "status 429", "100")
        answers = [one for one in corpus(self.trap) if not one.name.startswith(slow) and len(one.body) < 100_000]
        random.Random(self.seed).shuffle(answers)
        self._hostile = iter(answers)

    def serve(self, server: ScriptedServer) -> None:
        """Let every path answer for its source."""
        server.answers |= {
            "/wire": self._answer(lambda: reply(self._feed("wire", 60), etag=f'"{hash(self._feed("wire", 60))}"')),
            "/down": self._answer(self._down),
            "/liar": self._answer(lambda: reply(self._feed("liar", 60), etag='"never changes"')),
            "/hostile": self._answer(self._anything),
            "/vendor": self._vendor,
        }

    def _answer(self, make: Callable[[], Answer]) -> Answer:
        return lambda handler: make()(handler)

    def shown(self, source: str) -> list[Item]:
        """What the source shows now, the newest first."""
        found = [one for one in self.items if one.source == source and one.appears <= self.now]
        return sorted(found, key=lambda one: one.appears, reverse=True)

    def _feed(self, source: str, newest: int) -> bytes:
        shown = self.shown(source)[:newest]
        return rss(*(item(one.title, one.url, format_datetime(one.published.astimezone(one.zone))) for one in shown))

    def _down(self) -> Answer:
        return reply(b"", status=503) if OUTAGE[0] <= self.now < OUTAGE[1] else reply(self._feed("down", 60))

    def _anything(self) -> Answer:
        if self.hostile_sends_good:
            return reply(self._feed("hostile", 60))
        one = next(self._hostile)

        def write(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(one.status)
            for name, value in one.headers.items():
                handler.send_header(name, value.encode("latin-1", "replace").decode("latin-1"))
            handler.send_header("Content-Length", str(len(one.body)))
            handler.end_headers()
            handler.wfile.write(one.body)

        return write

    def _vendor(self, handler: BaseHTTPRequestHandler) -> None:
        query = {name: values[0] for name, values in parse_qs(urlsplit(handler.path).query).items()}
        start, end = (datetime.fromisoformat(query[name]) for name in ("from", "to"))
        wanted = [one for one in reversed(self.shown("vendor")) if start <= one.published <= end]
        page = int(query.get("page", "1"))
        rows = [{"id": one.url, "title": one.title, "at": one.published.isoformat(), "url": one.url} for one in wanted]
        reply(msgspec.json.encode({"items": rows[5 * (page - 1) : 5 * page]}))(handler)


def _items(chance: random.Random) -> Iterator[Item]:
    minute = timedelta(minutes=1)
    every = {"wire": 11, "down": 23, "liar": 29, "hostile": 31, "vendor": 9}
    for source, minutes in every.items():
        for n, offset in enumerate(range(2, 24 * 60, minutes)):
            published = MIDNIGHT + offset * minute + timedelta(seconds=chance.randrange(60))
            # A vendor's items may be late by as much as its windows overlap.
            appears = min(published + chance.randrange(40) * minute, MIDNIGHT + timedelta(hours=24) - minute)
            yield Item(source, f"{source} number {n} of {chance.getrandbits(40):x}", published, max(published, appears), chance.choice((UTC, NEW_YORK)))  # fmt: skip
    second = timedelta(seconds=1)
    for n, (published, after) in enumerate(
        [
            (MIDNIGHT - second, 20),
            (MIDNIGHT - 10 * minute, 50),
            (MIDNIGHT - 10 * minute, 90),
            (MIDNIGHT, 5),
            (MIDNIGHT + timedelta(days=1) - second, 10),
            (MIDNIGHT + timedelta(days=1), 10),
        ]
    ):
        yield Item("wire", f"midnight {n} strikes", published, published + after * minute, NEW_YORK)
    for n, (day, hour) in enumerate(zip((*LATE_DAYS, *LATE_DAYS[:2]), (3, 7, 7, 15, 22), strict=True)):
        at = datetime.combine(day, MIDNIGHT.timetz()) + chance.randrange(1440) * minute
        yield Item("liar", f"late {n} of {day}", at, MIDNIGHT + timedelta(hours=hour))
    for n in range(5):
        published = MIDNIGHT + timedelta(hours=16, minutes=7 * n)
        for source in ("wire", "down"):
            yield Item(source, f"told twice {n}", published, published + minute)
