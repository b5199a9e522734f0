"""Liveness, readiness and metrics; none of them waits for anything outside this process."""

from litestar import MediaType, Response, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import ResponseSpec

from serving.contract.health_bodies import Alive, Health
from serving.services import Services

TAGS = ["health"]
NOT_READY = ResponseSpec(
    Health, generate_examples=False, description="Not ready: `reason` says why. The body is no problem document."
)


@get("/health", tags=TAGS, responses={503: NOT_READY}, summary="Ready: predictions can be answered now")
async def health(services: NamedDependency[Services]) -> Response[Health]:
    """200 when predictions can be answered, else 503 with the reason; the dependencies' states are the last known ones."""
    live = services.live.current
    why = services.live.why_not_ready() or services.scheduler.why_not_ready()
    reason = "The process is shutting down." if services.draining else why or None
    body = Health(
        status="not_ready" if reason else "ready",
        reason=reason,
        revision=live.deployment.revision if live else None,
        journal_backlog_records=services.journal.backlog_records,
        dependencies=services.dependencies(),
    )
    headers = {"Retry-After": "1"} if reason else None
    return Response(body, status_code=503 if reason else 200, headers=headers)


@get("/health/live", tags=TAGS, summary="Alive: the event loop turns")
async def alive() -> Alive:
    """200 as long as the process runs."""
    return Alive()


@get("/metrics", tags=TAGS, media_type=MediaType.TEXT, summary="Prometheus metrics")
async def metrics(services: NamedDependency[Services]) -> Response[bytes]:
    """The text format of Prometheus, version 0.0.4."""
    return Response(services.metrics.render(), media_type="text/plain; version=0.0.4; charset=utf-8")


def routes() -> list[HTTPRouteHandler]:
    """All health routes."""
    return [health, alive, metrics]
