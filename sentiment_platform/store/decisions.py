"""SQL of monitoring: what was served and said of it, the drift figures, the decisions to retrain, the labels that wait.

Writing predictions and feedback is `store.predictions`; figures of models are `store.models`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Date, cast, func, select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on, insert

from sentiment_platform.store.tables import (
    CollectionRun,
    DriftMetric,
    Feedback,
    LabelRow,
    LabelSetRow,
    Prediction,
    RetrainDecision,
    TrainingExample,
)


@dataclass(frozen=True, slots=True)
class ServedPrediction:
    """What drift needs of an answered prediction."""

    id: str
    predicted_at: datetime
    model_version: str
    text_hash: str
    text: str
    features: list[float | None]
    probabilities: list[float]


@dataclass(frozen=True, slots=True)
class FeedbackOnPrediction:
    """One feedback beside the prediction it speaks of."""

    prediction_id: str
    model_version: str
    family: str
    text: str
    probabilities: list[float]
    label: str | None
    preference: str | None
    utility: float | None


@dataclass(frozen=True, slots=True)
class StoredDecision:
    """A row of `retrain_decisions`."""

    id: str
    decided_at: datetime
    retrain: bool
    reasons: dict[str, Any]
    evidence: dict[str, Any]


def served_predictions(
    connection: Connection, feature_schema: str, since: datetime | None, until: datetime, limit: int
) -> list[ServedPrediction]:
    """The newest `limit` predictions made in (since, until] (since None: ever) with features of that schema, newest first."""
    table = Prediction
    query = select(
        table.id, table.predicted_at, table.model_version, table.text_hash, table.text, table.features, table.probabilities
    )
    query = query.where(table.predicted_at <= until, table.feature_schema == feature_schema)
    if since is not None:
        query = query.where(table.predicted_at > since)
    query = query.order_by(table.predicted_at.desc(), table.id).limit(limit)
    return [ServedPrediction(*row) for row in connection.execute(query)]


def prediction_counts(connection: Connection, since: datetime, until: datetime) -> dict[str, int]:
    """model version -> predictions made in (since, until]."""
    table = Prediction
    query = (
        select(table.model_version, func.count())
        .where(table.predicted_at > since, table.predicted_at <= until)
        .group_by(table.model_version)
        .order_by(table.model_version)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def feedback_on_predictions(connection: Connection, since: datetime, until: datetime) -> list[FeedbackOnPrediction]:
    """Feedback received until `until` on predictions made in (since, until], in the order it was received."""
    query = (
        select(
            Prediction.id,
            Prediction.model_version,
            Prediction.family,
            Prediction.text,
            Prediction.probabilities,
            Feedback.label,
            Feedback.preference,
            Feedback.utility,
        )
        .join(Prediction, Prediction.id == Feedback.prediction_id)
        .where(Prediction.predicted_at > since, Prediction.predicted_at <= until)
        # Nobody speaks of a prediction before it was made: both ends are named, so that the index of the times is enough.
        .where(Feedback.received_at > since, Feedback.received_at <= until)
        .order_by(Feedback.received_at, Feedback.id)
    )
    return [FeedbackOnPrediction(*row) for row in connection.execute(query)]


def part_features(connection: Connection, digest: str, part: str) -> list[list[float | None]]:
    """Feature vectors of one part of a training set."""
    table = TrainingExample
    query = select(table.features).where(table.digest == digest, table.part == part).order_by(table.example_id)
    return [row[0] for row in connection.execute(query)]


def examples_not_held_out(connection: Connection, digest: str, example_ids: Sequence[str]) -> set[str]:
    """Which of these examples the models of that training set saw, in fitting or in choosing."""
    table = TrainingExample
    query = select(table.example_id).where(table.digest == digest, table.part != "test", table.example_id.in_(example_ids))
    return set(connection.execute(query).scalars())


def write_drift_rows(connection: Connection, records: Sequence[Mapping[str, Any]]) -> int:
    """Insert the rows of a report; a report that is there already is left alone. Returns how many rows were new."""
    if not records:
        return 0
    statement = insert(DriftMetric).on_conflict_do_nothing().returning(DriftMetric.subject)
    return len(connection.execute(statement, [dict(record) for record in records]).all())


def newest_drift_rows(connection: Connection, version: str) -> list[dict[str, Any]]:
    """The rows of the report about `version` that was written last; empty when there is none."""
    table = DriftMetric
    of_version = table.reference.startswith(f"{version}:", autoescape=True)
    newest = select(table.report_id).where(of_version).order_by(table.created_at.desc(), table.report_id).limit(1)
    query = select(table.__table__).where(table.report_id == newest.scalar_subquery()).order_by(table.subject, table.test)
    return [dict(row) for row in connection.execute(query).mappings()]


def collected_on_newest_day(connection: Connection, since: datetime) -> list[tuple[str, date, int, int]]:
    """(source, UTC day, items fetched, items quarantined) of each source's newest day with items, as far as that ended after `since`.

    Items re-admitted from quarantine are no news of the source.
    """
    table = CollectionRun
    day = cast(func.timezone("UTC", table.finished_at), Date)
    fetched, quarantined = func.sum(table.fetched), func.sum(table.quarantined)
    query = select(table.source, day, fetched, quarantined).where(table.finished_at > since, table.outcome != "replayed")
    query = (
        query.group_by(table.source, day).having(fetched > 0).ext(distinct_on(table.source)).order_by(table.source, day.desc())
    )
    return [(row[0], row[1], row[2], row[3]) for row in connection.execute(query)]


def write_decision(connection: Connection, decision: StoredDecision, run_id: str) -> bool:
    """Insert a decision; returns False, writing nothing, when it was made before."""
    statement = (
        insert(RetrainDecision)
        .values(
            id=decision.id,
            decided_at=decision.decided_at,
            retrain=decision.retrain,
            reasons=decision.reasons,
            evidence=decision.evidence,
            run_id=run_id,
        )
        .on_conflict_do_nothing()
        .returning(RetrainDecision.id)
    )
    return connection.execute(statement).first() is not None


def newest_decisions(connection: Connection, limit: int = 20, *, retrain: bool | None = None) -> list[StoredDecision]:
    """Decisions, newest first; only those with that outcome unless `retrain` is None."""
    table = RetrainDecision
    query = select(table.id, table.decided_at, table.retrain, table.reasons, table.evidence)
    if retrain is not None:
        query = query.where(table.retrain.is_(retrain))
    query = query.order_by(table.decided_at.desc(), table.id.desc()).limit(limit)
    return [StoredDecision(*row) for row in connection.execute(query)]


def decisions_to_retrain_after(connection: Connection, position: tuple[datetime, str] | None) -> list[StoredDecision]:
    """Decisions to retrain behind that (decided at, id), oldest first; None: all."""
    table = RetrainDecision
    query = select(table.id, table.decided_at, table.retrain, table.reasons, table.evidence).where(table.retrain)
    if position is not None:
        query = query.where(tuple_(table.decided_at, table.id) > position)
    return [StoredDecision(*row) for row in connection.execute(query.order_by(table.decided_at, table.id))]


def labels_since(connection: Connection, since: datetime, feedback_set: str) -> tuple[int, datetime | None]:
    """How many labels of people arrived after `since`, and when the newest did.

    Feedback counts when it reaches the database, taken in as a label or not: its copies in label set `feedback_set` are left out.
    """
    by_people = select(LabelSetRow.name).where(LabelSetRow.kind == "human", LabelSetRow.name != feedback_set)
    labels = select(func.count(), func.max(LabelRow.inserted_at)).where(
        LabelRow.inserted_at > since, LabelRow.label_set.in_(by_people)
    )
    feedback = select(func.count(), func.max(Feedback.shipped_at)).where(Feedback.shipped_at > since, Feedback.label.is_not(None))
    one, other = connection.execute(labels).one(), connection.execute(feedback).one()
    arrivals: list[datetime | None] = [one[1], other[1]]
    return one[0] + other[0], max((at for at in arrivals if at is not None), default=None)
