"""Whether serving answers, and whether it runs what was deployed: asked once over HTTP, and never waited for.

Why serving refuses a deployment is its own word, `GET /models/status`; it is kept in the audit trail as well. What becomes of an
incident is `store.incidents`.
"""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta

import httpx
import msgspec
from sqlalchemy import Connection

from sentiment_platform.fetching.addresses import shown
from sentiment_platform.store import audit
from sentiment_platform.store.deployments import deployments
from sentiment_platform.store.incidents import Incident, open_incidents

TIME_OUT_S = 3.0
LARGEST_ANSWER_BYTES = 1_000_000
SOURCE = "serving_runs_what_was_deployed"
OVERDUE = timedelta(minutes=15)
"""Serving looks at the registry every minute; a deployment that does not run so much later does not come by itself."""


class LiveRevision(msgspec.Struct, frozen=True):
    """The deployment that is in force."""

    revision: int


class Offer(msgspec.Struct, frozen=True):
    """What was offered and is not live; `refused` is final for this content, anything else is tried again."""

    outcome: str
    revision: int | None = None
    versions: Sequence[str] = ()
    reason: str | None = None
    message: str | None = None


class Registry(msgspec.Struct, frozen=True):
    """What serving says of its last look at the registry."""

    message: str | None = None


class ServingStatus(msgspec.Struct, frozen=True):
    """The part of `GET /models/status` that is judged here."""

    deployment: LiveRevision | None
    candidate: Offer | None
    registry: Registry


def ask_serving(url: str) -> ServingStatus | str:
    """What serving says, or in words why there is no answer; in `TIME_OUT_S` seconds or hardly more."""
    ends = time.monotonic() + TIME_OUT_S
    body = b""
    try:
        with (
            httpx.Client(timeout=TIME_OUT_S, follow_redirects=False, trust_env=False) as client,
            client.stream("GET", f"{url.rstrip('/')}/models/status") as answer,
        ):
            if answer.status_code != 200:
                return f"it answers {answer.status_code}"
            for piece in answer.iter_bytes():
                body += piece
                if len(body) > LARGEST_ANSWER_BYTES or time.monotonic() > ends:
                    return "its answer does not end"
        return msgspec.json.decode(body, type=ServingStatus)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return type(error).__name__
    except msgspec.MsgspecError:
        return "it answers something else than a status of models"


def unanswered(connection: Connection, url: str, why: str) -> list[Incident]:
    """One incident where something is deployed and nobody answers with it; a platform without a deployment needs no serving yet."""
    if not deployments(connection, limit=1):
        return []
    summary = f"Serving at {shown(url)} does not answer: {why}."
    return [
        Incident(
            fingerprint="serving",
            category="system",
            severity="critical",
            source="serving_answers",
            summary=summary,
            detail={"url": shown(url), "why": why},
        )
    ]


def not_live(connection: Connection, status: ServingStatus, now: datetime) -> list[Incident]:
    """One incident for the revision that serving refuses, or that it does not run although it was published long ago."""
    live = status.deployment.revision if status.deployment else 0
    offer = status.candidate or Offer("none", message=status.registry.message)
    newest = next(iter(deployments(connection, limit=1)), None)
    waits = newest is not None and newest.document.revision > live and now - newest.published_at > OVERDUE
    overdue = newest.document.revision if newest and waits else None
    if offer.outcome != "refused" and overdue is None:
        return []
    # A document that could not be read names no revision; it may be the one that is overdue.
    return [_not_live(offer.revision or overdue, live, offer)]


def _not_live(revision: int | None, live: int, offer: Offer) -> Incident:
    verb, severity = ("refuses", "critical") if offer.outcome == "refused" else ("does not run", "warning")
    named = f"revision {revision}" if revision else "a deployment"
    because = f" ({', '.join([*offer.versions, offer.reason or 'not tried'])})"
    runs = f"revision {live}" if live else "nothing"
    summary = f"Serving {verb} {named}{because} and runs {runs}. {offer.message or ''}".strip()
    detail = {"revision": revision, "live_revision": live or None, "versions": list(offer.versions), "reason": offer.reason}
    detail["refused"] = offer.outcome == "refused"
    fingerprint = f"deployment:{revision or 'unread'}"
    return Incident(
        fingerprint=fingerprint, category="deployment", severity=severity, source=SOURCE, summary=summary, detail=detail
    )


def record_refusals(connection: Connection) -> None:
    """An audit row for each deployment that serving refuses: one an open incident, however often anybody looks at it."""
    for incident in open_incidents(connection):
        if incident.source != SOURCE or not incident.detail.get("refused"):
            continue
        revision, detail = incident.detail["revision"], {"summary": incident.summary, **incident.detail}
        subject = f"deploy-{revision:06d}" if revision else "unread"
        audit.record_once(
            connection, at=incident.opened_at, actor="serving", action="deployment:refused", subject=subject, detail=detail
        )
