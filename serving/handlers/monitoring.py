"""What was deployed, what is wrong and who knows of it, from the database; 503 while that is away. Acknowledging needs a key of role operator."""

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody, PathParameter

from sentiment_platform.alerts.remedies import remedy_of
from serving.contract.deployment_bodies import (
    DeployedExperiment,
    DeployedShadow,
    DeployedVersion,
    DeploymentEvidence,
    DeploymentsAnswer,
    DeploymentShown,
)
from serving.contract.incident_bodies import (
    Acknowledgement,
    AcknowledgementAnswer,
    AcknowledgeRequest,
    AlertsAnswer,
    IncidentShown,
    OpenIncidents,
)
from serving.contract.problems import Problem
from serving.contract.values import Value
from serving.edge.openapi import problem_responses
from serving.handlers.paging import Limit, Offset
from serving.services import Services

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from sentiment_platform.registry.deployment import Evidence
    from sentiment_platform.store.deployments import MirroredDeployment
    from sentiment_platform.store.incidents import StoredIncident

TAGS = ["monitoring"]
IncidentId = Annotated[
    str, PathParameter(pattern=r"^[0-9a-f]{32}(?![\s\S])", description="The `id` of an alert, 32 of 0-9 and a-f.")
]


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
        critical, warning = (counts.get(severity, (0, 0))[0] for severity in ("critical", "warning"))
        opened = OpenIncidents(critical, warning, acknowledged=sum(known for _, known in counts.values()))
        return AlertsAnswer(now, opened, [_incident(incident) for incident in incidents_page(connection, limit, offset)])

    return await services.database.call(read)


@post(
    "/monitoring/alerts/{incident_id:str}/ack",
    status_code=200,
    tags=TAGS,
    responses=problem_responses(400, 401, 403, 404, 409, 503),
    summary="Say that you know of an open alert",
)
async def acknowledge_alert(
    incident_id: IncidentId,
    data: JSONBody[AcknowledgeRequest],
    services: NamedDependency[Services],
    request: Request[Any, Any, Any],
) -> AcknowledgementAnswer:
    """It stays open, and nobody is reminded of it until it gets worse. The same again changes nothing; what is over is a 409."""

    def work(connection: "Connection") -> AcknowledgementAnswer:
        from sentiment_platform.alerts.acknowledgement import AlreadyResolved, UnknownIncident, acknowledge

        by, now = request.state.caller.name, services.clock()
        try:
            known = acknowledge(connection, incident_id, by=by, note=data.note, now=now, dry_run=data.dry_run)
        except UnknownIncident as error:
            raise Problem(404, "unknown_alert", str(error), field="incident_id") from error
        except AlreadyResolved as error:
            raise Problem(409, "already_resolved", str(error), field="incident_id") from error
        return AcknowledgementAnswer(incident=_incident(known.incident), changed=known.changed, dry_run=data.dry_run)

    return await services.acts.call(work, act=True)


def _deployment(mirrored: "MirroredDeployment") -> DeploymentShown:
    document = mirrored.document
    return DeploymentShown(
        revision=document.revision,
        tag=str(document.tag),
        digest=mirrored.digest,
        default_family=document.default_family,
        champions=msgspec.convert(document.champions, dict[str, DeployedVersion], from_attributes=True),
        experiment=msgspec.convert(document.experiment, DeployedExperiment | None, from_attributes=True),
        shadow=msgspec.convert(document.shadow, DeployedShadow, from_attributes=True) if document.shadow else None,
        evidence=_evidence(document.evidence),
        rule=document.rule,
        actor=document.actor,
        reason=document.reason,
        previous_revision=document.previous.revision if document.previous else None,
        created_at=document.created_at,
        published_at=mirrored.published_at,
    )


def _evidence(evidence: "Evidence") -> DeploymentEvidence:
    # Any writer may keep deeper figures in a document: they are shown as the JSON that they are.
    figures = {
        name: {key: _flat(each) for key, each in value.items()} if isinstance(value, dict) else _flat(value)  # pyright: ignore
        for name, value in evidence.figures.items()
    }
    return DeploymentEvidence(list(evidence.asset_keys), list(evidence.run_ids), figures, evidence.verdict)


def _flat(value: Any) -> Value:
    return value if value is None or isinstance(value, str | int | float | bool) else msgspec.json.encode(value).decode()


def _incident(incident: "StoredIncident") -> IncidentShown:
    """Without its delivery."""
    made = ("remedy", "acknowledgement")
    stored = {name: getattr(incident, name) for name in IncidentShown.__struct_fields__ if name not in made}
    return IncidentShown(**stored, remedy=remedy_of(incident.source), acknowledgement=_acknowledgement(incident))


def _acknowledgement(incident: "StoredIncident") -> Acknowledgement | None:
    at, by, severity = incident.acknowledged_at, incident.acknowledged_by, incident.acknowledged_severity
    if at is None or by is None or severity is None:
        return None
    return Acknowledgement(at=at, by=by, note=incident.acknowledged_note, severity=severity)


def routes() -> list[HTTPRouteHandler]:
    """The routes."""
    return [deployments, alerts, acknowledge_alert]
