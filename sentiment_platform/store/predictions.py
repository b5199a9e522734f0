"""SQL by which serving's journal becomes rows: predictions, and what people said of them. Reading them is `store.monitoring`'s.

Writes are idempotent by id: a journal that is shipped twice leaves one row.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, text

from sentiment_platform.store.tables import Feedback, Prediction


def insert_new(connection: Connection, *, predictions: Sequence[Any] = (), feedback: Sequence[Any] = ()) -> int:
    """Insert rows whose id is not there yet; returns how many were new.

    Args:
        predictions, feedback: structs or mappings with the columns of their table; times aware, other fields ignored.
    """
    return _insert_new(connection, Prediction.__table__, predictions) + _insert_new(connection, Feedback.__table__, feedback)


def _insert_new(connection: Connection, table: Any, rows: Sequence[Any]) -> int:
    """One JSON parameter that PostgreSQL takes apart: binding 22 values a row would keep serving's interpreter busy instead."""
    if not rows:
        return 0
    columns = ", ".join(column.name for column in table.columns if column.server_default is None)
    statement = text(
        f"INSERT INTO {table.fullname} ({columns}) "  # noqa: S608  names of our own tables and columns, no value
        f"SELECT {columns} FROM jsonb_populate_recordset(NULL::{table.fullname}, CAST(:rows AS jsonb)) ON CONFLICT (id) DO NOTHING"
    )
    return connection.execute(statement, {"rows": msgspec.json.encode(rows).decode()}).rowcount
