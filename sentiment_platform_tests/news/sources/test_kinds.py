"""The kinds that are no JSON: EDGAR's filings, posts without headlines, archives as sources of a backfill."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from sentiment_platform.errors import SettingsError
from sentiment_platform.news.sources.protocol import Window
from sentiment_platform_tests.news.server import ScriptedServer, reply
from sentiment_platform_tests.news.sources.conftest import NOW, Collector

SEC = """
[sec]
url = "{url}/cgi-bin/browse-edgar?action=getcurrent&output=atom"
tickers_url = "{url}/files/company_tickers.json"
page_size = 2
"""
TICKERS = {
    "0": {"cik_str": 1001, "ticker": "EXM", "title": "Example Corp"},
    "1": {"cik_str": 1001, "ticker": "EXM-B", "title": "Example Corp"},
}
PAGE = "/cgi-bin/browse-edgar?action=getcurrent&output=atom&start={}&count=2"


def filing(number: int, company: str, cik: int, at: datetime) -> str:
    accession = f"0000001001-25-{number:06}"
    summary = (
        f"&lt;b&gt;Filed:&lt;/b&gt; {at:%Y-%m-%d} &lt;b&gt;AccNo:&lt;/b&gt; {accession} &lt;b&gt;Size:&lt;/b&gt; 2 MB"
        "&lt;br&gt;Item 2.02: Results of Operations&lt;br&gt;Item 9.01: Exhibits"
    )
    return (
        f"<entry><title>8-K - {company} ({cik:010}) (Filer)</title>"
        f'<link rel="alternate" type="text/html" href="https://www.sec.gov/Archives/edgar/data/{cik}/{number}-index.htm"/>'
        f'<summary type="html">{summary}</summary><updated>{at.isoformat()}</updated>'
        f'<category scheme="https://www.sec.gov/" label="form type" term="8-K"/>'
        f"<id>urn:tag:sec.gov,2008:accession-number={accession}</id></entry>"
    )


def atom(*entries: str) -> bytes:
    head = '<?xml version="1.0" encoding="ISO-8859-1" ?><feed xmlns="http://www.w3.org/2005/Atom"><title>Latest Filings</title>'
    return (head + "".join(entries) + "</feed>").encode()


@pytest.fixture
def edgar(collector: Collector, feeds: ScriptedServer) -> Collector:
    collector.write(SEC.format(url=feeds.url))
    at = NOW - timedelta(minutes=10)
    feeds.answers["/files/company_tickers.json"] = reply(json.dumps(TICKERS).encode(), content_type="application/json")
    feeds.answers[PAGE.format(0)] = reply(
        atom(filing(1, "EXAMPLE CORP", 1001, at), filing(2, "OTHER &amp; SONS INC", 2002, at - timedelta(hours=1)))
    )
    feeds.answers[PAGE.format(2)] = reply(
        atom(filing(2, "EXAMPLE CORP", 1001, at - timedelta(hours=1)), filing(3, "OLD CO", 3003, at - timedelta(hours=9)))
    )
    return collector


def test_filings_are_read_back_to_the_beginning_of_the_window_with_company_ticker_number_and_form(
    edgar: Collector, feeds: ScriptedServer
) -> None:
    (report,) = edgar()
    assert (report.outcome, report.stored, report.detail) == ("collected", 4, None)
    with edgar.engine.connect() as connection:
        rows = connection.execute(
            text("SELECT title, outlet, tickers, external_id, summary, url FROM platform.raw_data ORDER BY title, external_id")
        ).all()
    assert [tuple(row) for row in rows[:2]] == [
        (
            "8-K - EXAMPLE CORP (0000001001) (Filer)",
            "EXAMPLE CORP",
            ["EXM", "EXM-B"],
            f"0000001001-25-{number:06}/0000001001",
            "Item 2.02: Results of Operations Item 9.01: Exhibits",
            f"https://www.sec.gov/Archives/edgar/data/1001/{number}-index.htm",
        )
        for number in (1, 2)
    ]
    assert [(row.outlet, row.tickers) for row in rows[2:]] == [("OLD CO", []), ("OTHER & SONS INC", [])]
    assert [path for path, _ in feeds.requests] == [PAGE.format(0), "/files/company_tickers.json", PAGE.format(2)]
    assert {headers["User-Agent"] for _, headers in feeds.requests} == {"sentiment-platform (ops@example.org)"}


def test_the_list_of_tickers_is_asked_for_once_a_day_and_filings_do_without_it(edgar: Collector, feeds: ScriptedServer) -> None:
    feeds.answers["/files/company_tickers.json"] = reply(status=404)
    (report,) = edgar()
    assert (report.outcome, report.stored) == ("collected", 4)
    assert "list of tickers" in (edgar()[0].detail or "")
    feeds.answers["/files/company_tickers.json"] = reply(json.dumps(TICKERS).encode())
    before = len(feeds.requests)
    edgar(NOW + timedelta(minutes=15))
    edgar(NOW + timedelta(minutes=30))
    assert [path for path, _ in feeds.requests[before:]].count("/files/company_tickers.json") == 1


def test_the_sec_is_not_asked_without_a_contact(edgar: Collector, feeds: ScriptedServer) -> None:
    edgar.contact = ""
    (report,) = edgar()
    assert report.outcome == "failed"
    assert "Set SENTIMENT_CONTACT" in (report.detail or "")
    assert feeds.requests == []


def test_a_post_without_a_headline_is_titled_by_its_text(collector: Collector, feeds: ScriptedServer) -> None:
    long = "Shares of Example Corp jump " + "again and " * 60
    posts = [
        f"<entry><id>tag:{n}</id><title></title><updated>{NOW.isoformat()}</updated>"
        f'<link href="https://social.example/{n}"/><content type="html">&lt;p&gt;{body}&lt;/p&gt;</content></entry>'
        for n, body in enumerate(["Shares of Example Corp jump", long])
    ]
    feeds.answers["/tags/stocks"] = reply(atom(*posts), content_type="application/atom+xml")
    collector.write(f'[mastodon_stocks]\nurl = "{feeds.url}/tags/stocks"\n')
    (report,) = collector()
    titles = sorted(article.title for article in collector.articles())
    assert (report.stored, report.quarantined) == (2, 0)
    assert titles[0] == "Shares of Example Corp jump"
    assert 200 < len(titles[1]) <= 300
    assert long.startswith(titles[1])


def test_an_archive_is_a_source_of_backfills_and_gives_the_rows_of_the_window(collector: Collector, tmp_path: Path) -> None:
    (tmp_path / "old.csv").write_text(
        "2024-05-01,Profit rises\n2024-05-02T09:00:00Z,Loss narrows\n2024-05-03,Sales fall\nsoon,No time\n"
    )
    collector.write(
        '[old]\nkind = "archive"\ntitle = "Old"\npath = "old.csv"\ncolumns = "title=1,published_at=0"\n'
        '[gone]\nkind = "archive"\ntitle = "Gone"\npath = "gone.csv"\ncolumns = "title=1,published_at=0"\n'
    )
    assert collector() == []
    window = Window(datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 5, 3, tzinfo=UTC))
    old, gone = collector(past=window)
    assert (old.fetched, old.stored, old.quarantined) == (3, 2, 1)
    assert (gone.outcome, gone.detail) == ("skipped", f"not asked: there is no file {tmp_path / 'gone.csv'}")
    assert [(a.title, a.available_at) for a in collector.articles()] == [
        ("Profit rises", datetime(2024, 5, 2, tzinfo=UTC)),
        ("Loss narrows", datetime(2024, 5, 2, 9, tzinfo=UTC)),
    ]
    again, _ = collector(past=window, run_id="again")
    assert (again.stored, again.duplicate, again.quarantined) == (0, 2, 1)


def test_an_archive_says_how_its_file_is_written(collector: Collector, tmp_path: Path) -> None:
    (tmp_path / "old.csv").write_bytes(
        "datum~titulek\n2024-05-01T09:00:00Z~Výrobce kamen zvýšil tržby, a dost\n".encode("cp1250")
    )
    entry = '[old]\nkind = "archive"\ntitle = "Old"\npath = "old.csv"\ncolumns = "title=titulek,published_at=datum"\n'
    window = Window(datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 5, 2, tzinfo=UTC))
    collector.write(entry + 'encoding = "windows-1250"\ndelimiter = "~"\n')
    (report,) = collector(past=window)
    assert (report.stored, [article.title for article in collector.articles()]) == (1, ["Výrobce kamen zvýšil tržby, a dost"])
    for wrong, said in (
        ('encoding = "cp9"', "`encoding`: 'cp9' is no encoding"),
        ('delimiter = "xx"', "`delimiter`: 'xx' is no delimiter"),
    ):
        collector.write(f"{entry}{wrong}\n")
        with pytest.raises(SettingsError, match=said):
            collector(past=window)


def test_an_archive_of_several_pages_is_read_to_its_end(collector: Collector, tmp_path: Path) -> None:
    rows = "".join(f"2024-05-01T{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}Z,Story number {n}\n" for n in range(10_000))
    (tmp_path / "old.csv").write_text(rows)
    collector.write('[old]\nkind = "archive"\ntitle = "Old"\npath = "old.csv"\ncolumns = "title=1,published_at=0"\n')
    window = Window(datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 5, 2, tzinfo=UTC))
    (report,) = collector(past=window)
    assert (report.stored, collector.state("old").cursor) == (10_000, None)
