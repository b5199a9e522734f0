"""From which day on the Dagster UI of this machine shows partitions."""

import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from sentiment_platform.errors import SettingsError
from sentiment_platform.local.first_day import FIRST_DAY, first_day_shown
from sentiment_platform.setting_values.first_day import first_day
from sentiment_platform.store.articles import insert_articles
from sentiment_platform_tests.store.articles import article

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
GRAPH = """
from sentiment_platform.market.partitions import daily as prices
from sentiment_platform.news.partitions import daily as news
print(news.get_first_partition_key(), prices.get_first_partition_key())
"""


def store(engine: Engine, number: int, published_at: datetime) -> None:
    with engine.begin() as connection:
        insert_articles(connection, [replace(article(number), published_at=published_at)])


def test_the_month_of_the_first_article_is_shown_whole_and_a_month_back_in_any_case(engine: Engine) -> None:
    assert first_day_shown(engine, NOW, {}) == {FIRST_DAY: "2026-02-01"}
    store(engine, 1, datetime(2026, 3, 9, tzinfo=UTC))
    assert first_day_shown(engine, NOW, {}) == {FIRST_DAY: "2026-02-01"}
    store(engine, 2, datetime(2025, 11, 30, 23, 59, tzinfo=UTC))
    assert first_day_shown(engine, NOW, {}) == {FIRST_DAY: "2025-11-01"}
    assert first_day_shown(engine, NOW, {FIRST_DAY: "2019-05-05"}) == {FIRST_DAY: "2019-05-05"}


def test_news_and_prices_begin_on_the_day_that_the_environment_names() -> None:
    environment = {**os.environ, FIRST_DAY: "2025-11-01"}
    done = subprocess.run([sys.executable, "-c", GRAPH], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["2025-11-01", "2025-11-01"]


def test_what_is_no_day_is_refused_with_its_name() -> None:
    assert first_day({}).isoformat() == "2018-01-01"
    with pytest.raises(SettingsError, match="SENTIMENT_FIRST_DAY='2026-02-30' is no date"):
        first_day({FIRST_DAY: "2026-02-30"})
