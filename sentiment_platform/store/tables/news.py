"""What was fetched: articles as they came, who else carried them, what was refused, and what each collection brought."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from sentiment_platform.store.tables.base import Base, InsertedAt, Instant, Serial


class RawData(Base):
    """One article as its source published it. `id` is derived from the content hash, so a second import changes nothing.

    `published_at` is the source's word, `fetched_at` when we got it, `available_at` when we could first have known it:
    the later of publication and first fetch for live sources, the publication itself for archives (the end of a day without a time).
    `day_only`: the source named no time of day; null in rows from before this was kept, of which `published_text` says it.
    `language` is the source's word; with `language_detected` it states none, and the text says `en`, or `und` where it is not English.
    `notes` says which optional fields were changed or left out because they could not be stored as they came, one note each.
    """

    __tablename__ = "raw_data"
    __table_args__ = (
        UniqueConstraint("source", "external_id"),
        UniqueConstraint("content_hash"),
        Index("ix_raw_data_published_at", "published_at"),
        Index("ix_raw_data_available_at", "available_at"),
        Index("ix_raw_data_run_id", "run_id"),
        Index("ix_raw_data_tickers", "tickers", postgresql_using="gin"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str]
    external_id: Mapped[str]
    url: Mapped[str | None]
    canonical_url: Mapped[str | None]
    outlet: Mapped[str | None]
    title: Mapped[str]
    summary: Mapped[str | None]
    language: Mapped[str | None]
    language_detected: Mapped[bool] = mapped_column(server_default=text("false"))
    tickers: Mapped[list[str]] = mapped_column(ARRAY(Text))
    notes: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'::text[]"))
    published_at: Mapped[Instant]
    published_text: Mapped[str | None]
    day_only: Mapped[bool | None]
    fetched_at: Mapped[Instant]
    available_at: Mapped[Instant]
    content_hash: Mapped[str]
    run_id: Mapped[str]


class Sighting(Base):
    """Every (source, external id) under which an article was seen: it is linked here, not stored again. A source may use one name for
    several articles.
    """

    __tablename__ = "sightings"
    __table_args__ = (Index("ix_sightings_article_id", "article_id"),)

    source: Mapped[str] = mapped_column(primary_key=True)
    external_id: Mapped[str] = mapped_column(primary_key=True)
    article_id: Mapped[str] = mapped_column(ForeignKey("platform.raw_data.id"), primary_key=True)
    first_seen_at: Mapped[Instant]
    run_id: Mapped[str]


class ArticleRevision(Base):
    """Another wording of an article, known from `available_at` on; what `raw_data` holds is the first, and stays what was known then.

    `wording` is made of the title's words: a wording that comes back is no new one.
    """

    __tablename__ = "article_revisions"
    __table_args__ = (Index("ix_article_revisions_available_at", "available_at"),)

    article_id: Mapped[str] = mapped_column(ForeignKey("platform.raw_data.id"), primary_key=True)
    wording: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    summary: Mapped[str | None]
    published_at: Mapped[Instant]
    available_at: Mapped[Instant]
    run_id: Mapped[str]


class StoryCluster(Base):
    """The story an article tells; syndicated copies share `story_id`, the id of the article that opened it, which never changes."""

    __tablename__ = "story_clusters"
    __table_args__ = (Index("ix_story_clusters_story_id", "story_id"),)

    article_id: Mapped[str] = mapped_column(ForeignKey("platform.raw_data.id"), primary_key=True)
    story_id: Mapped[str]
    method: Mapped[str]
    similarity: Mapped[float]
    assigned_at: Mapped[InsertedAt]


class Quarantine(Base):
    """A row that broke a contract: the rule, the payload as it came, and the run; `id` makes a second refusal of it one row."""

    __tablename__ = "quarantine"
    __table_args__ = (
        Index("ix_quarantine_source_rule", "source", "rule"),
        Index("ix_quarantine_source_fetched_at", "source", "fetched_at"),
        Index("ix_quarantine_fetched_at", "fetched_at"),
        # Few rows wait at any time; every reading of articles leaves these out.
        Index("ix_quarantine_boundary_id", "boundary", "id", postgresql_where=text("released_at IS NULL")),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    boundary: Mapped[str]
    source: Mapped[str]
    rule: Mapped[str]
    detail: Mapped[str]
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    fetched_at: Mapped[Instant]
    run_id: Mapped[str]
    released_at: Mapped[datetime | None]


class CollectionRun(Base):
    """The arithmetic of one collection: fetched = stored + duplicate + quarantined, per source and run."""

    __tablename__ = "collection_runs"
    __table_args__ = (Index("ix_collection_runs_source_finished_at", "source", "finished_at"),)

    id: Mapped[Serial]
    run_id: Mapped[str]
    source: Mapped[str]
    fetched: Mapped[int]
    stored: Mapped[int]
    duplicate: Mapped[int]
    quarantined: Mapped[int]
    outcome: Mapped[str]
    detail: Mapped[str | None]
    finished_at: Mapped[InsertedAt]
