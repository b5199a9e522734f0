from dataclasses import replace
from datetime import UTC, datetime, timedelta

import dagster as dg

from sentiment_platform.news.checks import accounting_result, freshness_result, quarantine_result
from sentiment_platform.news.evaluation import evaluate_accounting, evaluate_freshness, evaluate_quarantine
from sentiment_platform.news.markdown import counts_table, reports_table, stories_preview
from sentiment_platform.store.collection_reports import CollectionReport
from sentiment_platform.store.sources import SourceState
from sentiment_platform.store.stories import StoryOutline

NOW = datetime(2025, 1, 6, 12, tzinfo=UTC)
REPORT = CollectionReport(
    source="wire",
    run_id="run",
    fetched=10,
    stored=7,
    duplicate=2,
    quarantined=1,
    outcome="collected",
    detail=None,
    finished_at=NOW,
)


def test_accounts_hold_when_reports_add_up_and_the_rows_are_there() -> None:
    assert accounting_result(evaluate_accounting([REPORT], {"wire": 7}, {"wire": 1})).passed
    assert accounting_result(evaluate_accounting([REPORT, REPORT], {"wire": 14}, {"wire": 1})).passed
    assert accounting_result(evaluate_accounting([], {}, {})).passed


def test_a_lost_item_and_a_lost_row_are_named() -> None:
    assert evaluate_accounting([replace(REPORT, fetched=11)], {"wire": 7}, {}).unbalanced == ("wire",)
    assert evaluate_accounting([REPORT], {"wire": 6}, {}).missing == ("wire",)
    assert not accounting_result(evaluate_accounting([REPORT], {}, {})).passed
    assert evaluate_accounting([REPORT], {"wire": 7}, {"wire": 2}).missing == ("wire",)
    assert evaluate_accounting([REPORT], {"wire": 7}, {"other": 1}).missing == ("other",)


def quarantine(fetched: int, quarantined: int) -> dg.AssetCheckResult:
    report = replace(REPORT, fetched=fetched, quarantined=quarantined, stored=fetched - quarantined, duplicate=0)
    return quarantine_result(evaluate_quarantine([report]))


def test_a_growing_quarantine_is_a_warning_first_and_then_an_error() -> None:
    assert quarantine(100, 5).passed
    assert quarantine(0, 0).passed
    assert (quarantine(100, 6).passed, quarantine(100, 6).severity) == (False, dg.AssetCheckSeverity.WARN)
    assert (quarantine(100, 26).passed, quarantine(100, 26).severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert quarantine(3, 2).severity == dg.AssetCheckSeverity.WARN


def test_a_source_is_stale_when_it_failed_was_never_asked_or_is_old() -> None:
    failed = replace(REPORT, source="bad", outcome="failed", detail="an HTML page")
    states = {
        "wire": SourceState(source="wire", last_success_at=NOW),
        "old": SourceState(source="old", last_success_at=NOW - timedelta(hours=25)),
    }
    found = evaluate_freshness(["wire", "bad", "old", "new"], [REPORT, failed], states, NOW, {})
    assert found.stale == {"bad": "an HTML page", "old": "last collected at 2025-01-05T11:00:00+00:00", "new": "never collected"}
    assert (freshness_result(found).passed, freshness_result(found).severity) == (False, dg.AssetCheckSeverity.WARN)
    assert freshness_result(evaluate_freshness(["wire"], [REPORT], states, NOW, {})).passed


def test_tables_show_reports_counts_and_the_widest_story_first() -> None:
    assert "| wire | 10 | 7 | 2 | 1 | failed | a \\| b |" in reports_table([replace(REPORT, outcome="failed", detail="a | b")])
    assert reports_table([]) == "Nothing was fetched."
    assert counts_table({"wire": 1_234}, "source").splitlines()[-1] == "| wire | 1,234 |"
    told = [StoryOutline("Title b", 2, ("One", "Two")), StoryOutline("Title a", 1, ("s",))]
    assert stories_preview(told).splitlines()[2:] == ["| Title b | 2 | One, Two |", "| Title a | 1 | s |"]
