"""What serving answered, what a version in shadow would have answered, and what people said of it."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Double, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from sentiment_platform.store.tables.base import Base, Document, InsertedAt, Instant


class Prediction(Base):
    """One answered prediction, shipped from serving's journal; the row with its arm is the exposure of an experiment.

    Not `supported`: the text is not English that a model can read, and the row counts in no drift, performance or training. Null: not asked.
    `traffic` says what a request was for that is no user's (`load_test`, `tester`): it counts in none of these either. `unit`: a hash of what the
    experiment assigned to the arm, so that a unit is counted once. `path`: which step of serving's plan answered; `degraded_reason`: why
    that was another one than planned. Both are null in rows from before they were kept. `instead_of`: the version in whose place it
    answered, which was too busy, too slow, or failed.
    """

    __tablename__ = "predictions"
    __table_args__ = (
        Index("ix_predictions_predicted_at", "predicted_at"),
        Index("ix_predictions_model_version_predicted_at", "model_version", "predicted_at"),
        Index("ix_predictions_text_hash", "text_hash"),
        Index(
            "ix_predictions_instead_of_predicted_at",
            "instead_of",
            "predicted_at",
            postgresql_where=text("instead_of IS NOT NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    predicted_at: Mapped[Instant]
    route: Mapped[str]
    family: Mapped[str]
    model_version: Mapped[str]
    manifest_digest: Mapped[str]
    deployment_revision: Mapped[int]
    experiment: Mapped[str | None]
    arm: Mapped[str | None]
    unit: Mapped[str | None]
    text: Mapped[str]
    text_hash: Mapped[str]
    ticker: Mapped[str | None]
    source: Mapped[str | None]
    published_at: Mapped[datetime | None]
    feature_schema: Mapped[str]
    features: Mapped[list[float | None]] = mapped_column(ARRAY(Double))
    features_hash: Mapped[str]
    feature_status: Mapped[str]
    probabilities: Mapped[list[float]] = mapped_column(ARRAY(Double))
    sentiment: Mapped[float] = mapped_column(Double)
    confidence: Mapped[float] = mapped_column(Double)
    supported: Mapped[bool | None]
    traffic: Mapped[str | None]
    cache_hit: Mapped[bool]
    degraded: Mapped[bool]
    degraded_reason: Mapped[str | None]
    path: Mapped[str | None]
    instead_of: Mapped[str | None]
    latency_ms: Mapped[Document]
    instance: Mapped[str]
    shipped_at: Mapped[InsertedAt]


class ShadowAnswer(Base):
    """What a version in shadow answered to a request that a champion answered; it was never served.

    Made by `serving` at the time, or by a `replay` of the log afterwards. `failure` says why there are no probabilities. Not a foreign
    key: a shadow's answer may overtake the prediction's journal.
    """

    __tablename__ = "shadow_answers"
    __table_args__ = (
        CheckConstraint("made_by IN ('serving', 'replay')", name="made_by"),
        UniqueConstraint("experiment", "phase", "prediction_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    prediction_id: Mapped[str]
    experiment: Mapped[str]
    phase: Mapped[int]
    model_version: Mapped[str]
    manifest_digest: Mapped[str]
    answered_at: Mapped[Instant]
    probabilities: Mapped[list[float] | None] = mapped_column(ARRAY(Double))
    failure: Mapped[str | None]
    latency_ms: Mapped[float] = mapped_column(Double)
    made_by: Mapped[str]
    shipped_at: Mapped[InsertedAt]


class Feedback(Base):
    """What a person said of a prediction: a label, a preferred family, a utility from -1 to 1; joined by `prediction_id`.

    Not a foreign key: feedback may overtake the prediction's journal on its way into the database. `voice`: who speaks, the id of an API
    key, or `key/client` where the key's holder says who of his users it was; null: nobody with a valid key.
    """

    __tablename__ = "feedback"
    __table_args__ = (
        Index("ix_feedback_prediction_id", "prediction_id"),
        Index("ix_feedback_received_at", "received_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    prediction_id: Mapped[str]
    label: Mapped[str | None]
    preference: Mapped[str | None]
    utility: Mapped[float | None] = mapped_column(Double)
    comment: Mapped[str | None]
    voice: Mapped[str | None]
    received_at: Mapped[Instant]
    shipped_at: Mapped[InsertedAt]


class AuditedPrediction(Base):
    """A served answer that was put aside for people to label: of each UTC day those whose id has the smallest MD5 (`digest`).

    That is a random sample of what users asked, whatever the order in which predictions arrive. `text` is a copy, which goes with the
    row after 31 days; a prediction that is deleted leaves the sample.
    """

    __tablename__ = "audit_sample"
    __table_args__ = (Index("ix_audit_sample_day_digest", "day", "digest"),)

    prediction_id: Mapped[str] = mapped_column(
        ForeignKey("platform.predictions.id", name="fk_audit_sample_prediction_id_predictions", ondelete="CASCADE"),
        primary_key=True,
    )
    day: Mapped[date]
    digest: Mapped[str]
    text: Mapped[str]
    text_hash: Mapped[str]
