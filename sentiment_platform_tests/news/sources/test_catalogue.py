"""What a catalogue may say, what it says wrongly, and which sources are on."""

import re
from pathlib import Path

import pytest

from sentiment_platform.errors import SettingsError
from sentiment_platform.news.sources.catalogue import SHIPPED, read_catalogue
from sentiment_platform.news.sources.configured import ConfiguredSource, configured_sources, feed_pairs
from sentiment_platform.news.sources.entries import JsonApiEntry
from sentiment_platform.settings import Settings

OWN = """
[wire]
kind = "json_api"
title = "A wire"
url = "https://wire.example/news"
fields = { title = "t", published_at = "p" }
"""


def configured(setting: str = "", feeds: str = "", **environ: str) -> dict[str, ConfiguredSource]:
    settings = Settings.from_environment({"SENTIMENT_SOURCES": setting, "SENTIMENT_FEEDS": feeds})
    return {source.name: source for source in configured_sources(settings, environ)}


@pytest.fixture
def own(tmp_path: Path) -> Path:
    file = tmp_path / "own.toml"
    file.write_text(OWN)
    return file


def test_nothing_is_on_until_somebody_asks_for_it() -> None:
    assert {name: source.off for name, source in configured().items() if source.chosen} == {}
    assert len(configured()) == len(read_catalogue())


def test_the_catalogue_says_of_every_source_what_it_is_and_whether_a_recorded_reply_is_tested() -> None:
    catalogue = read_catalogue()
    assert {name for name, found in catalogue.items() if found.entry.verified} == {"tiingo", "polygon"}
    assert {"finnhub", "newsapi", "alpha_vantage", "gdelt", "sec", "reddit_stocks", "mastodon_stocks"} < set(catalogue)
    assert all(found.entry.documentation.startswith("https://") and not found.own for found in catalogue.values())
    # A key that stands in a file is a key that is committed some day.
    assert not re.search(r"(?i)(key|token)\s*=\s*\"[A-Za-z0-9]{16,}\"", SHIPPED.read_text())


def test_a_name_switches_a_source_on_and_a_missing_key_off_again_with_the_variable_named() -> None:
    off = configured("tiingo, gdelt")
    assert (off["tiingo"].chosen, off["tiingo"].off) == (True, "TIINGO_API_KEY is not set")
    assert (off["gdelt"].chosen, off["gdelt"].off) == (True, None)
    assert configured("tiingo", TIINGO_API_KEY="k")["tiingo"].off is None


def test_what_stands_in_an_own_file_is_on_unless_it_says_otherwise(own: Path) -> None:
    assert configured(str(own))["wire"].off is None
    own.write_text(OWN + "enabled = false\n")
    found = configured(str(own))["wire"]
    assert (found.chosen, found.off) == (False, "`enabled = false` in its entry")
    assert configured(f"{own},wire")["wire"].off is None


def test_an_own_entry_changes_single_keys_of_a_shipped_one(own: Path) -> None:
    own.write_text('[tiingo]\nquota_per_day = 7\nparameters = { tickers = "aapl,msft" }\n[polygon.paging]\nkind = "none"\n')
    found = read_catalogue([own])
    tiingo, polygon = found["tiingo"].entry, found["polygon"].entry
    assert isinstance(tiingo, JsonApiEntry)
    assert isinstance(polygon, JsonApiEntry)
    assert (tiingo.quota_per_day, tiingo.parameters["tickers"], tiingo.parameters["limit"]) == (7, "aapl,msft", 100)
    assert type(polygon.paging).__name__ == "NoPaging"
    assert (found["tiingo"].own, found["polygon"].own, found["finnhub"].own) == (True, True, False)


def test_pairs_of_feeds_are_sources_without_a_catalogue() -> None:
    setting = "wire=https://e.example/rss?a=1,2&b=3, ledger = http://127.0.0.1:1/f,"
    assert feed_pairs(setting) == {"wire": "https://e.example/rss?a=1,2&b=3", "ledger": "http://127.0.0.1:1/f"}
    assert feed_pairs("") == {}
    found = configured(feeds=setting)
    assert [(found[name].kind, found[name].off) for name in ("wire", "ledger")] == [("rss", None), ("rss", None)]


@pytest.mark.parametrize(
    "setting",
    ["https://e.example/rss", "wire=", "wire=e.example", "Bad Name=https://e.example", "a=https://x.example,a=https://y.example"],
)
def test_a_malformed_feed_setting_is_refused(setting: str) -> None:
    with pytest.raises(SettingsError, match="SENTIMENT_FEEDS"):
        feed_pairs(setting)


def test_a_name_that_is_used_twice_or_by_nobody_is_refused(own: Path) -> None:
    with pytest.raises(SettingsError, match=r"both have a source called 'tiingo'"):
        configured(feeds="tiingo=https://e.example/f")
    with pytest.raises(SettingsError, match=r"names bloomberg, which no catalogue has.*news sources"):
        configured("tiingo,bloomberg")


MISTAKES = {
    "unknown key": (OWN + "colour = 3", r"entry \[wire\].*colour"),
    "unknown key below": (OWN.replace('{ title = "t"', '{ titel = "t"'), r"entry \[wire\]: key `fields`.*titel"),
    "missing key": (OWN.replace(', published_at = "p"', ""), r"entry \[wire\]: key `fields`.*published_at"),
    "wrong type": (OWN + 'quota_per_day = "many"', r"entry \[wire\]: key `quota_per_day`.*int"),
    "nothing a day": (OWN + "quota_per_day = 0", r"entry \[wire\]: key `quota_per_day`.*>= 1"),
    "unknown kind": (OWN.replace("json_api", "carrier_pigeon"), r"entry \[wire\]: key `kind`.*carrier_pigeon"),
    "no kind": (OWN.replace('kind = "json_api"', ""), r"entry \[wire\]: .*kind"),
    "no address": (OWN.replace("https://wire.example/news", "wire.example"), r"entry \[wire\]: key `url`"),
    "unknown paging": (OWN + 'paging = { kind = "scroll" }', r"entry \[wire\]: key `paging.kind`.*scroll"),
    "half a paging": (OWN + 'paging = { kind = "offset", size = 5 }', r"entry \[wire\]: key `paging`.*parameter"),
    "paging by time alone": (OWN + 'paging = { kind = "time", size = 5 }', r"entry \[wire\]: paging by time needs `window`"),
    "key nowhere": (OWN + 'auth = { variable = "WIRE_KEY" }', r"entry \[wire\]: key `auth`.*either `header` or `query`"),
    "key itself": (OWN + 'auth = { variable = "s3cr3t", query = "k" }', r"entry \[wire\]: key `auth.variable`"),
    "key not in it": (OWN + 'auth = { variable = "K", header = "X", format = "Token" }', r"key `auth`.*\{key\}"),
    "no zone": (OWN + 'zone = "Mars/Olympus"', r"entry \[wire\]: `zone` 'Mars/Olympus'"),
    "no expression": (OWN + 'ticker_pattern = "["', r"entry \[wire\]: `ticker_pattern`"),
    "bad columns": (
        '[old]\nkind = "archive"\ntitle = "Old"\npath = "a.csv"\ncolumns = "title=a"',
        r"entry \[old\]: key `columns`",
    ),
    "no table": ("wire = 3", r"entry \[wire\]: this is no table"),
    "bad name": (OWN.replace("[wire]", "['A Wire']"), r"entry \[A Wire\]: this is no name"),
    "no TOML": ("[wire", "is no TOML"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_with_file_entry_key_and_remedy(own: Path, mistake: str) -> None:
    text, expected = MISTAKES[mistake]
    own.write_text(text)
    with pytest.raises(SettingsError, match=expected) as caught:
        configured(str(own))
    assert "own.toml" in caught.value.message
    assert caught.value.remedy


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"missing\.toml cannot be read"):
        configured(str(tmp_path / "missing.toml"))
