"""What was deployed and what is wrong, read from the database; 503 while that is away."""

from typing import TYPE_CHECKING

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from sentiment_platform.alerts.remedies import remedy_of
from serving.contract.deployment_bodies import (
    DeployedExperiment,
    DeployedVersion,
    DeploymentEvidence,
    DeploymentsAnswer,
    DeploymentShown,
)
from serving.contract.incident_bodies import AlertsAnswer, IncidentShown, OpenIncidents
from serving.edge.openapi import problem_responses
from serving.handlers.paging import Limit, Offset
from serving.services import Services

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from sentiment_platform.store.deployments import MirroredDeployment
    from sentiment_platform.store.incidents import StoredIncident

TAGS = ["monitoring"]


@get("/monitoring/deployments", tags=TAGS, responses=problem_responses(503), summary="Deployments, newest first")
async def deployments(services: NamedDependency[Services]) -> DeploymentsAnswer:
    """The signed deployment documents: who answers since when, by which rule, on what evidence, and by whose word."""

    def read(connection: "Connection") -> list[DeploymentShown]:
        from sentiment_platform.store.deployments import deployments

        return [_deployment(mirrored) for mirrored in deployments(connection)]

    return DeploymentsAnswer(services.clock(), await services.database.call(read))


@get("/monitoring/alerts", tags=TAGS, responses=problem_responses(400, 503), summary="Incidents, what is open first")
async def alerts(services: NamedDependency[Services], limit: Limit = 50, offset: Offset = 0) -> AlertsAnswer:
    """What is open, then what was resolved, the newest of each first: class, severity, source, summary, the figures behind it, times."""

    def read(connection: "Connection") -> AlertsAnswer:
        from sentiment_platform.store.incidents import incidents_page, open_by_severity

        now = services.clock()
        counts = open_by_severity(connection)
        opened = OpenIncidents(counts.get("critical", 0), counts.get("warning", 0))
        return AlertsAnswer(now, opened, [_incident(incident) for incident in incidents_page(connection, limit, offset)])

    return await services.database.call(read)


def _deployment(mirrored: "MirroredDeployment") -> DeploymentShown:
    document = mirrored.document
    return DeploymentShown(
        revision=document.revision,
        tag=str(document.tag),
        digest=mirrored.digest,
        default_family=document.default_family,
        champions=msgspec.convert(document.champions, dict[str, DeployedVersion], from_attributes=True),
        experiment=msgspec.convert(document.experiment, DeployedExperiment | None, from_attributes=True),
        evidence=msgspec.convert(document.evidence, DeploymentEvidence, from_attributes=True),
        rule=document.rule,
        actor=document.actor,
        reason=document.reason,
        previous_revision=document.previous.revision if document.previous else None,
        created_at=document.created_at,
        published_at=mirrored.published_at,
    )


def _incident(incident: "StoredIncident") -> IncidentShown:
    """Without its delivery."""
    stored = {name: getattr(incident, name) for name in IncidentShown.__struct_fields__ if name != "remedy"}
    return IncidentShown(**stored, remedy=remedy_of(incident.source))


def routes() -> list[HTTPRouteHandler]:
    """Both routes."""
    return [deployments, alerts]
