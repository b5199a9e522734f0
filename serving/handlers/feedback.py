"""POST /feedback: on the disk before it is acknowledged, in the database soon after."""

from typing import Annotated, Any

from litestar import Request, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import HeaderParameter, JSONBody
from msgspec import structs

from sentiment_platform.text.normalise import normalise
from sentiment_platform.text.redaction import without_contacts
from serving.contract.feedback_bodies import FeedbackAccepted, FeedbackRequest
from serving.contract.problems import Problem
from serving.edge.openapi import problem_responses
from serving.edge.voices import speaker_of
from serving.handlers.refused_bodies import NOTHING_SAID, no_preference, says_nothing
from serving.journal.journal_records import FeedbackRecord, new_record_id
from serving.journal.repeats import Repeated, ReusedKey
from serving.services import Services

NO_SUCH_PREDICTION = (
    "No prediction has the id {}, so nothing was stored. Send `prediction_id` as an answer of POST /predict gave it."
)
KEY_REUSED = "This Idempotency-Key stands for other feedback of yours; take a new one for what is new, such as a random UUID."
CONFIRMED_S = 3.0
"""How long the disk may take."""
IdempotencyKey = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        pattern=r'^"?[A-Za-z0-9._:\-]{1,64}"?(?![\s\S])',
        description="A word of yours for this feedback, such as a random UUID, in quotes or without; up to 64 letters, digits and "
        "`._:-`. Sent again within a day it gets the same answer and counts once. With another body it is a 422.",
    ),
]


@post(
    "/feedback",
    status_code=202,
    tags=["feedback"],
    responses=problem_responses(400, 401, 404, 413, 415, 422, 429, 503),
    summary="Say what was right",
)
async def feedback(
    data: JSONBody[FeedbackRequest],
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    idempotency_key: IdempotencyKey = None,
) -> FeedbackAccepted:
    """Accepted means stored durably here; 503 means that it was not, and should be sent again. 404: no prediction has that id.

    An id proves that it is of this deployment. One that does not must be in the database; while that is away it is taken from who sends an
    API key alone. What then proves to speak of nothing is counted, and never used. E-mail addresses and long numbers of a comment are not kept.

    With an API key of any role it is the word of that key, or of its `client_id`: one voice a text, the last word counts, and models
    learn from it. Without a key it is counted and nothing more, and only so much a minute is taken.
    """
    if says_nothing(structs.asdict(data)):
        raise Problem(400, "empty_feedback", NOTHING_SAID, field="label")
    if message := no_preference(data.preference):
        raise Problem(400, "unknown_preference", message, field="preference")
    speaker = speaker_of(request, data.client_id, services.clock())
    if await services.known.never_was(data.prediction_id, in_doubt=speaker.kind == "anonymous"):
        services.metrics.feedback_rejected.inc()
        raise Problem(404, "unknown_prediction", NO_SUCH_PREDICTION.format(data.prediction_id), field="prediction_id")
    received_at = services.clock()
    record = FeedbackRecord(
        id=new_record_id(received_at.timestamp()),
        prediction_id=data.prediction_id,
        label=data.label,
        preference=data.preference,
        utility=data.utility,
        comment=without_contacts(normalise(data.comment)) or None if data.comment else None,
        voice=speaker.voice,
        claimed=speaker.claimed,
        received_at=received_at,
    )
    key, said = (idempotency_key or "").strip('"'), Repeated(record, is_new=True, is_written=False)
    if key:
        try:
            said = await services.repeats.recorded(key, speaker.name, record)
        except ReusedKey:
            raise Problem(422, "idempotency_key_reused", KEY_REUSED, field="Idempotency-Key") from None
    if not said.is_written:
        if speaker.voice is None:
            # Of what nobody known may say in a minute it takes what is written, so once.
            _take_share(services, key if said.is_new else "", speaker.name)
        if said.is_new:
            services.metrics.feedback.labels(speaker.kind).inc()
        services.journal.append(said.record)
        await services.journal.confirmed(CONFIRMED_S)
        if key:
            services.repeats.written(key, speaker.name)
    return FeedbackAccepted(said.record.id, said.record.received_at, speaker.kind)


def _take_share(services: Services, key: str, speaker: str) -> None:
    try:
        services.anonymous_feedback.take()
    except Problem:
        if key:
            services.repeats.forget(key, speaker)
        raise


def routes() -> list[HTTPRouteHandler]:
    """All feedback routes."""
    return [feedback]
