"""Feature vectors, one row per entity, schema version and time; the offline side of the feature store."""

from sqlalchemy import Double, ForeignKey, Index
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from sentiment_platform.store.tables.base import Base, InsertedAt, Instant


class ProcessedFeatures(Base):
    """Values in the order of the schema version; NULL where a value is missing.

    `as_of` is an article's `available_at`, or the moment since which a ticker or outlet has these values. `revision` counts how
    often the row was corrected, from 1; `computed_at` is when it was written last.
    """

    __tablename__ = "processed_features"
    __table_args__ = (
        Index("ix_processed_features_article_id", "article_id"),
        Index("ix_processed_features_schema_version_as_of", "schema_version", "as_of"),
    )

    entity: Mapped[str] = mapped_column(primary_key=True)
    schema_version: Mapped[str] = mapped_column(primary_key=True)
    as_of: Mapped[Instant] = mapped_column(primary_key=True)
    article_id: Mapped[str | None] = mapped_column(ForeignKey("platform.raw_data.id"))
    values: Mapped[list[float | None]] = mapped_column(ARRAY(Double))
    revision: Mapped[int] = mapped_column(server_default="1")
    computed_at: Mapped[InsertedAt]


class FeatureRevision(Base):
    """Vectors that were corrected since, as they stood; a trigger on `processed_features` keeps them (migration 0013)."""

    __tablename__ = "feature_revisions"

    entity: Mapped[str] = mapped_column(primary_key=True)
    schema_version: Mapped[str] = mapped_column(primary_key=True)
    as_of: Mapped[Instant] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    values: Mapped[list[float | None]] = mapped_column(ARRAY(Double))
    computed_at: Mapped[Instant]
