"""Bodies of POST /predict and its variants: a text and what is known of it, the answer and how it came about."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from sentiment_platform.features.online import FeatureStatus
from sentiment_platform.symbols import LONGEST_TEXT
from sentiment_platform.text.example import EXAMPLE_TEXT
from sentiment_platform.text.sentiment import Label, PriceDirection

MAX_BATCH = 32
Path = Literal["primary", "cascade_first", "cascade_second", "fallback"]
DegradedReason = Literal["queue", "deadline", "exchange", "kill_switch", "model_error"]

MissingReason = Literal["family_not_deployed", "kill_switch", "overloaded", "model_error"]


class PredictRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A text to judge, and what is known about it."""

    text: Annotated[
        str,
        Meta(
            min_length=1,
            description="A headline or a short news text; by default at most 5,000 characters.",
            examples=[EXAMPLE_TEXT],
            extra_json_schema={"format": "news-text"},
        ),
    ]
    ticker: (
        Annotated[
            str,
            Meta(
                max_length=LONGEST_TEXT,
                description="The share it is about, in any usual spelling: LMP-B, LMP.B, NYSE:LMP/B.",
                extra_json_schema={"format": "symbol"},
            ),
        ]
        | None
    ) = None
    source: (
        Annotated[
            str,
            Meta(min_length=1, max_length=100, description="The outlet that carried it.", extra_json_schema={"format": "outlet"}),
        ]
        | None
    ) = None
    published_at: (
        Annotated[
            str,
            Meta(
                max_length=100,
                description="When it was published: a time of day with its offset from UTC or the name of its zone, from 1990 to a day ahead.",
                extra_json_schema={"format": "date-time"},
            ),
        ]
        | None
    ) = None
    unit_id: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=128,
                description="Who or what asks: an experiment answers the same unit by the same arm. Without it the API key counts, then the text.",
            ),
        ]
        | None
    ) = None
    traffic: (
        Annotated[
            Literal["load_test"],
            Meta(
                description="What the request is for, where it is no question of a user. `load_test`: answered and recorded as any other, "
                "and counted nowhere: not in drift, not in live accuracy, not in training, not among the texts put aside for labelling."
            ),
        ]
        | None
    ) = None
    explain: Annotated[bool, Meta(description="Also return `explanation`: how much each token moved the sentiment.")] = False


class BatchRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Up to 32 texts, each answered as POST /predict would."""

    items: Annotated[list[PredictRequest], Meta(min_length=1, max_length=MAX_BATCH)]


class LabelProbabilities(Struct, frozen=True):
    """Calibrated probability of each label; they add up to 1."""

    negative: Annotated[float, Meta(ge=0, le=1)]
    neutral: Annotated[float, Meta(ge=0, le=1)]
    positive: Annotated[float, Meta(ge=0, le=1)]


class Prediction(Struct, frozen=True, kw_only=True):
    """What the model says. All of it but `supported` follows from the three probabilities, so that no part contradicts another.

    `label` is the likeliest of the three (of equals, the first of negative, neutral, positive), `confidence` its probability.
    `price_direction` is a word for the label: bullish for positive, bearish for negative. It is not a forecast of any price.
    """

    label: Annotated[Label, Meta(description="The likeliest label; of equals, the first of negative, neutral, positive.")]
    probabilities: LabelProbabilities
    sentiment: Annotated[float, Meta(ge=-1, le=1, description="Probability of positive less probability of negative.")]
    confidence: (
        Annotated[float, Meta(ge=0, le=1, description="Calibrated probability of `label`; null where `supported` is false.")]
        | None
    )
    supported: Annotated[
        bool,
        Meta(
            description="Whether the text is English that a model can read. Where it is not, no figure is calibrated, and the answer "
            "counts nowhere: not in drift, not in feedback, not in training."
        ),
    ]
    price_direction: Annotated[
        PriceDirection,
        Meta(description="bullish where `label` is positive, bearish where it is negative; not a forecast of any price."),
    ]
    model_used: Annotated[str, Meta(description="The family that answered.")]
    features_count: Annotated[
        int, Meta(ge=0, description="Length of the feature vector that the answer used; 0 where the version uses no features.")
    ]
    features_present: Annotated[int, Meta(ge=0, description="How many of these features were there; the others are missing.")]


class Performance(Struct, frozen=True, kw_only=True):
    """How the answer came about; `model_version` is the tag of the release.

    A text that is longer than the model reads at once is read passage by passage. `truncated`: of a text of very many passages only the
    first `characters_read` characters were read.
    """

    response_time_ms: float
    model_version: str
    cache_hit: bool
    passages: Annotated[
        int, Meta(ge=1, description="Sentences that the answer is the weighted mean of; 1 where the text was read whole.")
    ]
    characters_read: Annotated[int, Meta(ge=0, description="Of the text after cleaning, from its start.")]
    truncated: Annotated[bool, Meta(description="Whether the text goes on after `characters_read`.")]


class Comparison(Struct, frozen=True):
    """The two families that it names side by side; null where one is absent or was not run, never an invented figure.

    `agreement`: both give the same `label`; `confidence_delta`: finbert's confidence less vader's.
    """

    vader_sentiment: float | None = None
    finbert_sentiment: float | None = None
    agreement: bool | None = None
    confidence_delta: float | None = None


class TokenContribution(Struct, frozen=True):
    """How much a token moved the sentiment up or down, and by which rule; `rule` is empty where nothing moved.

    A token has one entry for each rule that moved it, a phrase has one at its first word. `position` counts the words from 0.
    """

    token: str
    position: int
    contribution: float
    rule: str


class Explanation(Struct, frozen=True, kw_only=True):
    """Where the sentiment comes from, in units of sentiment: `base` + `features` + every contribution = `sum`, which is
    `prediction.sentiment` to 1e-6.

    `base` is what the version says of an empty text without any feature, `features` what those of this request add to that.
    `contributions` has every token, in the order of the text.
    """

    base: float
    features: float
    contributions: list[TokenContribution]
    sum: float


class Answer(Struct, frozen=True, kw_only=True):
    """The answer to one text. `degraded`: another version answered, because the chosen one could not, or not within the deadline."""

    prediction: Prediction
    performance: Performance
    comparison: Comparison
    prediction_id: str
    degraded: bool
    degraded_reason: Annotated[
        DegradedReason | None,
        Meta(
            description="Why it is `degraded`. `queue`: too much waited for the chosen family; `deadline`: it alone would have taken "
            "longer, or did not answer in time; `exchange`: it is being exchanged; `kill_switch`: somebody switched it off (`GET /flags`); "
            "`model_error`: its version failed at this text."
        ),
    ]
    path: Annotated[
        Path,
        Meta(
            description="How it was answered: by the chosen family (`primary`), by the cheap one of a cascade (`cascade_first`), by the one "
            "that a cascade asks where the first is not sure (`cascade_second`), or by the one that stood in (`fallback`)."
        ),
    ]
    feature_status: Annotated[
        FeatureStatus,
        Meta(description="Of the context of the ticker and source that the request named; MISSING where it named none."),
    ]
    explanation: Explanation | UnsetType = UNSET


class BatchAnswer(Struct, frozen=True):
    """Answers in the order of the items."""

    answers: list[Answer]


class FamilyAnswer(Struct, frozen=True, kw_only=True):
    """One family's part of a comparison."""

    prediction: Prediction
    performance: Performance
    prediction_id: str
    explanation: Explanation | UnsetType = UNSET


class CompareAnswer(Struct, frozen=True):
    """Every family on the same text; a family that is not deployed, or could not answer, is null, and `missing` says why."""

    results: dict[str, FamilyAnswer | None]
    comparison: Comparison
    feature_status: FeatureStatus
    response_time_ms: float
    missing: Annotated[
        dict[str, MissingReason],
        Meta(description="Each family that is null in `results`, with the code that it alone would answer."),
    ]
