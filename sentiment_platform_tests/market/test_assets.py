from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest
from sqlalchemy import Engine

from sentiment_platform.market.assets import market_prices, outcomes
from sentiment_platform.market.checks import no_outcome_looks_ahead, no_session_is_missing, prices_hold_their_contract
from sentiment_platform.market.jobs import market_job
from sentiment_platform.market.prices import store_bars
from sentiment_platform.market.schedules import market_schedule
from sentiment_platform.news.assets import articles, raw_news
from sentiment_platform.run_tags import RANGE_END, RANGE_START, range_tags
from sentiment_platform.store.articles import insert_articles
from sentiment_platform.store.outcomes import outcome_counts
from sentiment_platform.store.resources import PlatformResource
from sentiment_platform_tests.market.making import NOW, raw, sessions
from sentiment_platform_tests.store.articles import article

SYMBOLS = ("EXM", "AAA", "BBB", "CCC")


@pytest.fixture
def platform(database_url: str) -> Iterator[PlatformResource]:
    platform = PlatformResource(overrides={"DATABASE_URL": database_url}, fixed_now=NOW.isoformat())
    yield platform
    platform.engine().dispose()


def run(platform: PlatformResource, first: str, last: str) -> dg.ExecuteInProcessResult:
    definitions = dg.Definitions(
        assets=[market_prices, outcomes],
        asset_checks=[prices_hold_their_contract, no_session_is_missing, no_outcome_looks_ahead],
        jobs=[market_job],
        resources={"platform": platform},
    )
    span = range_tags(first, last)
    with dg.DagsterInstance.ephemeral() as instance:
        job = definitions.resolve_job_def("market_job")
        return job.execute_in_process(instance=instance, tags=span, raise_on_error=False)


def fill(engine: Engine, without: str = "", refused: int = 0) -> None:
    days = [str(day) for day in sessions("2025-12-15", "2026-01-14")]
    bars = [
        raw(day, symbol, close=10.0 + n / 10 if symbol == "EXM" else 10.0)
        for symbol in SYMBOLS
        for n, day in enumerate(days)
        if (symbol, day) != ("AAA", without)
    ]
    with engine.begin() as connection:
        store_bars(
            connection,
            [*bars, *(raw("2026-01-03", f"W{chr(65 + n)}") for n in range(refused))],
            source="made",
            run_id="r",
            now=NOW,
        )


def checks(result: dg.ExecuteInProcessResult) -> dict[str, tuple[bool, str]]:
    return {found.check_name: (found.passed, found.severity.value) for found in result.get_asset_check_evaluations()}


def metadata(result: dg.ExecuteInProcessResult, key: str) -> dict[str, Any]:
    materialization = result.asset_materializations_for_node(key)[0]
    return {name: value.value for name, value in materialization.metadata.items()}


def test_a_range_of_days_is_one_run_from_prices_to_outcomes(platform: PlatformResource) -> None:
    fill(platform.engine())
    hours = (datetime(2026, 1, 5, 13, tzinfo=UTC) - datetime(2025, 1, 6, 12, tzinfo=UTC)) / timedelta(hours=1)
    with platform.engine().begin() as connection:
        insert_articles(connection, [article(1, hours=hours), article(2, hours=hours + 24 * 8)])
    result = run(platform, "2026-01-02", "2026-01-14")
    assert result.success
    assert checks(result) == {
        "prices_hold_their_contract": (True, "ERROR"),
        "no_session_is_missing": (True, "WARN"),
        "no_outcome_looks_ahead": (True, "ERROR"),
    }
    prices, found = metadata(result, "market_prices"), metadata(result, "outcomes")
    assert (prices["dagster/partition_row_count"], prices["sessions"]) == (9 * 4, 9)
    assert "no price source is configured" in prices["fetched"]
    assert (found["dagster/partition_row_count"], found["without_outcome"], found["market"]) == (
        4,
        1,
        "mean of the other symbols of the exchange",
    )
    with platform.engine().connect() as connection:
        # The price of EXM rises by one percent a day, and does not move between open and close.
        assert outcome_counts(connection) == [(1, "neutral", 2), (5, "horizon_not_over", 1), (5, "positive", 1)]


def test_an_outcome_that_was_not_over_is_made_when_it_is_whatever_days_are_asked_for(platform: PlatformResource) -> None:
    fill(platform.engine())
    hours = (datetime(2026, 1, 5, 13, tzinfo=UTC) - datetime(2025, 1, 6, 12, tzinfo=UTC)) / timedelta(hours=1)
    with platform.engine().begin() as connection:
        insert_articles(connection, [article(1, hours=hours)])
    early = PlatformResource(overrides=platform.overrides, fixed_now="2026-01-08T12:00:00+00:00")
    run(early, "2026-01-05", "2026-01-05")
    early.engine().dispose()
    assert metadata(run(platform, "2026-01-14", "2026-01-14"), "outcomes")["changed"] == 1
    with platform.engine().connect() as connection:
        assert outcome_counts(connection) == [(1, "neutral", 1), (5, "positive", 1)]


def test_many_refused_bars_stop_what_comes_after_and_a_missing_session_is_a_warning(platform: PlatformResource) -> None:
    fill(platform.engine(), without="2026-01-07", refused=10)
    result = run(platform, "2026-01-02", "2026-01-14")
    assert not result.success
    assert checks(result)["prices_hold_their_contract"] == (False, "ERROR")
    assert result.asset_materializations_for_node("outcomes") == []
    fill(platform.engine())
    assert metadata(run(platform, "2026-01-02", "2026-01-14"), "market_prices")["sessions"] == 9


def test_a_gap_is_named(platform: PlatformResource) -> None:
    fill(platform.engine(), without="2026-01-07")
    (found,) = (
        found
        for found in run(platform, "2026-01-02", "2026-01-14").get_asset_check_evaluations()
        if found.check_name == "no_session_is_missing"
    )
    assert not found.passed
    assert found.metadata["by_exchange"].value == "- XNYS: AAA lacks 2026-01-07"


def test_every_evening_the_last_two_weeks_are_looked_at_again() -> None:
    ticks = [datetime(2026, 1, 16, 22, 45, tzinfo=UTC), datetime(2026, 1, 19, 22, 45, tzinfo=UTC)]
    requests = [
        (market_schedule.evaluate_tick(dg.build_schedule_context(scheduled_execution_time=tick)).run_requests or [])[0]
        for tick in ticks
    ]
    assert len({request.run_key for request in requests}) == 2
    assert requests[0].tags[RANGE_START] == "2026-01-02"
    assert requests[0].tags[RANGE_END] == "2026-01-16"


def test_a_slow_vendor_of_prices_holds_up_no_news() -> None:
    pools = [asset.op.pool for asset in (market_prices, raw_news, articles)]
    assert pools == ["prices", "collection", "collection"]
