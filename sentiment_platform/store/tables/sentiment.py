"""What versions say of articles."""

from sqlalchemy import Double, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from sentiment_platform.store.tables.base import Base, Instant


class ArticleSentiment(Base):
    """The answer of one version to one wording of an article; versions and wordings stand side by side.

    The three probabilities are what `POST /predict` answers to the text alone. `text_hash` names the normalised text that was read, of
    which the version read the first `characters_read`: a corrected text is scored anew, an unchanged one never. `wording` is that of
    `article_revisions`, empty for the first. `available_at` is the wording's, `scored_at` when this row was written.
    """

    __tablename__ = "article_sentiment"
    __table_args__ = (Index("ix_article_sentiment_version_scored_at", "version", "scored_at"),)

    article_id: Mapped[str] = mapped_column(ForeignKey("platform.raw_data.id"), primary_key=True)
    version: Mapped[str] = mapped_column(primary_key=True)
    wording: Mapped[str] = mapped_column(primary_key=True, server_default=text("''::text"))
    family: Mapped[str]
    manifest_digest: Mapped[str]
    negative: Mapped[float] = mapped_column(Double)
    neutral: Mapped[float] = mapped_column(Double)
    positive: Mapped[float] = mapped_column(Double)
    label: Mapped[str]
    text_hash: Mapped[str]
    characters: Mapped[int]
    characters_read: Mapped[int]
    available_at: Mapped[Instant]
    scored_at: Mapped[Instant]
