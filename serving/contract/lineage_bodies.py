"""Body of GET /predictions/{id}: where one answer came from."""

from typing import Annotated, Literal

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
    instead_of: (
        Annotated[str, Meta(description="The version in whose place it answered, which was too busy, too slow, or failed.")]
        | None
    )
    experiment: Annotated[str, Meta(description="The experiment whose `arm` the request belongs to.")] | None
    arm: str | None
    latency_ms: dict[str, float]


class UsedFeatures(Struct, frozen=True):
    """The vector that the model was given, by name; null where a value was missing. `status` says how fresh its context was."""

    schema: str
    status: str
    values: dict[str, float | None]


class AnsweringModel(Struct, frozen=True, kw_only=True):
    """The version that answered, and why it did; the rest is null where it was registered in another database.

    `chosen_by`: the `deployment` names it; it is the arm of an `experiment`; a `selection` by `selected_by` put it there; the deployment's
    version was new, a `canary` for a share of the units, and this one, which answered before, still had the rest; or it was a `stand_in`
    for another one (`degraded_reason`, `instead_of`). Null where the deployment is not known.
    """

    version: str
    manifest_digest: str
    chosen_by: Literal["deployment", "experiment", "selection", "canary", "stand_in"] | None
    selected_by: str | None
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
    """The signed deployment that was in force: by which rule, who, why, on which verdict. Where `names_version` is false, `chosen_by` of the
    model says why another one answered.
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
