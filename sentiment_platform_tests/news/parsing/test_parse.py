from datetime import UTC, datetime
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from sentiment_platform.news.errors import NotAFeedError
from sentiment_platform.news.parsing.documents import decoded, document_kind
from sentiment_platform.news.parsing.parse import parse_feed
from sentiment_platform_tests.news.parsing.hostile import DATE, TEXTS
from sentiment_platform_tests.news.server import item, rss

URL = "https://feeds.example/news"


def test_an_rss_item_with_everything() -> None:
    extra = (
        "<description>&lt;p&gt;Up &lt;b&gt;9 %&lt;/b&gt;&lt;/p&gt;&lt;script&gt;x()&lt;/script&gt;</description>"
        '<source url="https://ledger.example">Daily Ledger</source><category domain="ticker">EXM</category><category>Markets</category>'
    )
    (found,) = parse_feed(
        rss(item("R&amp;D pays", "/a?x=1", "Mon, 06 Jan 2025 10:00:00 -0500", guid="g1", extra=extra)), source="s", url=URL
    )
    assert (found.title, found.summary, found.url, found.guid) == ("R&D pays", "Up 9 %", "https://feeds.example/a?x=1", "g1")
    assert (found.outlet, found.tickers, found.language, found.position) == ("Daily Ledger", ("EXM",), "en", 1)
    assert found.published_at == datetime(2025, 1, 6, 15, tzinfo=UTC)
    assert found.published_text == "Mon, 06 Jan 2025 10:00:00 -0500"


def test_an_atom_entry() -> None:
    body = b"""<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>t</title><entry><id>urn:1</id>
    <title type="html">Loss &amp;lt;em&gt;narrows</title><link href="https://e.example/1"/><updated>2025-01-06T10:00:00Z</updated>
    <category scheme="https://e.example/ticker" term="EXM"/></entry></feed>"""
    (found,) = parse_feed(body, source="s", url=URL)
    assert (found.guid, found.url, found.tickers) == ("urn:1", "https://e.example/1", ("EXM",))
    assert found.published_at == datetime(2025, 1, 6, 10, tzinfo=UTC)


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "utf-16"])
def test_the_declared_charset_is_followed(charset: str) -> None:
    text = rss(item("Caf\u00e9 profits", URL, "Mon, 06 Jan 2025 10:00:00 GMT")).decode().replace("UTF-8", charset)
    assert parse_feed(text.encode(charset), source="s", url=URL, content_type="text/xml")[0].title == "Caf\u00e9 profits"


def test_a_missing_or_absurd_date_is_left_for_the_contract() -> None:
    body = rss(item("a", URL, ""), item("b", URL, "soon"), item("c", URL, "Mon, 06 Jan 99999 10:00:00 GMT"))
    found = parse_feed(body, source="s", url=URL)
    assert [(i.published_at, i.published_text) for i in found][:2] == [(None, None), (None, "soon")]
    assert found[2].published_at is None


REFUSED = {
    "an HTML page": b"<!DOCTYPE html><html><body>Sign in</body></html>",
    "a sitemap (urlset)": b'<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"/>',
    "a sitemap index": b"<sitemapindex/>",
    "empty": b" \n",
    "a JSON document": b'{"error": 1}',
    "not XML at all": b"Service unavailable",
    "an XML document with the root element <opml>": b"<!-- <rss> --><opml/>",
    "a document with a DOCTYPE or ENTITY declaration (refused unread)": b'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "b">]><rss/>',
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_feed_is_refused_by_name(kind: str) -> None:
    with pytest.raises(NotAFeedError) as refusal:
        parse_feed(REFUSED[kind], source="s", url=URL)
    assert kind in str(refusal.value)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-8-sig"])
def test_a_declaration_cannot_hide_behind_an_encoding(encoding: str) -> None:
    document = '<?xml version="1.0"?><!DOCTYPE rss SYSTEM "file:///etc/passwd"><rss/>'
    assert "DOCTYPE" in document_kind(decoded(document.encode(encoding)))
    assert document_kind(decoded("<rss/>".encode(encoding))) == "rss"


def test_a_truncated_feed_is_refused_rather_than_half_read() -> None:
    body = rss(item("a", URL, ""), item("b", URL, ""))
    with pytest.raises(NotAFeedError, match="broken XML"):
        parse_feed(body[:-40], source="s", url=URL)
    assert len(parse_feed(body, source="s", url=URL)) == 2


@pytest.mark.parametrize("number", range(len(TEXTS)))
def test_one_hostile_item_costs_a_feed_no_other(number: int) -> None:
    bad = item(escape(TEXTS[number]), "https://e.example/b", DATE, extra=f"<description>{escape(TEXTS[number])}</description>")
    found = parse_feed(rss(bad, item("Profit rises", "https://e.example/1", DATE)), source="wire", url=URL)
    assert [one.title for one in found[1:]] == ["Profit rises"]


def test_a_path_is_never_opened(tmp_path: Path) -> None:
    secret = tmp_path / "feed.xml"
    secret.write_bytes(rss(item("a", URL, "")))
    with pytest.raises(NotAFeedError, match="not XML"):
        parse_feed(str(secret).encode(), source="s", url=URL)


@pytest.mark.shared_data
@pytest.mark.parametrize(("name", "items"), [("cnbc", 30), ("google", 100), ("nytimes", 50), ("seekingalpha", 20)])
def test_a_recorded_feed_is_read_completely(shared_data: Path, name: str, items: int) -> None:
    found = parse_feed((shared_data / "feeds" / "real" / f"{name}.xml").read_bytes(), source=name, url=URL)
    assert len(found) == items
    assert all(i.title and i.url and i.published_at and "<" not in i.title for i in found)


@pytest.mark.shared_data
def test_the_recorded_sitemap_is_refused_by_name(shared_data: Path) -> None:
    with pytest.raises(NotAFeedError, match="sitemap"):
        parse_feed((shared_data / "feeds" / "real" / "bloomberg.xml").read_bytes(), source="b", url=URL)


@pytest.mark.parametrize(
    ("times", "text", "hour"),
    [
        ("<pubDate>soon</pubDate><dc:date>2025-01-06T11:00:00Z</dc:date>", "2025-01-06T11:00:00Z", 11),
        ("<dc:date>2025-01-06T11:00:00Z</dc:date><pubDate>soon</pubDate>", "2025-01-06T11:00:00Z", 11),
        ("<dcterms:created>2025-01-06T12:00:00Z</dcterms:created>", "2025-01-06T12:00:00Z", 12),
        (
            "<pubDate>Mon, 06 Jan 2025 10:00:00 GMT</pubDate><dc:date>2025-01-06T11:00:00Z</dc:date>",
            "Mon, 06 Jan 2025 10:00:00 GMT",
            10,
        ),
        ("<pubDate>soon</pubDate><dc:date>later</dc:date>", "soon", None),
    ],
)
def test_of_several_times_the_first_that_can_be_read_counts(times: str, text: str, hour: int | None) -> None:
    spaces = 'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/"'
    body = f'<rss version="2.0" {spaces}><channel><item><title>Kiln pays</title>{times}</item></channel></rss>'
    (item,) = parse_feed(body.encode(), source="s", url="https://kiln.example/feed")
    assert (item.published_text, item.published_at.hour if item.published_at else None) == (text, hour)
