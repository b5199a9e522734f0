"""SQL of what was served: serving's journal becomes rows here, and monitoring reads them with what people said of them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Connection, and_, cast, func, select, text

from sentiment_platform.store.tables import (
    Feedback,
    Prediction,
    ShadowAnswer,
)

COUNTED = and_(Prediction.supported.is_not(False), Prediction.traffic.is_(None))
"""What monitoring, live accuracy and training look at: answers on readable texts that a user asked for, and no load test."""


def insert_new(
    connection: Connection,
    *,
    predictions: Sequence[Any] = (),
    feedback: Sequence[Any] = (),
    shadow_answers: Sequence[Any] = (),
) -> int:
    """Insert rows whose id is not there yet; returns how many were new.

    Args:
        predictions, feedback, shadow_answers: structs, data classes or mappings with the columns of their table; times aware, other
            fields ignored.
    """
    tables = (Prediction, predictions), (Feedback, feedback), (ShadowAnswer, shadow_answers)
    return sum(_insert_new(connection, table.__table__, rows) for table, rows in tables)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedPrediction:
    """What drift needs of an answered prediction."""

    id: str
    predicted_at: datetime
    model_version: str
    text_hash: str
    text: str
    features: list[float | None]
    probabilities: list[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackOnPrediction:
    """One feedback beside the prediction it speaks of; `voice` is None for those who have none."""

    voice: str | None
    prediction_id: str
    predicted_at: datetime
    model_version: str
    family: str
    text: str
    text_hash: str
    probabilities: list[float]
    label: str | None
    preference: str | None
    utility: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPrediction:
    """A row of `predictions`, as far as its lineage needs it; `latency_ms` has named parts, in milliseconds."""

    id: str
    predicted_at: datetime
    route: str
    family: str
    model_version: str
    manifest_digest: str
    deployment_revision: int
    experiment: str | None
    arm: str | None
    text: str
    ticker: str | None
    source: str | None
    published_at: datetime | None
    feature_schema: str
    features: list[float | None]
    feature_status: str
    probabilities: list[float]
    sentiment: float
    confidence: float
    supported: bool | None
    cache_hit: bool
    degraded: bool
    degraded_reason: str | None
    path: str | None
    instead_of: str | None
    latency_ms: dict[str, float]


@dataclass(frozen=True, slots=True)
class StoredFeedback:
    """What was said of one prediction, and when."""

    received_at: datetime
    label: str | None
    preference: str | None
    utility: float | None


def get_prediction(connection: Connection, prediction_id: str) -> StoredPrediction | None:
    """The prediction with that id."""
    columns = [getattr(Prediction, name) for name in StoredPrediction.__dataclass_fields__]
    row = connection.execute(select(*columns).where(Prediction.id == prediction_id)).mappings().first()
    return StoredPrediction(**row) if row else None


def missing_predictions(connection: Connection, ids: Collection[str]) -> set[str]:
    """Those of the ids that no prediction has."""
    stored = connection.execute(select(Prediction.id).where(Prediction.id.in_(ids))).scalars()
    return set(ids) - set(stored)


def feedback_on(connection: Connection, prediction_id: str, limit: int = 100) -> list[StoredFeedback]:
    """What was said of a prediction, the newest `limit`, oldest first."""
    table = Feedback
    query = select(table.received_at, table.label, table.preference, table.utility).where(table.prediction_id == prediction_id)
    newest = connection.execute(query.order_by(table.received_at.desc(), table.id.desc()).limit(limit)).all()
    return [StoredFeedback(*row) for row in reversed(newest)]


def served_predictions(
    connection: Connection, feature_schema: str, since: datetime | None, until: datetime, limit: int
) -> list[ServedPrediction]:
    """Predictions that count, made in (since, until] (since None: ever) with features of that schema, newest first.

    Of more than `limit` about so many are taken from all over the span, the same ones each time; with `since` None the newest `limit`.
    """
    table = Prediction
    query = select(
        table.id, table.predicted_at, table.model_version, table.text_hash, table.text, table.features, table.probabilities
    )
    query = query.where(table.predicted_at <= until, table.feature_schema == feature_schema, COUNTED)
    if since is None:
        query = query.limit(limit)
    else:
        in_span = and_(table.predicted_at > since, table.predicted_at <= until, table.feature_schema == feature_schema, COUNTED)
        there = connection.execute(select(func.count()).select_from(table).where(in_span)).scalar_one()
        one_in = -(-there // limit)
        query = query.where(table.predicted_at > since)
        if one_in > 1:
            query = query.where(func.abs(cast(func.hashtext(table.id), BigInteger)) % one_in == 0)
    query = query.order_by(table.predicted_at.desc(), table.id)
    return [ServedPrediction(**row) for row in connection.execute(query).mappings()]


def prediction_counts(connection: Connection, since: datetime, until: datetime) -> dict[str, int]:
    """model version -> predictions made in (since, until], without those of load tests."""
    table = Prediction
    query = (
        select(table.model_version, func.count())
        .where(table.predicted_at > since, table.predicted_at <= until, table.traffic.is_(None))
        .group_by(table.model_version)
        .order_by(table.model_version)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def feedback_on_predictions(
    connection: Connection, since: datetime, until: datetime, *, anonymous: bool = False
) -> list[FeedbackOnPrediction]:
    """Feedback received until `until` on predictions that count, made in (since, until], in the order it was received.

    `anonymous`: with what came without a voice.
    """
    query = (
        select(
            Feedback.voice,
            Prediction.id.label("prediction_id"),
            Prediction.predicted_at,
            Prediction.model_version,
            Prediction.family,
            Prediction.text,
            Prediction.text_hash,
            Prediction.probabilities,
            Feedback.label,
            Feedback.preference,
            Feedback.utility,
        )
        .join(Prediction, Prediction.id == Feedback.prediction_id)
        .where(Prediction.predicted_at > since, Prediction.predicted_at <= until)
        # Nobody speaks of a prediction before it was made: both ends are named, so that the index of the times is enough.
        .where(Feedback.received_at > since, Feedback.received_at <= until, COUNTED)
        .order_by(Feedback.received_at, Feedback.id)
    )
    if not anonymous:
        query = query.where(Feedback.voice.is_not(None))
    return [FeedbackOnPrediction(**row) for row in connection.execute(query).mappings()]


@dataclass(frozen=True, slots=True)
class FeedbackOfDay:
    """How much feedback came on a UTC day: with a voice, and without."""

    day: date
    voiced: int
    anonymous: int


def feedback_by_day(connection: Connection, since: datetime) -> list[FeedbackOfDay]:
    """Days after `since` with feedback, newest first."""
    day = func.date(func.timezone("UTC", Feedback.received_at))
    voiced = func.count(Feedback.voice)
    query = select(day, voiced, func.count() - voiced).where(Feedback.received_at > since).group_by(day).order_by(day.desc())
    return [FeedbackOfDay(*row) for row in connection.execute(query)]
