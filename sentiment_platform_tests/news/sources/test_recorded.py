"""The vendors of which replies were recorded, over a real HTTP server: what comes out is held against what was recorded."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from sentiment_platform.news.sources.protocol import Window
from sentiment_platform_tests.news.server import ScriptedServer, reply
from sentiment_platform_tests.news.sources.conftest import NOW, Collector

pytestmark = pytest.mark.shared_data
KEY = "0123456789abcdef"


@dataclass
class Recording:
    status: int
    body: bytes
    content_type: str

    @classmethod
    def tiingo(cls, shared_data: Path, name: str) -> "Recording":
        """The last exchange of a cassette."""
        cassette = yaml.safe_load((shared_data / "feeds/api_json/tiingo" / name).read_text())
        response = cassette["interactions"][-1]["response"]
        body = response["body"]["string"]
        types = {name.lower(): values for name, values in response["headers"].items()}["content-type"]
        return cls(response["status"]["code"], body if isinstance(body, bytes) else body.encode(), types[0])


def query(path: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(path).query)


@pytest.fixture
def tiingo(collector: Collector, feeds: ScriptedServer) -> Collector:
    collector.environ = {"TIINGO_API_KEY": KEY}
    collector.write(f'[tiingo]\nurl = "{feeds.url}/tiingo/news"\n')
    return collector


@pytest.fixture
def polygon(collector: Collector, feeds: ScriptedServer) -> Collector:
    collector.environ = {"POLYGON_API_KEY": KEY}
    collector.write(f'[polygon]\nurl = "{feeds.url}/v2/reference/news"\nrequests_per_s = 100\n')
    return collector


@pytest.mark.parametrize("name", ["news.yaml", "news_empty_sources.yaml"])
def test_a_recorded_reply_of_tiingo_becomes_the_articles_that_it_holds(
    tiingo: Collector, feeds: ScriptedServer, shared_data: Path, name: str
) -> None:
    recorded = Recording.tiingo(shared_data, name)
    (expected,) = json.loads(recorded.body)
    feeds.answers["/tiingo/news"] = reply(recorded.body, content_type=recorded.content_type)
    (report,) = tiingo()
    (article,) = tiingo.articles()
    assert (report.stored, report.quarantined) == (1, 0)
    assert (article.title, article.outlet) == (expected["title"], expected["source"])
    assert article.tickers == tuple(ticker.upper() for ticker in expected["tickers"])
    assert article.published_at == datetime.fromisoformat(expected["publishedDate"])
    # The second question is for what may follow: it brings the same, and so it is the last.
    (path, headers), _ = feeds.requests
    asked = query(path)
    assert headers["Authorization"] == f"Token {KEY}"
    assert KEY not in path
    assert (asked["startDate"], asked["endDate"], asked["offset"]) == (["2025-01-05"], ["2025-01-07"], ["0"])


def test_tiingo_is_asked_page_by_page_until_a_page_is_empty(tiingo: Collector, feeds: ScriptedServer, shared_data: Path) -> None:
    """Pages made of the recorded item under other ids: nobody recorded a hundred."""
    (item,) = json.loads(Recording.tiingo(shared_data, "news.yaml").body)

    def some(numbers: range) -> Any:
        rows = [{**item, "id": n, "title": f"{item['title']} {n}", "url": f"{item['url']}?n={n}"} for n in numbers]
        return reply(json.dumps(rows).encode(), content_type="application/json")

    base = "/tiingo/news?limit=100&sortBy=publishedDate&startDate=2025-01-05&endDate=2025-01-07&offset="
    feeds.answers |= {f"{base}0": some(range(100)), f"{base}100": some(range(100, 130)), f"{base}130": some(range(0))}
    (report,) = tiingo()
    assert (report.fetched, report.stored, len(feeds.requests)) == (130, 130, 3)


@pytest.mark.parametrize(("name", "reason"), [("news_bulk.yaml", "answered 403"), ("invalid_url.yaml", "answered 404")])
def test_a_recorded_refusal_of_tiingo_is_reported(
    tiingo: Collector, feeds: ScriptedServer, shared_data: Path, name: str, reason: str
) -> None:
    recorded = Recording.tiingo(shared_data, name)
    feeds.answers["/tiingo/news"] = reply(recorded.body, recorded.status, content_type=recorded.content_type)
    (report,) = tiingo()
    assert report.outcome == "failed"
    assert reason in (report.detail or "")
    assert KEY not in (report.detail or "")


def test_a_recorded_page_of_html_with_status_200_is_no_reply(tiingo: Collector, feeds: ScriptedServer, shared_data: Path) -> None:
    recorded = Recording.tiingo(shared_data, "invalid_url.yaml")
    feeds.answers["/tiingo/news"] = reply(recorded.body, content_type=recorded.content_type)
    (report,) = tiingo()
    assert "an HTML page, not JSON" in (report.detail or "")


def test_a_recorded_reply_of_polygon_becomes_the_articles_that_it_holds_and_its_next_address_is_followed(
    polygon: Collector, feeds: ScriptedServer, shared_data: Path
) -> None:
    """The recording has one page: it is served with an address of a next one, which is the recording itself."""
    recorded = (shared_data / "feeds/api_json/polygon/news_ticker_NFLX.json").read_bytes()
    (expected,) = json.loads(recorded)["results"]
    first = json.loads(recorded)
    first["results"][0] |= {"id": "another", "title": "Another headline", "article_url": "https://e.example/another"}
    first["next_url"] = f"{feeds.url}/v2/reference/news?cursor=abc"
    feeds.answers["/v2/reference/news"] = reply(json.dumps(first).encode(), content_type="application/json")
    feeds.answers["/v2/reference/news?cursor=abc"] = reply(recorded, content_type="application/json")
    (report,) = polygon()
    articles = {article.title: article for article in polygon.articles()}
    article = articles[expected["title"]]
    assert (report.fetched, report.stored, set(articles)) == (2, 2, {"Another headline", expected["title"]})
    assert (article.tickers, article.outlet) == (tuple(expected["tickers"]), expected["publisher"]["name"])
    assert article.published_at == datetime(2022, 4, 28, 17, 8, tzinfo=UTC)
    assert article.summary == expected["description"]
    assert all(headers["Authorization"] == f"Bearer {KEY}" for _, headers in feeds.requests)
    asked = query(feeds.requests[0][0])
    assert (asked["published_utc.gte"], asked["published_utc.lt"]) == (["2025-01-05T12:00:00Z"], ["2025-01-06T12:00:00Z"])


def test_a_backfill_from_polygon_dates_its_articles_by_their_publication(
    polygon: Collector, feeds: ScriptedServer, shared_data: Path
) -> None:
    recorded = (shared_data / "feeds/api_json/polygon/news_ticker_NFLX.json").read_bytes()
    feeds.answers["/v2/reference/news"] = reply(recorded, content_type="application/json")
    day = datetime(2022, 4, 28, tzinfo=UTC)
    (report,) = polygon(past=Window(day, day + timedelta(days=1)))
    (article,) = polygon.articles()
    assert (report.stored, article.available_at) == (1, article.published_at)
    assert article.available_at < NOW
