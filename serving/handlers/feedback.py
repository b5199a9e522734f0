"""POST /feedback: on the disk before it is acknowledged, in the database soon after."""

import asyncio

from litestar import post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody
from msgspec import structs

from sentiment_platform.text.normalise import normalise
from serving.contract.feedback_bodies import FeedbackAccepted, FeedbackRequest
from serving.contract.problems import Problem
from serving.edge.openapi import problem_responses
from serving.handlers.refused_bodies import NOTHING_SAID, no_preference, says_nothing
from serving.journal.journal_records import FeedbackRecord, new_record_id
from serving.services import Services


@post(
    "/feedback", status_code=202, tags=["feedback"], responses=problem_responses(400, 413, 415, 503), summary="Say what was right"
)
async def feedback(data: JSONBody[FeedbackRequest], services: NamedDependency[Services]) -> FeedbackAccepted:
    """Accepted means stored durably here; 503 means that it was not, and should be sent again."""
    if says_nothing(structs.asdict(data)):
        raise Problem(400, "empty_feedback", NOTHING_SAID, field="label")
    if message := no_preference(data.preference):
        raise Problem(400, "unknown_preference", message, field="preference")
    received_at = services.clock()
    record = FeedbackRecord(
        id=new_record_id(received_at.timestamp()),
        prediction_id=data.prediction_id,
        label=data.label,
        preference=data.preference,
        utility=data.utility,
        comment=normalise(data.comment) or None if data.comment else None,
        received_at=received_at,
    )
    services.journal.append(record)
    await asyncio.to_thread(services.journal.sync)
    return FeedbackAccepted(record.id, received_at)


def routes() -> list[HTTPRouteHandler]:
    """All feedback routes."""
    return [feedback]
