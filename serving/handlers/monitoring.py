"""What was seen over time, read from the database; 503 while that is away."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

from litestar import get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter

from serving.contract.row_bodies import Rows
from serving.edge.openapi import problem_responses
from serving.services import Services

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from sentiment_platform.store.deployments import MirroredDeployment
    from sentiment_platform.store.incidents import StoredIncident

TAGS = ["monitoring"]
Limit = Annotated[int, QueryParameter(ge=1, le=200, description="So many rows at most.")]
Offset = Annotated[int, QueryParameter(ge=0, le=10_000, description="So many rows are left out before the first.")]


@get("/monitoring/drift", tags=TAGS, responses=problem_responses(503), summary="The newest drift report of each live version")
async def drift(services: NamedDependency[Services]) -> Rows:
    """One row a test: subject (a feature or a score), statistic, adjusted p, effect size, threshold, decision; empty before the first report."""
    live = services.live.current
    versions = sorted(live.versions.values()) if live else []

    def read(connection: "Connection") -> list[dict[str, Any]]:
        from sentiment_platform.store.drift import newest_drift_rows

        return [asdict(row) for version in versions for row in newest_drift_rows(connection, version)]

    return Rows(services.clock(), await services.database.call(read), versions)


@get("/monitoring/deployments", tags=TAGS, responses=problem_responses(503), summary="Deployments, newest first")
async def deployments(services: NamedDependency[Services]) -> Rows:
    """The mirror of the signed deployment documents: revision, tag, document, rule, actor, reason, time of publication."""

    def read(connection: "Connection") -> list[dict[str, Any]]:
        from sentiment_platform.store.deployments import deployments

        return [_deployment(mirrored) for mirrored in deployments(connection)]

    return Rows(services.clock(), await services.database.call(read))


@get("/monitoring/alerts", tags=TAGS, responses=problem_responses(400, 503), summary="Incidents, what is open first")
async def alerts(services: NamedDependency[Services], limit: Limit = 50, offset: Offset = 0) -> Rows:
    """What is open, then what was resolved, the newest of each first: class, severity, source, summary, the figures behind it, times."""

    def read(connection: "Connection") -> list[dict[str, Any]]:
        from sentiment_platform.store.incidents import incidents_page

        return [_incident(incident) for incident in incidents_page(connection, limit, offset)]

    return Rows(services.clock(), await services.database.call(read))


def _deployment(mirrored: "MirroredDeployment") -> dict[str, Any]:
    document = mirrored.document
    return {
        "revision": document.revision,
        "tag": str(document.tag),
        "digest": mirrored.digest,
        "document": document,
        "rule": document.rule,
        "actor": document.actor,
        "reason": document.reason,
        "published_at": mirrored.published_at,
    }


def _incident(incident: "StoredIncident") -> dict[str, Any]:
    """Without its delivery, and `category` under the name that it has in the contract."""
    names = ("id", "fingerprint", "severity", "source", "summary", "detail", "opened_at", "last_seen_at", "resolved_at")
    return {"class": incident.category, **{name: getattr(incident, name) for name in names}}


def routes() -> list[HTTPRouteHandler]:
    """All monitoring routes."""
    return [drift, deployments, alerts]
