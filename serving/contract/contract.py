"""The HTTP contract: every request and answer body as a struct. OpenAPI, validation and the answers are made from these alone.

Here: shapes and their meaning. Not here: how an answer is computed (`prediction`), what an error looks like (`problems`).
"""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from sentiment_platform.features.online import FeatureStatus
from sentiment_platform.text.sentiment import Label

MAX_BATCH = 32

PriceDirection = Literal["bullish", "bearish", "neutral"]
Family = Annotated[str, Meta(pattern=r"^[a-z]{1,30}\Z", description="A model family, such as `vader`.")]
Version = Annotated[str, Meta(pattern=r"^v[0-9]+\.[0-9]+\.[0-9]+-[a-z]{1,30}\Z", max_length=60, examples=["v1.0.0-vader"])]
Reason = Annotated[str, Meta(min_length=3, max_length=1000, description="Why; kept in the audit trail.")]
PredictionId = Annotated[str, Meta(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")]


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
    ticker: Annotated[str, Meta(pattern=r"^[A-Za-z0-9.^=_-]{1,15}\Z", description="The share it is about.")] | None = None
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
    """Both families side by side; null where a family is absent or was not run, never an invented figure.

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


class FeedbackRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a person says of a prediction; at least one of label, preference and utility."""

    prediction_id: PredictionId
    label: Label | None = None
    preference: Annotated[Family, Meta(description="The family whose answer was better.")] | None = None
    utility: Annotated[float, Meta(ge=-1, le=1, description="How useful it was, from -1 to 1.")] | None = None
    comment: Annotated[str, Meta(max_length=2000)] | None = None


class FeedbackAccepted(Struct, frozen=True):
    """The feedback is on disk; it reaches the database within seconds of the database being there."""

    feedback_id: str
    received_at: datetime


class SelectRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Let `version` be the champion of `family`, and that family answer POST /predict, from now on."""

    family: Family
    version: Version
    reason: Reason
    expected_version: Annotated[Version, Meta(description="Refuse (409) unless this one is live now.")] | None = None
    dry_run: Annotated[bool, Meta(description="Fetch, verify and try the version, but change nothing.")] = False


class RollbackRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Back to the versions of the deployment before the live one."""

    reason: Reason


class SelectionAnswer(Struct, frozen=True, kw_only=True):
    """What runs now (or would run, `dry_run`); the graph publishes it as the next revision."""

    request_id: str | None
    default_family: str
    before: dict[str, str]
    after: dict[str, str]
    dry_run: bool


class FamilyStatus(Struct, frozen=True, kw_only=True):
    """What a family answers with."""

    version: str
    manifest_digest: str
    base_model: str
    feature_schema: str
    since: datetime
    queue_depth: int
    health: Literal["ok", "saturated"]


class Swap(Struct, frozen=True, kw_only=True):
    """One attempt to bring something live; `reason` is a closed code, `message` says what to do."""

    at: datetime
    outcome: Literal["swapped", "refused", "failed"]
    revision: int | None
    versions: tuple[str, ...] = ()
    reason: str | None = None
    message: str | None = None
    duration_s: float = 0.0


class RegistryStatus(Struct, frozen=True, kw_only=True):
    """Whether the registry answered the last poll."""

    reachable: bool | None
    polled_at: datetime | None
    message: str | None


class LiveDeployment(Struct, frozen=True, kw_only=True):
    """The signed deployment document that is in force."""

    revision: int
    tag: str
    default_family: str
    rule: str
    reason: str
    created_at: datetime


class ModelsStatus(Struct, frozen=True, kw_only=True):
    """What is live, since when, and what was tried last; `candidate` is what was offered and is not live."""

    deployment: LiveDeployment | None
    default_family: str | None
    families: dict[str, FamilyStatus | None]
    selections: list[str]
    last_swap: Swap | None
    candidate: Swap | None
    registry: RegistryStatus


class DependencyStatus(Struct, frozen=True):
    """Last known state of something this process uses; it answers without any of them once a model is loaded."""

    status: Literal["ok", "down", "unknown", "unused"]
    checked_at: datetime | None = None
    message: str | None = None


class Health(Struct, frozen=True, kw_only=True):
    """`ready`: predictions can be answered now."""

    status: Literal["ready", "not_ready"]
    reason: str | None
    revision: int | None
    journal_backlog_records: int
    dependencies: dict[str, DependencyStatus]


class Alive(Struct, frozen=True):
    """The process runs and its event loop turns."""

    status: Literal["alive"] = "alive"


class FeatureDescription(Struct, frozen=True):
    """One value of a feature vector: what it is, the range it lies in, and whether it may be missing."""

    name: str
    group: str
    type: str
    low: float
    high: float
    nullable: bool
    doc: str


class FeatureSchemaAnswer(Struct, frozen=True):
    """A feature schema as data; a model version pins it by name and `hash`. `used_by` names the live versions that do."""

    version: str
    hash: str
    features: list[FeatureDescription]
    used_by: list[str]


class Rows(Struct, frozen=True):
    """Rows of the database as of a moment; `live_versions` names what runs here."""

    as_of: datetime
    rows: list[dict[str, Any]]
    live_versions: list[str] | UnsetType = msgspec.UNSET
