"""Bodies of POST /feedback: what a person says of a prediction."""

from typing import Annotated

from msgspec import Meta, Struct

from sentiment_platform.text.sentiment import Label
from serving.contract.model_bodies import Family
from serving.contract.values import Moment

PredictionId = Annotated[str, Meta(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![\s\S])")]


class FeedbackRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a person says of a prediction; at least one of label, preference and utility."""

    prediction_id: PredictionId
    label: Label | None = None
    preference: Annotated[Family, Meta(description="The family whose answer was better, or `tie`.")] | None = None
    utility: Annotated[float, Meta(ge=-1, le=1, description="How useful it was, from -1 to 1.")] | None = None
    comment: Annotated[str, Meta(max_length=2000)] | None = None


class FeedbackAccepted(Struct, frozen=True):
    """The feedback is on disk; it reaches the database within seconds of the database being there."""

    feedback_id: str
    received_at: Moment
