"""Publish the next deployment: build the document, take the lease, publish it, mirror it, leave an audit row.

Three ways lead here: the gate's proposal, a request that serving recorded, a named person. All of them make one new revision.
"""

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

from msgspec import UNSET
from sqlalchemy import Connection, Engine

from sentiment_platform.errors import ConflictError, PermanentError
from sentiment_platform.promotion.announcing import announce
from sentiment_platform.promotion.cost_of_switch import switch_in_words
from sentiment_platform.promotion.mirror import mirror, newest_known, require_same_head, synchronise_mirror
from sentiment_platform.promotion.online import Online, carried_over
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.registry.deployment import Champion, Deployment, Evidence, Previous, Rule
from sentiment_platform.registry.drafts import SpentTagError
from sentiment_platform.registry.lifecycle import require_steps
from sentiment_platform.registry.manifest import Manifest
from sentiment_platform.registry.published import PublishedDeployment
from sentiment_platform.registry.refusal import Refused
from sentiment_platform.registry.releases import ReleaseRegistry
from sentiment_platform.store import leases
from sentiment_platform.store.deployments import latest_deployment
from sentiment_platform.store.lifecycle import read_documents
from sentiment_platform.store.versions import get_version

LEASE = "deployment"
LEASE_S = 120.0
MOST_DELETED = 50
"""So many tags of deleted immutable releases, of which nobody knows, are stepped over."""


@dataclass(frozen=True, kw_only=True)
class Intent:
    """What somebody wants deployed, and on what grounds."""

    champions: Mapping[str, str]
    default_family: str
    rule: Rule
    actor: str
    reason: str
    evidence: Evidence
    online: Online | None = None
    """The experiment to run; None leaves what runs, where it still fits the champions, and a rollback ends it."""


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
    restores: bool = False,
    expected_revision: int | None = None,
) -> Promoted:
    """Publish `intent` as the next revision.

    Args:
        intent: a function where it depends on what runs: it is asked under the lease, once the mirror knows every revision.
        holder: who takes the lease; the run id, or the person.
        restores: publish although the registry lost what was decided last: this intent settles that.
        expected_revision: what must be in force, looked at under the lease: the revision that the person saw; 0: none.

    Raises:
        ConflictError: somebody else is publishing, or was faster; another revision than the expected one is in force.
        PermanentError: a version is not registered, or the registry's newest deployment is not the one that was decided last.
    """
    lease = leases.acquire(engine, LEASE, holder, LEASE_S)

    def fence() -> None:
        with engine.begin() as connection:
            _require_lease(connection, lease)

    try:
        with closing(access.writer(now)) as registry:
            synchronise_mirror(engine, registry)
            if not restores:
                require_same_head(engine, registry)
            if expected_revision is not None:
                require_revision(engine, expected_revision)
            wanted = intent(engine) if callable(intent) else intent
            document, published = _publish(engine, access, registry, wanted, fence, now)
            with engine.begin() as connection:
                _require_lease(connection, lease)
                mirror(connection, document, published.digest, published.published_at)
    finally:
        leases.release(engine, lease)
    announce(access.settings.redis_url, document, published.published_at)
    return Promoted(str(document.tag), document.revision, document, published.url)


def _require_lease(connection: Connection, lease: leases.HeldLease) -> None:
    """As `leases.require`; the same call again could leave what the other one published, so that is not the advice."""
    try:
        leases.require(connection, lease)
    except ConflictError as lost:
        raise ConflictError(
            f"{lost.message} Another deployment was published meanwhile, or the lease ran out.",
            remedy="Look at `sentiment-platform models list` and decide again.",
        ) from lost


def require_revision(engine: Engine, expected: int) -> None:
    """Pass only where the newest known deployment is revision `expected`; 0: there is none.

    Raises:
        ConflictError: another one is in force.
    """
    with engine.connect() as connection:
        running = latest_deployment(connection)
    if (running.revision if running else 0) != expected:
        now = f"{running.tag} ({running.rule} by {running.actor}: {running.reason})" if running else "No deployment"
        raise ConflictError(
            f"{now} is in force, not revision {expected}, which this was decided on. Nothing was changed.",
            remedy="Look at `sentiment-platform models list` and decide again.",
        )


def _publish(
    engine: Engine,
    access: RegistryAccess,
    registry: ReleaseRegistry,
    intent: Intent,
    fence: Callable[[], None],
    now: Callable[[], datetime],
) -> tuple[Deployment, PublishedDeployment]:
    """Under the next number that neither a release, a tag nor the mirror knows; tags of deleted releases are stepped over."""
    previous = newest_known(engine, registry)
    revision = max(registry.next_revision(), previous.revision + 1 if previous else 1)
    for attempts_left in reversed(range(MOST_DELETED)):
        document = _document(engine, intent, revision, previous, now())
        _require_legal(engine, registry, document)
        try:
            # Whoever took a tag without publishing it held this lease; now we do, so that attempt is dead.
            return document, registry.publish_deployment(
                document,
                access.private_keys,
                fence=fence,
                adopt_abandoned=lambda: True,
                lost=previous,
                remarks=_remarks(engine, document),
            )
        except SpentTagError:
            if not attempts_left:
                raise
            revision += 1
    raise AssertionError("the last attempt returns or raises")


def _require_legal(engine: Engine, registry: ReleaseRegistry, document: Deployment) -> None:
    """Each version may become what `document` makes of it; those that are new to it are looked for in the registry."""
    with engine.connect() as connection:
        known = latest_deployment(connection)
        ran = known.named_models() if known else {}
        gone: list[str] = []
        for version, manifest_digest in document.named_models().items():
            try:
                if version not in ran:
                    registry.manifest(version, manifest_digest)
            except Refused:
                gone.append(version)
        require_steps(document, read_documents(connection, gone))


def _remarks(engine: Engine, document: Deployment) -> str:
    with engine.connect() as connection:
        before = latest_deployment(connection)

        def manifest_of(version: str) -> Manifest | None:
            registered = get_version(connection, version)
            return registered.manifest if registered else None

        return switch_in_words(before, document, manifest_of)


def _document(engine: Engine, intent: Intent, revision: int, previous: Previous | None, now: datetime) -> Deployment:
    champions: dict[str, Champion] = {}
    with engine.connect() as connection:
        # Whoever goes back wants nothing more tried: neither the shadow nor the arms go on.
        ends = Online() if intent.rule == "rollback" else None
        online = intent.online or ends or carried_over(latest_deployment(connection), intent.champions)
        for family, version in intent.champions.items():
            registered = get_version(connection, version)
            if registered is None or registered.family != family:
                raise PermanentError(
                    f"{version} is not a registered version of {family}.",
                    remedy="See `sentiment-platform models list`; `models sync` reads the registry's again.",
                )
            champions[family] = Champion(version, registered.manifest_digest)
    return Deployment(
        revision=revision,
        champions=champions,
        default_family=intent.default_family,
        experiment=online.experiment,
        shadow=online.shadow or UNSET,
        evidence=intent.evidence,
        rule=intent.rule,
        actor=intent.actor,
        reason=intent.reason,
        created_at=now,
        previous=previous,
    )
