from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pytest
from sqlalchemy import Engine

from sentiment_platform.news.admission import store_items
from sentiment_platform.news.checks import schema_result
from sentiment_platform.news.items import RawItem
from sentiment_platform.news.profiles import SchemaDrift, evaluate_schema
from sentiment_platform.store.profiles import SourceProfile, source_profiles

DAY = date(2025, 1, 31)


def profile(days_before: int, articles: int = 50, **sizes: float) -> SourceProfile:
    missing = {"summary": 0.1 + 0.01 * (days_before % 3), "url": 0.0}
    return SourceProfile("wire", DAY - timedelta(days=days_before), articles, missing, {"title": 60.0 + days_before, **sizes})


HISTORY = [profile(n) for n in range(1, 15)]


def judged(today: SourceProfile, history: list[SourceProfile] | None = None) -> SchemaDrift:
    return evaluate_schema([*(HISTORY if history is None else history), today], DAY, DAY + timedelta(days=1))


def with_missing(**missing: float) -> SourceProfile:
    return SourceProfile("wire", DAY, 50, missing, {"title": 62.0})


def test_a_day_like_those_before_is_no_jump() -> None:
    found = judged(profile(0))
    assert (found.compared, found.jumps) == (1, ())
    assert schema_result(found).passed


@pytest.mark.parametrize(
    ("missing", "severity"),
    [({"summary": 0.45, "url": 0.0}, dg.AssetCheckSeverity.WARN), ({"summary": 1.0, "url": 0.0}, dg.AssetCheckSeverity.ERROR)],
)
def test_a_surge_of_missing_values_names_source_and_field(missing: Mapping[str, float], severity: dg.AssetCheckSeverity) -> None:
    found = judged(with_missing(**missing))
    result = schema_result(found)
    assert [(jump.source, jump.field) for jump in found.jumps] == [("wire", "summary")]
    assert (result.passed, result.severity) == (False, severity)
    assert "wire" in str(result.metadata["jumps"])
    assert "summary" in str(result.metadata["jumps"])


def test_a_field_that_comes_back_under_its_old_name_is_a_jump_too() -> None:
    history = [SourceProfile("wire", one.day, 50, {"summary": 1.0}, {}) for one in HISTORY]
    assert [jump.field for jump in judged(with_missing(summary=0.0), history).jumps] == ["summary"]


def test_a_changed_unit_is_an_error_and_a_longer_delay_a_warning() -> None:
    history = [profile(n, published_at=0.5, tickers=2.0) for n in range(1, 15)]
    found = judged(profile(0, published_at=40.0, tickers=30.0), history)
    assert {jump.field: jump.is_error for jump in found.jumps} == {"published_at": False, "tickers": True}
    assert judged(profile(0, published_at=1.2, tickers=2.4), history).jumps == ()


def test_few_articles_and_few_days_say_nothing() -> None:
    assert judged(SourceProfile("wire", DAY, 19, {"summary": 1.0}, {})).compared == 0
    assert judged(with_missing(summary=1.0), HISTORY[:4]).compared == 0
    long_ago = [SourceProfile("wire", one.day - timedelta(days=30), 50, one.missing, one.sizes) for one in HISTORY]
    assert judged(with_missing(summary=1.0), long_ago).compared == 0


def test_the_profile_of_a_source_and_day_is_read_from_its_articles(engine: Engine) -> None:
    noon = datetime(2025, 1, 31, 12, tzinfo=UTC)
    items = [
        RawItem(
            source="wire",
            origin="o",
            position=n,
            title=f"Profit rises {n}",
            summary="A summary" if n % 2 else None,
            url=f"https://example.com/{n}",
            tickers=("EXM", "ABC") if n < 2 else (),
            published_at=noon - timedelta(hours=n),
            published_text="x",
        )
        for n in range(4)
    ]
    with engine.begin() as connection:
        store_items(connection, items, run_id="run", now=noon)
        (found,) = source_profiles(connection, noon - timedelta(days=1), noon + timedelta(days=1))
    assert (found.source, found.day, found.articles) == ("wire", DAY, 4)
    assert found.missing == {"summary": 0.5, "url": 0.0, "outlet": 1.0, "language": 1.0, "tickers": 0.5}
    assert found.sizes == {"title": 14.0, "summary": 9.0, "tickers": 2.0, "published_at": 1.5}
