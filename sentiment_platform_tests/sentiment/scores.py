"""Scores as a version would have left them, for tests of what reads them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Engine

from sentiment_platform.store.article_sentiment import ScoreRow, write_scores
from sentiment_platform.store.articles import NewArticle
from sentiment_platform.text.normalise import text_hash
from sentiment_platform.text.sentiment import likeliest_label


def score(
    article: NewArticle, probabilities: Sequence[float], version: str = "v1.0.0-vader", *, at: datetime | None = None
) -> ScoreRow:
    negative, neutral, positive = probabilities
    return ScoreRow(
        article_id=article.id,
        version=version,
        family=version.rpartition("-")[2],
        manifest_digest="ab" * 32,
        negative=negative,
        neutral=neutral,
        positive=positive,
        label=likeliest_label(probabilities),
        text_hash=text_hash(article.title),
        characters=len(article.title),
        characters_read=len(article.title),
        available_at=article.available_at,
        scored_at=at or article.available_at,
    )


def store_scores(engine: Engine, *rows: ScoreRow) -> None:
    with engine.begin() as connection:
        write_scores(connection, rows)
