"""SQL of what serving answered and what people said of it.

Writes are idempotent by id: a journal that is shipped twice leaves one row.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, select
from sqlalchemy.dialects.postgresql import insert

from sentiment_platform.store.tables import Feedback, Prediction


def insert_new(
    connection: Connection, *, predictions: Sequence[Mapping[str, Any]] = (), feedback: Sequence[Mapping[str, Any]] = ()
) -> int:
    """Insert rows (column -> value) whose id is not there yet; returns how many were new."""
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


def _insert_new(connection: Connection, table: Any, rows: Sequence[Mapping[str, Any]]) -> int:
    if not rows:
        return 0
    target: Table = table
    statement = insert(target).on_conflict_do_nothing(index_elements=["id"]).returning(target.c.id)
    return len(connection.execute(statement, [dict(row) for row in rows]).all())
