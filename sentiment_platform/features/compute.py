"""One function from a text and its context to a feature vector: training, the feature asset and serving all call it.

The VADER values use the stock lexicon, which the schema version fixes; never the promoted model's lexicon.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from sentiment_platform.text.lexical import lexical_counts
from sentiment_platform.text.lexicon import stock_lexicon
from sentiment_platform.text.normalise import normalise
from sentiment_platform.text.vader import VaderEngine

FeatureVector = tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureContext:
    """What is known about a text beside its words, under the names of its features; None where it is not known.

    `day_only`: `published_at` is the first moment of a day, and the hour is not known.
    """

    published_at: datetime | None = None
    day_only: bool = False
    story_outlets: float | None = None
    ticker_articles_1d: float | None = None
    source_articles_7d: float | None = None
    ticker_sentiment_1d: float | None = None
    ticker_sentiment_7d: float | None = None
    ticker_volume_surprise: float | None = None
    source_reliability: float | None = None
    ticker_return_1d: float | None = None
    ticker_return_5d: float | None = None
    ticker_volatility_20d: float | None = None


NO_CONTEXT = FeatureContext()


@cache
def stock_engine() -> VaderEngine:
    """The engine with the stock lexicon; made once."""
    return VaderEngine(stock_lexicon())


def compute_v1(text: str, context: FeatureContext = NO_CONTEXT) -> FeatureVector:
    """The 15 values of schema v1, in its order; `text` may be raw, `published_at` must be aware."""
    text = normalise(text)
    counts = lexical_counts(text)
    score = stock_engine().score(text)
    at = context.published_at.astimezone(UTC) if context.published_at else None
    return (
        float(counts.word_count),
        counts.mean_word_length,
        float(counts.number_count),
        float(counts.percent_count),
        counts.capital_share,
        float(counts.emphasis_count),
        float(counts.negation_count),
        score.compound,
        score.positive,
        score.negative,
        context.story_outlets,
        context.ticker_articles_1d,
        context.source_articles_7d,
        at.hour + at.minute / 60 if at and not context.day_only else None,
        float(at.weekday()) if at else None,
    )


def compute_v2(text: str, context: FeatureContext = NO_CONTEXT) -> FeatureVector:
    """The 15 values of schema v1, then the rolling ones of v2."""
    return (
        *compute_v1(text, context),
        context.ticker_sentiment_1d,
        context.ticker_sentiment_7d,
        context.ticker_volume_surprise,
        context.source_reliability,
        context.ticker_return_1d,
        context.ticker_return_5d,
        context.ticker_volatility_20d,
    )


COMPUTE: dict[str, Callable[[str, FeatureContext], FeatureVector]] = {"v1": compute_v1, "v2": compute_v2}
"""Schema version -> function; a model pinned to a version keeps getting that version's function."""
