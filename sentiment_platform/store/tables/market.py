"""Daily bars and what they said before they were revised."""

from datetime import date

from sqlalchemy import BigInteger, Double, ForeignKey, Index, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from sentiment_platform.store.tables.base import Base, InsertedAt, Instant


class MarketPrice(Base):
    """The daily bar of a symbol, adjusted for splits and dividends as its source did when it was fetched.

    `session` is the exchange's date; `available_at` the close of that session at the symbol's exchange, before which no bar can be known
    (where the exchange is not known: the moment at which that date is over everywhere on earth).
    `revision` counts how often the source changed its word; the former words are in `price_revisions`.
    """

    __tablename__ = "market_prices"
    __table_args__ = (Index("ix_market_prices_session", "session"),)

    symbol: Mapped[str] = mapped_column(primary_key=True)
    session: Mapped[date] = mapped_column(primary_key=True)
    open: Mapped[float] = mapped_column(Double)
    high: Mapped[float] = mapped_column(Double)
    low: Mapped[float] = mapped_column(Double)
    close: Mapped[float] = mapped_column(Double)
    volume: Mapped[int | None] = mapped_column(BigInteger)
    source: Mapped[str]
    available_at: Mapped[Instant]
    fetched_at: Mapped[Instant]
    run_id: Mapped[str]
    revision: Mapped[int]


class PriceRevision(Base):
    """A bar as it was before its source changed it; `revision` is the number that it had then."""

    __tablename__ = "price_revisions"

    symbol: Mapped[str] = mapped_column(primary_key=True)
    session: Mapped[date] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    open: Mapped[float] = mapped_column(Double)
    high: Mapped[float] = mapped_column(Double)
    low: Mapped[float] = mapped_column(Double)
    close: Mapped[float] = mapped_column(Double)
    volume: Mapped[int | None] = mapped_column(BigInteger)
    fetched_at: Mapped[Instant]
    run_id: Mapped[str]
    superseded_at: Mapped[InsertedAt]


class PriceQuestion(Base):
    """From `day` on a source's prices of a symbol are on another level, as after a split `ratio`: a person is asked.

    Open until `settled_at`: somebody answered, or the source sent its history adjusted. `closes_at` is the end of that day's session.
    """

    __tablename__ = "price_questions"
    __table_args__ = (Index("ix_price_questions_asked_at", "asked_at"),)

    symbol: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    asked_at: Mapped[Instant] = mapped_column(primary_key=True)
    ratio: Mapped[str]
    before: Mapped[float] = mapped_column(Double)
    after: Mapped[float] = mapped_column(Double)
    closes_at: Mapped[Instant]
    settled_at: Mapped[Instant | None]


class PriceAnswer(Base):
    """What a person said of a symbol's day: a split `ratio` ("2:1": two new shares for one), or NULL where the move is real.

    Stored bars before a split are adjusted, those of `sources`; who said what before is in `audit_log`.
    """

    __tablename__ = "price_answers"

    symbol: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    ratio: Mapped[str | None]
    sources: Mapped[list[str]] = mapped_column(ARRAY(Text))
    answered_by: Mapped[str]
    answered_at: Mapped[Instant]


class Outcome(Base):
    """What a symbol did after an article: a delayed and noisy kind of label, never one that a person gave.

    Returns are NULL where there is no outcome; `reason` then says why. `available_at` is the end of the horizon.
    """

    __tablename__ = "outcomes"
    __table_args__ = (
        Index("ix_outcomes_available_at", "available_at"),
        Index("ix_outcomes_reason", "reason"),
        Index("ix_outcomes_rule", "rule"),
    )

    article_id: Mapped[str] = mapped_column(
        ForeignKey("platform.raw_data.id", name="fk_outcomes_article_id_raw_data"), primary_key=True
    )
    symbol: Mapped[str] = mapped_column(primary_key=True)
    horizon_sessions: Mapped[int] = mapped_column(primary_key=True)
    rule: Mapped[str]
    reason: Mapped[str | None]
    entry_at: Mapped[Instant | None]
    available_at: Mapped[Instant | None]
    symbol_return: Mapped[float | None] = mapped_column(Double)
    market_return: Mapped[float | None] = mapped_column(Double)
    adjusted_return: Mapped[float | None] = mapped_column(Double)
    label: Mapped[str | None]
    market: Mapped[str | None]
    computed_at: Mapped[InsertedAt]
