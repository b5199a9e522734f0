"""Body of GET /predictions/{id}: where one answer came from."""

from typing import Annotated

from msgspec import Meta, Struct

from sentiment_platform.text.sentiment import Label, PriceDirection
from serving.contract.prediction_bodies import LabelProbabilities
from serving.contract.values import Moment


class AnsweredPrediction(Struct, frozen=True, kw_only=True):
    """The answer as it was given; `latency_ms`: named parts of the time it took."""

    predicted_at: Moment
    route: str
    family: str
    text: str
    ticker: str | None
    source: str | None
    published_at: Moment | None
    label: Label
    probabilities: LabelProbabilities
    sentiment: float
    confidence: Annotated[float, Meta(description="Null where the text could not be read.")] | None
    price_direction: PriceDirection
    cache_hit: bool
    degraded: bool
    degraded_reason: (
        Annotated[str, Meta(description="Null where it is not degraded, or was answered before this was recorded.")] | None
    )
    path: Annotated[str, Meta(description="Null where it was answered before this was recorded.")] | None
    latency_ms: dict[str, float]


class UsedFeatures(Struct, frozen=True):
    """The vector that the model was given, by name; null where a value was missing. `status` says how fresh its context was."""

    schema: str
    status: str
    values: dict[str, float | None]


class AnsweringModel(Struct, frozen=True, kw_only=True):
    """The version that answered; all but `version` and `manifest_digest` is null where it was registered in another database."""

    version: str
    manifest_digest: str
    base_model: str | None
    registered_at: Moment | None
    run_id: str | None
    git_sha: str | None


class LineageTrainingSet(Struct, frozen=True, kw_only=True):
    """What the version was made from."""

    digest: str
    created_at: Moment
    examples: int | None
    stories: int | None
    label_sets: list[str]


class LineageDeployment(Struct, frozen=True, kw_only=True):
    """The signed deployment that was in force: by which rule, who, why, on which verdict. Where `names_version` is false, a person's
    selection put another version there: GET /models/selections has it.
    """

    revision: int
    names_version: bool
    tag: str
    published_at: Moment
    rule: str
    actor: str
    reason: str
    verdict: str


class GivenFeedback(Struct, frozen=True):
    """What somebody said of the answer."""

    received_at: Moment
    label: str | None
    preference: str | None
    utility: float | None


class PredictionLineage(Struct, frozen=True, kw_only=True):
    """From an answer back to what it rests on; null where this database does not know it."""

    prediction_id: str
    answer: AnsweredPrediction
    features: UsedFeatures
    model: AnsweringModel
    training_set: LineageTrainingSet | None
    deployment: LineageDeployment | None
    feedback: list[GivenFeedback]
