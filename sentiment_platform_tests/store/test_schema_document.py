"""SCHEMA.md says what the models say, and the models what the migrated database is."""

import pytest
from sqlalchemy import MetaData, Table

from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform.store.schema_document import SCHEMA_DOCUMENT, column_lines, key_lines, schema_document
from sentiment_platform.store.tables import SCHEMA, Base
from sentiment_platform_tests.store.statements import execute

REMEDY = "run: python -m sentiment_platform.store.schema_document"


def told(table: Table) -> list[str]:
    """In the order of the alphabet: a column that a migration added comes last in a database."""
    return sorted(column_lines(table)) + key_lines(table)


def in_the_models() -> dict[str, list[str]]:
    return {table.name: told(table) for table in Base.metadata.sorted_tables}


def in_the_database(url: str) -> dict[str, list[str]]:
    engine, found = create_platform_engine(url), MetaData(schema=SCHEMA)
    found.reflect(engine)
    engine.dispose()
    return {table.name: told(table) for table in found.sorted_tables if table.name != "alembic_version"}


def test_the_document_is_what_the_models_say() -> None:
    assert SCHEMA_DOCUMENT.read_text(encoding="utf-8") == schema_document(), REMEDY


def test_the_migrated_database_is_what_the_document_says(database_url: str) -> None:
    assert in_the_database(database_url) == in_the_models()


@pytest.mark.parametrize(
    "damage",
    [
        "ALTER TABLE platform.leases ALTER COLUMN token TYPE integer",
        "ALTER TABLE platform.label_sets DROP CONSTRAINT ck_label_sets_kind",
        "ALTER TABLE platform.drift_metrics DROP CONSTRAINT pk_drift_metrics",
        "ALTER TABLE platform.source_state ALTER COLUMN quota_used SET DEFAULT 7",
        "DROP INDEX platform.ix_raw_data_tickers; CREATE INDEX ix_raw_data_tickers ON platform.raw_data (tickers)",
    ],
)
def test_a_database_of_another_schema_is_not(database_url: str, damage: str) -> None:
    execute(database_url, damage)
    assert in_the_database(database_url) != in_the_models()
