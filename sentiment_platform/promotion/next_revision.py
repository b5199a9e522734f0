"""Publish the next deployment: build the document, take the lease, publish it, mirror it, leave an audit row.

Three ways lead here: the gate's proposal, a request that serving recorded, a named person. All of them make one new revision.
"""

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine

from sentiment_platform.errors import PermanentError
from sentiment_platform.promotion.announcing import announce
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.registry.deployment import Champion, Deployment, Evidence, Rule
from sentiment_platform.registry.releases import ReleaseRegistry
from sentiment_platform.store import audit, leases
from sentiment_platform.store.deployments import deployments, latest_deployment, mirror_deployment
from sentiment_platform.store.selections import close_selection_requests, open_selection_requests, refuse_selection_request
from sentiment_platform.store.versions import get_version

LEASE = "deployment"
LEASE_S = 120.0


@dataclass(frozen=True, kw_only=True)
class Intent:
    """What somebody wants deployed, and on what grounds."""

    champions: Mapping[str, str]
    default_family: str
    rule: Rule
    actor: str
    reason: str
    evidence: Evidence


@dataclass(frozen=True)
class Promoted:
    """A published deployment."""

    tag: str
    revision: int
    document: Deployment
    url: str


def publish(
    engine: Engine,
    access: RegistryAccess,
    intent: Intent | Callable[[Engine], Intent],
    *,
    holder: str,
    now: Callable[[], datetime],
) -> Promoted:
    """Publish `intent` as the next revision.

    Args:
        intent: a function where it depends on what runs: it is asked under the lease, once the mirror knows every revision.
        holder: who takes the lease; the run id, or the person.

    Raises:
        ConflictError: somebody else is publishing, or was faster.
        PermanentError: a version is not registered.
    """
    lease = leases.acquire(engine, LEASE, holder, LEASE_S)

    def fence() -> None:
        with engine.begin() as connection:
            leases.require(connection, lease)

    try:
        with closing(access.writer(now)) as registry:
            synchronise_mirror(engine, registry)
            wanted = intent(engine) if callable(intent) else intent
            document = _document(engine, registry, wanted, now())
            # Whoever took a tag without publishing it held this lease; now we do, so that attempt is dead.
            published = registry.publish_deployment(document, access.private_keys, fence=fence, adopt_abandoned=lambda: True)
            with engine.begin() as connection:
                leases.require(connection, lease)
                _mirror(connection, document, published.digest, published.published_at)
    finally:
        leases.release(engine, lease)
    announce(access.settings.redis_url, document, published.published_at)
    return Promoted(str(document.tag), document.revision, document, published.url)


def synchronise_mirror(engine: Engine, registry: ReleaseRegistry) -> int:
    """Mirror every published deployment that the database has not seen (a writer died in between), each with the audit row that it
    still lacks; returns how many.
    """
    with engine.connect() as connection:
        known = latest_deployment(connection)
    missing = [entry for entry in registry.history() if entry.revision > (known.revision if known else 0)]
    for entry in missing:
        document = registry.deployment(entry.revision)
        with engine.begin() as connection:
            _mirror(connection, document, entry.digest, entry.published_at)
    return len(missing)


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


def intent_of_promotion(engine: Engine, version: str, actor: str, reason: str) -> Intent:
    """A named person's word: `version` becomes champion of its family and its family the default; for `publish` to ask.

    Raises:
        PermanentError: the version is not registered.
    """
    with engine.connect() as connection:
        registered = get_version(connection, version)
        current = latest_deployment(connection)
    if registered is None:
        raise PermanentError(f"{version} is not registered here.", remedy="See `sentiment-platform models list`.")
    champions = (current.versions() if current else {}) | {registered.family: version}
    evidence = Evidence((), (), {}, f"Promoted by {actor}: {reason}")
    return Intent(
        champions=champions, default_family=registered.family, rule="manual", actor=actor, reason=reason, evidence=evidence
    )


def intent_of_rollback(engine: Engine, actor: str, reason: str, to_revision: int | None = None) -> Intent:
    """What ran before: the content of `to_revision`, or of the newest earlier revision that names other versions; for `publish` to ask.

    Raises:
        PermanentError: there is nothing to go back to.
    """
    with engine.connect() as connection:
        documents = [mirrored.document for mirrored in deployments(connection, limit=None)]
    if not documents:
        raise PermanentError("Nothing has been deployed yet.", remedy="Run `sentiment-platform run train_job` first.")
    running = documents[0]
    for earlier in documents[1:]:
        same = (earlier.models(), earlier.default_family) == (running.models(), running.default_family)
        if earlier.revision == to_revision or (to_revision is None and not same):
            evidence = Evidence((), (), {"restores": earlier.revision}, f"Rollback to the content of {earlier.tag}.")
            return Intent(
                champions=earlier.versions(),
                default_family=earlier.default_family,
                rule="rollback",
                actor=actor,
                reason=reason,
                evidence=evidence,
            )
    wanted = "with other content" if to_revision is None else f"of revision {to_revision}"
    raise PermanentError(
        f"There is no earlier deployment than {running.tag} {wanted}.",
        remedy="`sentiment-platform models list` shows every deployment.",
    )


def _document(engine: Engine, registry: ReleaseRegistry, intent: Intent, now: datetime) -> Deployment:
    champions: dict[str, Champion] = {}
    with engine.connect() as connection:
        for family, version in intent.champions.items():
            registered = get_version(connection, version)
            if registered is None or registered.family != family:
                raise PermanentError(
                    f"{version} is not a registered version of {family}.", remedy="See `sentiment-platform models list`."
                )
            champions[family] = Champion(version, registered.manifest_digest)
    previous = registry.previous()
    return Deployment(
        revision=previous.revision + 1 if previous else 1,
        champions=champions,
        default_family=intent.default_family,
        experiment=None,
        evidence=intent.evidence,
        rule=intent.rule,
        actor=intent.actor,
        reason=intent.reason,
        created_at=now,
        previous=previous,
    )


def _mirror(connection: Connection, document: Deployment, digest: str, published_at: datetime) -> None:
    """Mirror row and audit row, in the caller's transaction; a mirror that was lost and is filled again adds no second audit row."""
    if mirror_deployment(connection, document, digest=digest, published_at=published_at):
        audit.record_once(
            connection,
            at=document.created_at,
            actor=document.actor,
            action=f"deploy:{document.rule}",
            subject=str(document.tag),
            detail={"models": document.models(), "default_family": document.default_family, "reason": document.reason},
        )
