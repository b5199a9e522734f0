"""Bodies of POST /predict and its variants: a text and what is known of it, the answer and how it came about."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from sentiment_platform.features.online import FeatureStatus

MAX_BATCH = 32
PriceDirection = Literal["bullish", "bearish", "neutral"]


class PredictRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A text to judge, and what is known about it."""

    text: Annotated[
        str,
        Meta(
            min_length=1,
            description="A headline or a short news text; by default at most 5,000 characters.",
            examples=["Net loss narrowed."],
        ),
    ]
    ticker: Annotated[str, Meta(pattern=r"^[A-Za-z0-9.^=_\-]{1,15}(?![\s\S])", description="The share it is about.")] | None = (
        None
    )
    source: Annotated[str, Meta(min_length=1, max_length=100, description="The outlet that carried it.")] | None = None
    published_at: Annotated[datetime, Meta(tz=True, description="When it was published, with an offset from UTC.")] | None = None
    unit_id: (
        Annotated[
            str, Meta(min_length=1, max_length=128, description="What an experiment assigns to an arm; unused when none runs.")
        ]
        | None
    ) = None
    explain: Annotated[bool, Meta(description="Also return how much each token moved the answer.")] = False


class BatchRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Up to 32 texts, each answered as POST /predict would."""

    items: Annotated[list[PredictRequest], Meta(min_length=1, max_length=MAX_BATCH)]


class Prediction(Struct, frozen=True):
    """What the model says.

    `sentiment` is the probability of positive less that of negative; `confidence` the calibrated probability of the likeliest of
    the three labels; `price_direction` a word for the sentiment beyond +0.15 or -0.15. It is not a forecast of any price.
    """

    sentiment: Annotated[float, Meta(ge=-1, le=1, description="Probability of positive less probability of negative.")]
    confidence: Annotated[float, Meta(ge=0, le=1, description="Calibrated probability of the likeliest label.")]
    price_direction: Annotated[
        PriceDirection, Meta(description="Sentiment above +0.15, below -0.15, or between; not a forecast of any price.")
    ]
    model_used: Annotated[str, Meta(description="The family that answered.")]
    features_count: Annotated[int, Meta(description="Length of the feature vector that the model was given.")]


class Performance(Struct, frozen=True):
    """How the answer came about; `model_version` is the tag of the release."""

    response_time_ms: float
    model_version: str
    cache_hit: bool


class Comparison(Struct, frozen=True):
    """The two families that it names side by side; null where one is absent or was not run, never an invented figure.

    `agreement`: both find the same label likeliest; `confidence_delta`: finbert's confidence less vader's.
    """

    vader_sentiment: float | None = None
    finbert_sentiment: float | None = None
    agreement: bool | None = None
    confidence_delta: float | None = None


class TokenContribution(Struct, frozen=True):
    """How much one token moved the answer towards positive (above 0) or negative (below 0), and by which rule."""

    token: str
    contribution: float
    rule: str


class Answer(Struct, frozen=True, kw_only=True):
    """The answer to one text. `degraded`: a cheaper family answered because the chosen one could not within the deadline."""

    prediction: Prediction
    performance: Performance
    comparison: Comparison
    prediction_id: str
    degraded: bool
    feature_status: FeatureStatus
    contributions: list[TokenContribution] | UnsetType = UNSET


class BatchAnswer(Struct, frozen=True):
    """Answers in the order of the items."""

    answers: list[Answer]


class FamilyAnswer(Struct, frozen=True, kw_only=True):
    """One family's part of a comparison."""

    prediction: Prediction
    performance: Performance
    prediction_id: str
    contributions: list[TokenContribution] | UnsetType = UNSET


class CompareAnswer(Struct, frozen=True):
    """Every family on the same text; a family that is not deployed, or could not answer within the deadline, is null."""

    results: dict[str, FamilyAnswer | None]
    comparison: Comparison
    feature_status: FeatureStatus
    response_time_ms: float
