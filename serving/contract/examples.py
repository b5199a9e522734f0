"""Examples of the bodies that a newcomer meets first, as structs; `answer_examples.json` has one recorded answer of every other route.

They stand in the OpenAPI document. `EXAMPLE_TEXT` is answered as the version answers that the demo starts with.
"""

from datetime import UTC, datetime

from msgspec import Struct

from sentiment_platform.models.families import FAMILIES
from sentiment_platform.text.example import EXAMPLE_LABEL, EXAMPLE_TEXT
from serving.contract.feedback_bodies import FeedbackAccepted, FeedbackRequest
from serving.contract.flag_bodies import FlagRequest
from serving.contract.health_bodies import Alive, DependencyStatus, Health
from serving.contract.incident_bodies import AcknowledgeRequest
from serving.contract.model_bodies import ExchangedPair, PromoteRequest, RollbackRequest, SelectionAnswer, SelectRequest
from serving.contract.prediction_bodies import (
    Answer,
    BatchAnswer,
    BatchRequest,
    CompareAnswer,
    Comparison,
    FamilyAnswer,
    LabelProbabilities,
    Performance,
    Prediction,
    PredictRequest,
)
from serving.contract.problem_bodies import FieldError, ProblemDocument

_AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
_ID = "01a224de-2909-7be3-8c02-7fa80e7420cc"
_FAMILY = max(FAMILIES, key=lambda name: FAMILIES[name].cost)
_VERSION = f"v1.0.0-{_FAMILY}"
_PREDICTION = Prediction(
    label=EXAMPLE_LABEL,
    probabilities=LabelProbabilities(negative=0.97, neutral=0.02, positive=0.01),
    sentiment=-0.96,
    confidence=0.97,
    supported=True,
    price_direction="bearish",
    model_used=_FAMILY,
    features_count=15,
    features_present=10,
)
_PERFORMANCE = Performance(
    response_time_ms=4.5, model_version=_VERSION, cache_hit=True, passages=1, characters_read=len(EXAMPLE_TEXT), truncated=False
)
_COMPARISON = Comparison(vader_sentiment=-1.0, finbert_sentiment=-0.96, agreement=True, confidence_delta=-0.03)
_ANSWER = Answer(
    prediction=_PREDICTION,
    performance=_PERFORMANCE,
    comparison=_COMPARISON,
    prediction_id=_ID,
    degraded=False,
    degraded_reason=None,
    path="primary",
    feature_status="MISSING",
)
_WITH_CONTEXT = PredictRequest(
    text=EXAMPLE_TEXT, ticker="AAPL", source="example-wire", published_at="2026-03-02T09:30:00Z", explain=True
)

EXAMPLES: tuple[Struct, ...] = (
    PredictRequest(text=EXAMPLE_TEXT),
    _WITH_CONTEXT,
    BatchRequest([PredictRequest(text=EXAMPLE_TEXT), PredictRequest(text="Profit rose")]),
    FeedbackRequest(prediction_id=_ID, label=EXAMPLE_LABEL),
    FeedbackRequest(prediction_id=_ID, utility=0.5, comment="Right, but late.", client_id="reader-17"),
    SelectRequest(family=_FAMILY, version=_VERSION, reason="The newer version is worse on our desk.", dry_run=True),
    PromoteRequest(version=_VERSION, reason="It reads guidance right, on which the holdout is silent.", dry_run=True),
    RollbackRequest("The newest deployment answers too slowly.", expected_revision=42),
    FlagRequest(enabled=False, reason="Its answers are wrong since noon.", expected=True),
    AcknowledgeRequest("The feed's owner knows; they mend it today.", dry_run=True),
    _ANSWER,
    BatchAnswer([_ANSWER]),
    CompareAnswer(
        results={_FAMILY: FamilyAnswer(prediction=_PREDICTION, performance=_PERFORMANCE, prediction_id=_ID)},
        comparison=_COMPARISON,
        feature_status="MISSING",
        response_time_ms=4.5,
        missing={},
    ),
    FeedbackAccepted(_ID, _AT, "known"),
    SelectionAnswer(
        request_id=None,
        default_family_before=_FAMILY,
        default_family=_FAMILY,
        before={_FAMILY: f"v1.0.1-{_FAMILY}"},
        after={_FAMILY: _VERSION},
        dry_run=True,
        recorded=False,
        revision=42,
        evidence=[
            ExchangedPair(
                champion=f"v1.0.1-{_FAMILY}",
                challenger=_VERSION,
                verdict="worse",
                speaks_against=True,
                words=f"{_VERSION} is worse than v1.0.1-{_FAMILY} on 400 holdout texts.",
            )
        ],
    ),
    Health(
        status="ready",
        reason=None,
        revision=1,
        journal_backlog_records=0,
        dependencies={name: DependencyStatus("ok", _AT) for name in ("postgresql", "redis", "registry")},
    ),
    Alive(),
    ProblemDocument(
        status=400,
        title="Bad Request",
        code="invalid_request",
        detail="The request does not have the documented form; `errors` says where.",
        request_id="8f2f9d1c0b7a4e65",
        errors=[FieldError("text", None, "This field is required.")],
    ),
)
"""Several of a kind are shown in this order."""
