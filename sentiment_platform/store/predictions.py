"""SQL of what serving answered and what people said of it.

Writes are idempotent by id: a journal that is shipped twice leaves one row.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, select, text

from sentiment_platform.store.tables import Feedback, Prediction


def insert_new(connection: Connection, *, predictions: Sequence[Any] = (), feedback: Sequence[Any] = ()) -> int:
    """Insert rows whose id is not there yet; returns how many were new.

    Args:
        predictions, feedback: structs or mappings with the columns of their table; times aware, other fields ignored.
    """
    return _insert_new(connection, Prediction.__table__, predictions) + _insert_new(connection, Feedback.__table__, feedback)


def get_prediction(connection: Connection, prediction_id: str) -> dict[str, Any] | None:
    """The prediction with that id, as a row."""
    row = connection.execute(select(Prediction.__table__).where(Prediction.id == prediction_id)).mappings().first()
    return dict(row) if row else None


def predictions_between(
    connection: Connection, start: datetime, end: datetime, *, version: str | None = None, limit: int = 100_000
) -> list[dict[str, Any]]:
    """Predictions made in [start, end), oldest first, optionally of one version."""
    query = select(Prediction.__table__).where(Prediction.predicted_at >= start, Prediction.predicted_at < end)
    if version is not None:
        query = query.where(Prediction.model_version == version)
    return [dict(row) for row in connection.execute(query.order_by(Prediction.predicted_at).limit(limit)).mappings()]


def feedback_of(connection: Connection, prediction_ids: Sequence[str]) -> list[dict[str, Any]]:
    """All feedback on these predictions, oldest first."""
    query = select(Feedback.__table__).where(Feedback.prediction_id.in_(prediction_ids)).order_by(Feedback.received_at)
    return [dict(row) for row in connection.execute(query).mappings()]


def labelled_predictions(connection: Connection, start: datetime, end: datetime) -> list[dict[str, Any]]:
    """Predictions of [start, end) that have a label in their feedback, each with the newest one as `label`."""
    query = (
        select(Prediction.__table__, Feedback.label, Feedback.received_at.label("labelled_at"))
        .join(Feedback, Feedback.prediction_id == Prediction.id)
        .where(Prediction.predicted_at >= start, Prediction.predicted_at < end, Feedback.label.is_not(None))
        .distinct(Prediction.predicted_at, Prediction.id)
        .order_by(Prediction.predicted_at, Prediction.id, Feedback.received_at.desc())
    )
    return [dict(row) for row in connection.execute(query).mappings()]


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
