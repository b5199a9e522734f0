"""POST /predict and its variants. A family in the table of families has its own route; nothing here names one."""

from typing import Annotated, Any

from litestar import Request, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import HeaderParameter, JSONBody

from sentiment_platform.models.families import FAMILIES
from sentiment_platform.registry.own_questions import HEADER
from serving.contract.prediction_bodies import Answer, BatchAnswer, BatchRequest, CompareAnswer, PredictRequest
from serving.contract.request_context import request_deadline_s
from serving.edge.openapi import problem_responses
from serving.edge.security import presented_key
from serving.predict.arms import ARM_HEADER, Asker
from serving.predict.prediction import Predictor
from serving.services import Services

TAGS = ["predictions"]
UNSHORTENED = "999999"
"""Milliseconds: longer than any setting."""
WantedArm = Annotated[
    str | None,
    HeaderParameter(
        name=ARM_HEADER,
        max_length=100,
        description="For testers: the arm of the running experiment that shall answer. The answer is recorded as `tester` and judged by "
        "nothing. An arm that there is not is ignored.",
    ),
]
DEADLINE_HEADER = "X-Request-Deadline-Ms"
Deadline = Annotated[
    str,
    HeaderParameter(
        name=DEADLINE_HEADER,
        # Read as text: a lenient reader takes `null` for none given, and 1e3 for a whole number.
        pattern=r"^[1-9][0-9]{0,5}(?![\s\S])",
        description="Time within which you need the answer, in whole milliseconds from 1 to 999999; where it is longer than the "
        "deadline that serving is set to, that one counts.",
    ),
]
ERRORS = problem_responses(400, 408, 413, 415, 503)


@post("/predict", status_code=200, tags=TAGS, responses=ERRORS, summary="Sentiment by the deployed default family")
async def predict(
    data: JSONBody[PredictRequest],
    services: NamedDependency[Services],
    request: Request[Any, Any, Any],
    x_experiment_arm: WantedArm = None,
    x_request_deadline_ms: Deadline = UNSHORTENED,
) -> Answer:
    """The router decides which family answers; a cheaper one does, marked `degraded`, when that cannot meet the deadline.

    Where an experiment splits traffic, the headers `X-Experiment` and `X-Experiment-Arm` name it and the arm that answered.
    """
    _within(x_request_deadline_ms)
    return await (await _predictor(services)).answer(data, "/predict", asker=_asker(request, x_experiment_arm))


@post("/predict/compare", status_code=200, tags=TAGS, responses=ERRORS, summary="Every deployed family side by side")
async def predict_compare(
    data: JSONBody[PredictRequest], services: NamedDependency[Services], x_request_deadline_ms: Deadline = UNSHORTENED
) -> CompareAnswer:
    """All families answer at the same time; null for one that is not deployed or too busy."""
    _within(x_request_deadline_ms)
    return await (await _predictor(services)).compare(data, "/predict/compare")


@post("/predict/batch", status_code=200, tags=TAGS, responses=ERRORS, summary="Up to 32 texts at once")
async def predict_batch(
    data: JSONBody[BatchRequest],
    services: NamedDependency[Services],
    request: Request[Any, Any, Any],
    x_request_deadline_ms: Deadline = UNSHORTENED,
) -> BatchAnswer:
    """Each text as POST /predict answers it, within one deadline; those that would be late are `degraded`."""
    _within(x_request_deadline_ms)
    return BatchAnswer(await (await _predictor(services)).batch(data.items, "/predict/batch", _asker(request)))


def family_route(family: str) -> HTTPRouteHandler:
    """POST /predict/{family} for one family of the table."""
    path = f"/predict/{family}"

    async def predict_with_family(
        data: JSONBody[PredictRequest],
        services: NamedDependency[Services],
        request: Request[Any, Any, Any],
        x_experiment_arm: WantedArm = None,
        x_request_deadline_ms: Deadline = UNSHORTENED,
    ) -> Answer:
        """Always this family: its champion, or an arm of an experiment beside it. 503 with Retry-After while no version is deployed or it
        cannot meet the deadline."""
        _within(x_request_deadline_ms)
        asker, question = _asker(request, x_experiment_arm), request.headers.get(HEADER)
        return await (await _predictor(services)).answer(data, path, family, question=question, asker=asker)

    return post(
        path,
        status_code=200,
        tags=TAGS,
        responses=ERRORS,
        summary=f"Sentiment by the champion of {family}",
    )(predict_with_family)


def _within(milliseconds: str) -> None:
    request_deadline_s.set(int(milliseconds) / 1000)


async def _predictor(services: Services) -> Predictor:
    """With the switches as they are now."""
    await services.flags.refreshed()
    return services.predictor


def _asker(request: Request[Any, Any, Any], wanted_arm: str | None = None) -> Asker:
    """Who asks; whether the key is a valid one is no matter here."""
    return Asker(key=presented_key(request.scope["headers"]), wanted_arm=wanted_arm)


def routes() -> list[HTTPRouteHandler]:
    """All prediction routes."""
    return [predict, predict_compare, predict_batch, *(family_route(family) for family in FAMILIES)]
