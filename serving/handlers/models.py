"""What is live, how good it is, and a person's way to change it. Who may change it: `edge.policy`."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody, QueryParameter

from sentiment_platform.registry.versions import VERSION_PATTERN
from sentiment_platform.statistics.estimate import ACCURACY
from serving.contract.model_bodies import (
    CanaryStatus,
    ModelsStatus,
    PromoteRequest,
    RollbackRequest,
    SelectionAnswer,
    SelectRequest,
)
from serving.contract.performance_bodies import PerformanceAnswer, PerformanceFigure
from serving.edge.openapi import problem_responses
from serving.handlers.paging import Limit
from serving.live.models_status import models_status
from serving.services import Services

if TYPE_CHECKING:
    from sqlalchemy import Connection

TAGS = ["models"]
Version = Annotated[str, QueryParameter(pattern=VERSION_PATTERN, description="Whose figures.")]
Metric = Annotated[
    str,
    QueryParameter(
        max_length=40, pattern=r"^[a-z0-9_]+(?![\s\S])", description="Such as `accuracy`; small letters, digits and `_`."
    ),
]
ERRORS = problem_responses(400, 401, 403, 409, 422, 503)


@get("/models/status", tags=TAGS, summary="What is live, and what was tried last")
async def status(services: NamedDependency[Services]) -> ModelsStatus:
    """Per family the live version, its manifest digest and since when; the last swap, the refused candidate, the registry."""
    return models_status(services.live, services.unrecorded.request_ids(), _canaries(services))


def _canaries(services: Services) -> dict[str, CanaryStatus]:
    live = services.live.current
    if live is None:
        return {}
    return {
        family: CanaryStatus(
            before=one.before,
            share=services.canaries.share,
            ends_at=(services.clock() + timedelta(seconds=one.left_s)).replace(microsecond=0),
            texts_left=services.swap_watch.texts_left(family, live.versions[family]),
        )
        for family, one in services.canaries.trying(live).items()
        if family in live.versions
    }


@get("/models/performance", tags=TAGS, responses=problem_responses(503), summary="How good the versions are")
async def performance(services: NamedDependency[Services]) -> PerformanceAnswer:
    """The newest revision of every figure: version, window, metric, value with its interval, n, label coverage, as-of."""

    def read(connection: "Connection") -> list[PerformanceFigure]:
        from sentiment_platform.store.figures import newest_figures

        return [PerformanceFigure(**asdict(figure)) for figure in newest_figures(connection)]

    async def read_now() -> tuple[datetime, list[PerformanceFigure]]:
        return services.clock(), await services.database.call(read)

    as_of, figures = await services.recent.get("performance", read_now)
    live = services.live.current
    return PerformanceAnswer(as_of, sorted(live.versions.values()) if live else [], figures)


@get(
    "/models/performance/history",
    tags=TAGS,
    responses=problem_responses(400, 503),
    summary="How a figure of a version has changed",
)
async def performance_history(
    services: NamedDependency[Services], version: Version, metric: Metric = ACCURACY, limit: Limit = 200
) -> PerformanceAnswer:
    """Every revision of one metric over every window, newest first. A figure that stays the same has no new revision."""

    def read(connection: "Connection") -> list[PerformanceFigure]:
        from sentiment_platform.store.figures import figure_history

        return [PerformanceFigure(**asdict(figure)) for figure in figure_history(connection, version, metric, limit)]

    live = services.live.current
    figures = await services.database.call(read)
    return PerformanceAnswer(services.clock(), sorted(live.versions.values()) if live else [], figures)


@post(
    "/models/select",
    status_code=200,
    tags=TAGS,
    responses=ERRORS | problem_responses(404),
    summary="Let a version answer from now on",
)
async def select_version(
    data: JSONBody[SelectRequest], services: NamedDependency[Services], request: Request[Any, Any, Any]
) -> SelectionAnswer:
    """Only a version that a signed deployment names, now or earlier. It answers here at once; the graph publishes it as the next revision."""
    return await services.override.select(data, request.state.caller.name)


@post(
    "/models/rollback",
    status_code=200,
    tags=TAGS,
    responses=ERRORS,
    summary="Back to the versions of the deployment before",
)
async def roll_back(
    data: JSONBody[RollbackRequest], services: NamedDependency[Services], request: Request[Any, Any, Any]
) -> SelectionAnswer:
    """The champions and the default family of the deployment before the live one answer here at once. What a rollback left stays left."""
    return await services.override.roll_back(data, request.state.caller.name)


@post(
    "/models/promote",
    status_code=200,
    tags=TAGS,
    responses=ERRORS | problem_responses(404),
    summary="Ask for the first deployment of a version",
)
async def promote(
    data: JSONBody[PromoteRequest], services: NamedDependency[Services], request: Request[Any, Any, Any]
) -> SelectionAnswer:
    """The version is fetched, verified and tried here; it answers once the graph has signed and published a deployment that names it."""
    return await services.override.promote(data, request.state.caller.name)


def routes() -> list[HTTPRouteHandler]:
    """All model routes."""
    return [status, performance, performance_history, select_version, roll_back, promote]
