"""No hot query reads a large table from end to end. How long they take at a million rows is benchmark S3.7's to say."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine, text

from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform_tests.store.million import HOT, WINDOWS, explain, fill

ROWS = 100_000


@pytest.fixture(scope="module")
def large(new_database: Callable[..., str], _migrated_database: str) -> Iterator[Engine]:
    engine = create_platform_engine(new_database(_migrated_database))
    fill(engine, ROWS)
    yield engine
    engine.dispose()


@pytest.mark.parametrize("name", HOT | WINDOWS)
def test_a_hot_query_uses_indexes_alone(large: Engine, name: str) -> None:
    plan = explain(large, (HOT | WINDOWS)[name])
    assert plan.scanned == ()
    assert plan.indexes


def test_the_fill_gives_every_index_back(large: Engine, database_url: str) -> None:
    query = text("SELECT indexname FROM pg_indexes WHERE schemaname = 'platform' ORDER BY 1")
    engine = create_platform_engine(database_url)
    with engine.connect() as fresh, large.connect() as filled:
        assert filled.execute(query).all() == fresh.execute(query).all()
    engine.dispose()


def test_without_its_index_the_same_query_is_found_out(large: Engine) -> None:
    with large.begin() as connection:
        connection.execute(text("DROP INDEX platform.ix_training_examples_digest_part"))
        connection.execute(text("ALTER TABLE platform.training_examples DROP CONSTRAINT pk_training_examples"))
    assert explain(large, HOT["labels of a training set"]).scanned == ("training_examples",)
