"""One function from a text and its context to a feature vector: training, the feature asset and serving all call it.

The VADER values use the stock lexicon, which the schema version fixes; never the promoted model's lexicon.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from sentiment_platform.text.lexical import lexical_counts
from sentiment_platform.text.lexicon import stock_lexicon
from sentiment_platform.text.normalise import normalise
from sentiment_platform.text.vader import VaderEngine

FeatureVector = tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class FeatureContext:
    """What is known about a text beside its words; None where it is not known."""

    published_at: datetime | None = None
    story_outlets: float | None = None
    ticker_articles_1d: float | None = None
    source_articles_7d: float | None = None


NO_CONTEXT = FeatureContext()


@cache
def _stock_engine() -> VaderEngine:
    return VaderEngine(stock_lexicon())


def compute_v1(text: str, context: FeatureContext = NO_CONTEXT) -> FeatureVector:
    """The 15 values of schema v1, in its order; `text` may be raw, `published_at` must be aware."""
    text = normalise(text)
    counts = lexical_counts(text)
    score = _stock_engine().score(text)
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
        at.hour + at.minute / 60 if at else None,
        float(at.weekday()) if at else None,
    )


COMPUTE = {"v1": compute_v1}
"""Schema version -> function; a model pinned to a version keeps getting that version's function."""
