"""What people asked for in serving: merged into what runs, refused where it can never be, settled once it is published."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Engine

from sentiment_platform.promotion.next_revision import Intent
from sentiment_platform.registry.deployment import Evidence
from sentiment_platform.store import audit
from sentiment_platform.store.deployments import latest_deployment
from sentiment_platform.store.selections import close_selection_requests, open_selection_requests, refuse_selection_request
from sentiment_platform.store.versions import get_version


def intent_of_request(engine: Engine) -> tuple[Intent, list[int]] | None:
    """The newest open request of a person, merged into what runs, and the ids of all requests that it settles."""
    with engine.connect() as connection:
        requests = open_selection_requests(connection)
        current = latest_deployment(connection)
    if not requests or current is None:
        return None
    champions = current.versions()
    for request in requests:
        champions[request.family] = request.version
    newest = requests[-1]
    evidence = Evidence((), (), {}, f"Requested by {newest.actor}: {newest.reason}")
    intent = Intent(
        champions=champions,
        default_family=newest.family,
        rule="manual",
        actor=newest.actor,
        reason=newest.reason,
        evidence=evidence,
    )
    return intent, [request.id for request in requests]


def refuse_impossible_requests(engine: Engine, now: Callable[[], datetime]) -> list[str]:
    """Settle the open requests that no deployment can ever meet, each with an audit row; the reasons."""
    refused: list[str] = []
    with engine.begin() as connection:
        for request in open_selection_requests(connection):
            registered = get_version(connection, request.version)
            if registered is not None and registered.family == request.family:
                continue
            reason = f"{request.version} is not a registered version of {request.family}."
            if refuse_selection_request(connection, request.id, reason):
                detail = {"request_id": request.request_id, "requested_by": request.actor, "reason": reason}
                audit.record(
                    connection, at=now(), actor="graph", action="selection:refused", subject=request.version, detail=detail
                )
                refused.append(reason)
    return refused


def settle_requests(engine: Engine, ids: list[int], revision: int) -> None:
    """Mark requests as published with `revision`."""
    with engine.begin() as connection:
        close_selection_requests(connection, ids, revision)
