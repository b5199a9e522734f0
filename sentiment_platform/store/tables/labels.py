"""Human labels and the content-addressed training sets made from them."""

from sqlalchemy import Double, ForeignKey, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from sentiment_platform.store.tables.base import Base, Document, InsertedAt, Instant


class LabelRow(Base):
    """One annotator's word on one text; many may speak on the same text (`text_hash`).

    `published_at` dates texts whose article was not collected; where it was, the article's own `available_at` counts.
    """

    __tablename__ = "labels"
    __table_args__ = (
        UniqueConstraint("label_set", "external_id", "annotator"),
        Index("ix_labels_text_hash", "text_hash"),
        Index("ix_labels_inserted_at", "inserted_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    label_set: Mapped[str]
    external_id: Mapped[str]
    annotator: Mapped[str]
    text: Mapped[str]
    text_hash: Mapped[str]
    label: Mapped[str]
    weight: Mapped[float] = mapped_column(Double)
    article_id: Mapped[str | None] = mapped_column(ForeignKey("platform.raw_data.id"))
    licence: Mapped[str]
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
