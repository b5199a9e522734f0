"""`run JOB` and `db`: what they say and how they exit, over this test's own servers."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from sentiment_platform.settings import Settings
from sentiment_platform_tests.commands.conftest import Invoke
from sentiment_platform_tests.monitoring.seeding import seed_decision
from sentiment_platform_tests.news.server import item, reply, rss, serving

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _in_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where dagster.yaml is."""
    monkeypatch.chdir(ROOT)


def execute(engine: Engine, statement: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(statement))


def test_a_run_whose_check_of_severity_error_is_red_exits_with_1_and_names_the_check(invoke: Invoke, engine: Engine) -> None:
    """Every step of it succeeds, and the check blocks nothing."""
    seed_decision(engine, "why-not", datetime.now(UTC))
    green = invoke("run", "monitor_job")
    assert (green.exit_code, "monitor_job succeeded" in green.output) == (0, True), green.output
    execute(engine, """UPDATE platform.retrain_decisions SET reasons = '{"statement": ""}' WHERE id = 'why-not'""")
    red = invoke("run", "monitor_job")
    assert red.exit_code == 1, red.output
    assert "monitor_job failed: check every_decision_names_its_reason: " in " ".join(red.output.split())


def test_a_run_whose_blocking_check_is_red_exits_with_1_and_makes_nothing_after_it(
    invoke: Invoke, engine: Engine, tmp_path: Path
) -> None:
    path = tmp_path / "bars.csv"
    path.write_text("session,open,high,low,close\n2025-11-24,10,12,9,11\n2025-11-25,11,9,10,11\n")
    assert "1 quarantined" in " ".join(invoke("market", "import", str(path), "--symbol", "exm").output.split())
    red = invoke("run", "market_job", "--partition", "2025-11-24")
    said = " ".join(red.output.split())
    assert red.exit_code == 1, red.output
    assert "market_job failed: " in said
    assert "check prices_hold_their_contract: 50.0% of the bars that arrived are refused, at most 5% may be (run " in said
    assert "market_prices: " in said
    assert "outcomes: " not in said
    # The control: the same run without the refused bar.
    execute(engine, "DELETE FROM platform.quarantine")
    green = invoke("run", "market_job", "--partition", "2025-11-24")
    assert (green.exit_code, "outcomes: " in green.output) == (0, True), green.output


def test_the_database_is_brought_to_the_newest_revision_and_compared_with_the_models(
    invoke: Invoke, engine: Engine, settings: Settings
) -> None:
    from sentiment_platform.store.migrate import differences, downgrade

    downgrade(settings.database_url, "-1")
    assert differences(settings.database_url) != []
    upgraded = invoke("db", "upgrade")
    assert (upgraded.exit_code, "at the newest revision" in upgraded.output) == (0, True), upgraded.output
    assert differences(settings.database_url) == []
    assert "Database and models agree." in invoke("db", "check").output
    execute(engine, "ALTER TABLE platform.raw_data DROP COLUMN outlet")
    different = invoke("db", "check")
    assert different.exit_code == 1
    assert "outlet" in different.output


def test_a_collection_of_today_also_makes_the_earlier_days_of_its_articles(
    invoke: Invoke, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A feed holds items of many days; no daemon runs here that would see to them later."""
    times = [format_datetime(datetime.now(UTC) - timedelta(days=days)) for days in (3, 4, 9)]
    with serving() as feeds:
        items = [item(f"Story {n} moves", f"https://e.example/{n}", published) for n, published in enumerate(times)]
        feeds.answers["/mine"] = reply(rss(*items))
        monkeypatch.setenv("SENTIMENT_FEEDS", f"mine={feeds.url}/mine")
        monkeypatch.setenv("SENTIMENT_ALLOW_PRIVATE_HOSTS", "yes")
        collected = invoke("run", "collect_job")
        assert collected.exit_code == 0, collected.output
        said = collected.output
        assert said.count("Articles of earlier days came in: ") == 2
        assert "2 articles tell 2 stories" in said
        with engine.connect() as connection:
            rows = connection.execute(text("SELECT count(*) FROM platform.processed_features WHERE article_id IS NOT NULL"))
            assert rows.scalar_one() == 3
        # Nothing waits any more, so nothing more is made.
        assert "Articles of earlier days came in" not in invoke("run", "collect_job").output


def test_a_collection_without_a_source_says_how_to_choose_one_and_exits_with_1(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SENTIMENT_FEEDS", "SENTIMENT_SOURCES"):
        monkeypatch.delenv(name, raising=False)
    nothing = invoke("run", "collect_job")
    said = " ".join(nothing.output.split())
    assert nothing.exit_code == 1, nothing.output
    assert "- No source of news is chosen. Choose one: SENTIMENT_SOURCES=gdelt" in said
    assert "collect_job failed: check a_source_answers" in said
    monkeypatch.setenv("SENTIMENT_FEEDS", "gone=https://127.0.0.1:1/rss")
    failed = " ".join(invoke("run", "collect_job").output.split())
    assert "- gone: failed: 127.0.0.1 is at 127.0.0.1, which is not a public address. SENTIMENT_ALLOW_PRIVATE_HOSTS=yes" in failed
