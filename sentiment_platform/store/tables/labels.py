"""Labels with their sets and where they came from, and the content-addressed training sets made from them."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Double, ForeignKey, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from sentiment_platform.store.tables.base import Base, Document, InsertedAt, Instant


class LabelSetRow(Base):
    """A set of labels under one licence and of one kind: given by annotators, by users' feedback, by a machine, or by the market.

    `commercial_use` is what the licence says of it: NULL where that is not known.
    """

    __tablename__ = "label_sets"
    __table_args__ = (CheckConstraint("kind IN ('human', 'feedback', 'machine', 'outcome')", name="kind"),)

    name: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    licence: Mapped[str]
    commercial_use: Mapped[bool | None]
    created_at: Mapped[InsertedAt]


class LabelImport(Base):
    """One file that was read into a set: by which version of which importer, and what became of its rows."""

    __tablename__ = "label_imports"
    __table_args__ = (Index("ix_label_imports_label_set", "label_set"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    label_set: Mapped[str] = mapped_column(ForeignKey("platform.label_sets.name", name="fk_label_imports_label_set_label_sets"))
    importer: Mapped[str]
    importer_version: Mapped[int]
    file_name: Mapped[str]
    file_digest: Mapped[str]
    rows_read: Mapped[int]
    rows_kept: Mapped[int]
    refused: Mapped[dict[str, Any]] = mapped_column(JSONB)
    left_out: Mapped[dict[str, Any]] = mapped_column(JSONB)
    imported_at: Mapped[Instant]


class LabelRow(Base):
    """One annotator's word on one text; many may speak on the same text (`text_hash`), and all of them are kept.

    `score` is the annotator's own number from -1 to 1 where there was one, `agreement` the share of annotators behind a label that
    was given by several. `published_at` dates texts whose article was not collected; where it was, the article's `available_at` counts.
    """

    __tablename__ = "labels"
    __table_args__ = (
        UniqueConstraint("label_set", "external_id", "annotator"),
        Index("ix_labels_text_hash", "text_hash"),
        Index("ix_labels_inserted_at", "inserted_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    label_set: Mapped[str] = mapped_column(ForeignKey("platform.label_sets.name", name="fk_labels_label_set_label_sets"))
    external_id: Mapped[str]
    annotator: Mapped[str]
    text: Mapped[str]
    text_hash: Mapped[str]
    label: Mapped[str]
    weight: Mapped[float] = mapped_column(Double)
    score: Mapped[float | None] = mapped_column(Double)
    agreement: Mapped[float | None] = mapped_column(Double)
    labelled_at: Mapped[datetime | None]
    article_id: Mapped[str | None] = mapped_column(ForeignKey("platform.raw_data.id"))
    import_id: Mapped[str | None] = mapped_column(
        ForeignKey("platform.label_imports.id", name="fk_labels_import_id_label_imports")
    )
    published_at: Mapped[Instant | None]
    inserted_at: Mapped[InsertedAt]


class TrainingSet(Base):
    """A snapshot named by the digest of its content: the same labels and rule give the same digest and no new row."""

    __tablename__ = "training_sets"

    digest: Mapped[str] = mapped_column(primary_key=True)
    feature_schema: Mapped[str]
    summary: Mapped[Document]
    created_at: Mapped[InsertedAt]


class TrainingExample(Base):
    """One row of a training set with the part it belongs to and the features it had; immutable."""

    __tablename__ = "training_examples"
    __table_args__ = (Index("ix_training_examples_digest_part", "digest", "part"),)

    digest: Mapped[str] = mapped_column(ForeignKey("platform.training_sets.digest"), primary_key=True)
    example_id: Mapped[str] = mapped_column(primary_key=True)
    part: Mapped[str]
    text: Mapped[str]
    label: Mapped[str]
    label_set: Mapped[str]
    story_id: Mapped[str]
    available_at: Mapped[Instant | None]
    features: Mapped[list[float | None]] = mapped_column(ARRAY(Double))
