"""Bodies of POST /feedback: what a person says of a prediction."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from sentiment_platform.models.families import FAMILIES
from sentiment_platform.text.sentiment import TIE, Label
from serving.contract.model_bodies import Family
from serving.contract.values import Moment

PredictionId = Annotated[
    str, Meta(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![\s\S])", description="The `prediction_id` of an answer.")
]

Voice = Literal["known", "anonymous", "unchecked"]


SAYING = ("label", "preference", "utility")
"""Fields of which a feedback has one at least."""


class FeedbackRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a person says of a prediction; at least one of label, preference and utility."""

    prediction_id: PredictionId
    label: Label | None = None
    preference: (
        Annotated[
            Family,
            Meta(description="The family whose answer was better, or `tie`.", extra_json_schema={"enum": [*FAMILIES, TIE]}),
        ]
        | None
    ) = None
    utility: Annotated[float, Meta(ge=-1, le=1, description="How useful it was, from -1 to 1.")] | None = None
    comment: Annotated[str, Meta(max_length=2000)] | None = None
    client_id: (
        Annotated[
            str,
            Meta(
                pattern=r"^[A-Za-z0-9._:@\-]{1,64}(?![\s\S])",
                description="Which of the key's users speaks, by a name that stays; without a valid key it says nothing.",
            ),
        ]
        | None
    ) = None


class FeedbackAccepted(Struct, frozen=True):
    """The feedback is on disk; it reaches the database within seconds of the database being there."""

    feedback_id: str
    received_at: Moment
    voice: Annotated[
        Voice,
        Meta(
            description="`known`: it counts as the last word of its key or client on this text. `anonymous`: it is counted, and no model "
            "learns from it or is judged by it. `unchecked`: the database that knows the keys is away; it is decided when it is back."
        ),
    ]
