"""Registered versions, how they scored, the comparisons between them, and the deployments made of them."""

from datetime import datetime

from sqlalchemy import Double, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from sentiment_platform.store.tables.base import Base, Document, InsertedAt, Instant, Serial


class ModelVersion(Base):
    """A model release as published: the manifest is the release's own, this row is its index."""

    __tablename__ = "model_versions"
    __table_args__ = (Index("ix_model_versions_family_registered_at", "family", "registered_at"),)

    version: Mapped[str] = mapped_column(primary_key=True)
    family: Mapped[str]
    manifest_digest: Mapped[str]
    manifest: Mapped[Document]
    training_set: Mapped[str]
    options_digest: Mapped[str]
    run_id: Mapped[str]
    registered_at: Mapped[InsertedAt]


class HoldoutPrediction(Base):
    """What a version answered on one holdout row; the paired tests read two versions' rows side by side."""

    __tablename__ = "holdout_predictions"

    version: Mapped[str] = mapped_column(ForeignKey("platform.model_versions.version"), primary_key=True)
    training_set: Mapped[str] = mapped_column(primary_key=True)
    example_id: Mapped[str] = mapped_column(primary_key=True)
    probabilities: Mapped[list[float]] = mapped_column(ARRAY(Double))


class ModelPerformance(Base):
    """One figure: model version, window and metric, with its interval, its n and the share of rows that had a label.

    Late labels never overwrite: a changed figure is a new `revision` of the same natural key. `note` says what a reader must know of it,
    such as that it is not reliable.
    """

    __tablename__ = "model_performance"
    __table_args__ = (Index("ix_model_performance_version_window", "version", "window"),)

    version: Mapped[str] = mapped_column(primary_key=True)
    window: Mapped[str] = mapped_column(primary_key=True)
    metric: Mapped[str] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[float] = mapped_column(Double)
    low: Mapped[float | None] = mapped_column(Double)
    high: Mapped[float | None] = mapped_column(Double)
    n: Mapped[int]
    label_coverage: Mapped[float] = mapped_column(Double)
    in_sample: Mapped[bool]
    as_of: Mapped[Instant]
    note: Mapped[str] = mapped_column(server_default=text("''::text"))


class Experiment(Base):
    """A comparison of two versions: offline on a holdout now, online later; the result holds every figure of the verdict."""

    __tablename__ = "experiments"

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    champion: Mapped[str]
    challenger: Mapped[str]
    verdict: Mapped[str]
    result: Mapped[Document]
    run_id: Mapped[str]
    created_at: Mapped[InsertedAt]


class GateEvidenceRow(Base):
    """What `ab_evaluation` found and proposes, as one document under its digest; the gate and the check read the newest row."""

    __tablename__ = "gate_evidence"

    id: Mapped[Serial]
    digest: Mapped[str]
    document: Mapped[Document]
    run_id: Mapped[str]
    made_at: Mapped[Instant]


class DeploymentRow(Base):
    """Mirror of one published deployment document; the release is the truth."""

    __tablename__ = "deployments"

    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    tag: Mapped[str]
    digest: Mapped[str]
    document: Mapped[Document]
    rule: Mapped[str]
    actor: Mapped[str]
    reason: Mapped[str]
    published_at: Mapped[Instant]


class SelectionRequest(Base):
    """A person's select, promotion or rollback, recorded by serving at once and published by the graph as the next revision.

    `refusal` says why it never will be; with a `published_revision`, what that published in its place. `expected_revision`: the deployment
    that it was decided on, which it leaves. `restores`: of a rollback, the revision whose content returns; a revision is left by one at a
    time. `default_family`: the family that shall answer where none is named; null leaves it as it is.
    """

    __tablename__ = "selection_requests"
    __table_args__ = (
        Index(
            "uq_selection_requests_one_rollback",
            "expected_revision",
            "family",
            unique=True,
            postgresql_where=text("((restores IS NOT NULL) AND (refusal IS NULL))"),
        ),
    )

    id: Mapped[Serial]
    request_id: Mapped[str] = mapped_column(unique=True)
    family: Mapped[str]
    version: Mapped[str]
    actor: Mapped[str]
    reason: Mapped[str]
    requested_at: Mapped[Instant]
    published_revision: Mapped[int | None]
    published_at: Mapped[datetime | None]
    refusal: Mapped[str | None]
    expected_revision: Mapped[int | None]
    restores: Mapped[int | None]
    default_family: Mapped[str | None]
