"""Statements on a database that the product's own functions would not run."""

from sqlalchemy import text

from sentiment_platform.store.engine import create_platform_engine


def execute(url: str, statement: str) -> list[tuple[object, ...]]:
    engine = create_platform_engine(url)
    with engine.begin() as connection:
        result = connection.execute(text(statement))
        rows = [tuple(row) for row in result] if result.returns_rows else []
    engine.dispose()
    return rows
