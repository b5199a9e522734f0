"""What `news sources` shows."""

from datetime import timedelta
from pathlib import Path

from click.testing import CliRunner

from sentiment_platform.cli import main
from sentiment_platform.commands.console import cell
from sentiment_platform.commands.sources import in_order, source_rows
from sentiment_platform.news.sources.catalogue import SHIPPED, read_catalogue
from sentiment_platform.news.sources.configured import configured_sources
from sentiment_platform.settings import Settings
from sentiment_platform.store.sources import SourceState
from sentiment_platform_tests.news.sources.conftest import NOW


def lines(states: dict[str, SourceState], **environ: str) -> dict[str, list[str]]:
    """Name of a source -> the cells of its line."""
    found = configured_sources(Settings.from_environment(environ), environ)
    rows = [[cell(value).plain for value in row] for row in source_rows(in_order(found), states, NOW)]
    return {row[0].splitlines()[0]: row[1:] for row in rows}


def test_every_source_is_listed_with_its_state_its_quota_and_how_it_fared() -> None:
    states = {
        "tiingo": SourceState(source="tiingo", quota_day=NOW.date(), quota_used=12, last_success_at=NOW),
        "gdelt": SourceState(source="gdelt", last_failure_at=NOW, last_failure="it answered 500.", consecutive_failures=3),
        "newsapi": SourceState(source="newsapi", quota_day=(NOW - timedelta(days=1)).date(), quota_used=100),
    }
    shown = lines(
        states,
        SENTIMENT_SOURCES="tiingo,gdelt,polygon",
        SENTIMENT_FEEDS="ledger=https://ledger.example/rss",
        TIINGO_API_KEY="a-key-that-stays-hidden",
    )
    assert set(shown) == {"ledger", *read_catalogue()}
    assert list(shown)[:4] == ["gdelt", "ledger", "tiingo", "polygon"]
    assert shown["tiingo"] == ["json_api", "on", "verified", "12 of 1,000", "2025-01-06 12:00", "none"]
    assert shown["gdelt"][1:] == ["on", "unverified", "0 of 500", "never", "2025-01-06 12:00 (3 in a row): it answered 500."]
    assert shown["ledger"][:4] == ["rss", "on", "own", "0"]
    assert shown["polygon"][1] == "off: POLYGON_API_KEY is not set"
    assert shown["newsapi"][1:4] == ["off: not named in SENTIMENT_SOURCES", "unverified", "0 of 100"]
    assert "a-key-that-stays-hidden" not in str(shown)


def test_the_shipped_catalogue_can_be_printed_and_is_itself_a_catalogue(tmp_path: Path) -> None:
    printed = CliRunner().invoke(main, ["news", "sources", "--catalogue"])
    assert printed.exit_code == 0
    copy = tmp_path / "copy.toml"
    copy.write_text(printed.output)
    own = read_catalogue([copy])
    assert {name: found.entry.title for name, found in own.items()} == {
        name: found.entry.title for name, found in read_catalogue([SHIPPED]).items()
    }
    assert all(found.own for found in own.values())


def test_the_help_teaches_how_a_source_is_switched_on_and_added() -> None:
    text = CliRunner().invoke(main, ["news", "sources", "--help"]).output
    assert all(part in text for part in ("SENTIMENT_SOURCES=tiingo,sec", "./sources.toml", "unverified", "--catalogue"))
