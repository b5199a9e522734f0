"""`news try`: one feed or source, fetched and judged as collection would, without a database."""

import json
from collections.abc import Iterator
from email.utils import format_datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sentiment_platform.cli import main
from sentiment_platform.clock import utc_now
from sentiment_platform_tests.news.server import ScriptedServer, item, reply, rss, serving

CATALOGUE = """
[ledger]
kind = "json_api"
title = "The Ledger"
url = "{url}/news"
auth = {{ variable = "LEDGER_API_KEY", header = "X-Api-Key" }}
[ledger.fields]
title = "headline"
url = "link"
tickers = "symbols"
published_at = "date"

[old]
kind = "archive"
title = "An archive"
path = "old.csv"
columns = "title=headline,published_at=date"
"""


@pytest.fixture
def feeds() -> Iterator[ScriptedServer]:
    with serving() as server:
        yield server


def tried(folder: Path, *arguments: str, **environ: str) -> Result:
    """With no database, no Redis and no registry named, and a state folder that must stay empty."""
    nothing = dict.fromkeys(("DATABASE_URL", "REDIS_URL", "SENTIMENT_REGISTRY_REPOSITORY", "SENTIMENT_FEEDS"), "")
    environment = nothing | {"SENTIMENT_STATE_DIR": str(folder / "state"), "SENTIMENT_ALLOW_PRIVATE_HOSTS": "yes"} | environ
    result = CliRunner(env=environment).invoke(main, ["news", "try", *arguments])
    assert not (folder / "state").exists()
    return result


def test_a_feed_shows_five_items_and_what_would_be_refused_and_stores_nothing(feeds: ScriptedServer, tmp_path: Path) -> None:
    now = format_datetime(utc_now())
    items = [item(f"Story {n} [/b] moves", f"https://e.example/{n}", now) for n in range(7)]
    feeds.answers["/rss"] = reply(
        rss(*items, item("A story of tomorrow's century", "https://e.example/x", "Sun, 01 Mar 2099 09:00:00 +0100"))
    )
    shown = tried(tmp_path, f"{feeds.url}/rss")
    assert shown.exit_code == 0, shown.output
    assert "the first 5 of 7 items that would be stored" in shown.stdout
    assert [f"Story {n} [/b] moves" in shown.stdout for n in range(7)] == [True] * 5 + [False] * 2
    assert f"{utc_now():%Y-%m-%d} " in shown.stdout
    assert " UTC " in shown.stdout
    assert "1 would be refused" in shown.stdout
    assert "published_at_is_not_in_the_future  the publication time is more than a day ahead" in shown.stdout
    assert f"SENTIMENT_FEEDS=name={feeds.url}/rss" in shown.stderr


def test_an_entry_is_asked_with_its_key_also_where_it_is_not_switched_on_and_json_holds_the_items(
    feeds: ScriptedServer, tmp_path: Path
) -> None:
    file = tmp_path / "sources.toml"
    file.write_text(CATALOGUE.format(url=feeds.url))
    feeds.answers["/news"] = reply(
        json.dumps(
            [{"headline": "Profit rises", "link": "https://e.example/1", "symbols": "EXM", "date": "2026-03-02T09:30:00-05:00"}]
        ).encode()
    )
    off = tried(tmp_path, "ledger", SENTIMENT_SOURCES=str(file), LEDGER_API_KEY="")
    assert (off.exit_code, "The source ledger is off: LEDGER_API_KEY is not set." in off.stderr) == (1, True), off.output
    assert feeds.requests == []
    shown = tried(tmp_path, "ledger", "--json", SENTIMENT_SOURCES=str(file), LEDGER_API_KEY="a-key")
    document = json.loads(shown.stdout)
    assert (document["kind"], document["counts"], document["refused"]) == ("json_api", {"accepted": 1, "refused": 0}, [])
    assert document["items"][0]["published_at"] == "2026-03-02T14:30:00Z"
    assert (document["items"][0]["title"], document["items"][0]["tickers"]) == ("Profit rises", ["EXM"])
    assert feeds.requests[0][1]["X-Api-Key"] == "a-key"
    assert "a-key" not in shown.output


def test_an_archive_shows_its_first_rows(tmp_path: Path) -> None:
    (tmp_path / "sources.toml").write_text(CATALOGUE.format(url="https://ledger.example"))
    (tmp_path / "old.csv").write_text("headline,date\nProfit rises,2025-03-02\n")
    shown = tried(tmp_path, "old", SENTIMENT_SOURCES=str(tmp_path / "sources.toml"))
    assert "2025-03-02 (day only)  Profit rises" in shown.stdout


@pytest.mark.parametrize(
    ("what", "environ", "told"),
    [
        ("{url}/page", {}, "The answer is an HTML page, not an RSS or Atom feed."),
        ("{url}/gone", {}, "404"),
        ("{url}/page", {"SENTIMENT_ALLOW_PRIVATE_HOSTS": "no"}, "is not an https address"),
        ("https://127.0.0.1:1/rss", {"SENTIMENT_ALLOW_PRIVATE_HOSTS": "no"}, "which is not a public address"),
        ("nobody", {}, "There is no source 'nobody'."),
        ("sec", {"SENTIMENT_CONTACT": ""}, "Set SENTIMENT_CONTACT"),
    ],
)
def test_what_cannot_be_fetched_is_told_in_two_lines_with_the_remedy(
    feeds: ScriptedServer, tmp_path: Path, what: str, environ: dict[str, str], told: str
) -> None:
    feeds.answers["/page"] = reply(b"<html>Log in</html>")
    refused = tried(tmp_path, what.format(url=feeds.url), **environ)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert told in refused.stderr
    assert len(refused.stderr.splitlines()) == 2
