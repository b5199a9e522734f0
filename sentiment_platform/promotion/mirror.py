"""The database's copy of what the registry published: filled from it, compared with it, and the truth where a release was deleted.

Everything here is read from signed releases: a database that was lost is rebuilt, with the versions that the deployments name.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.version_figures import origin_figures
from sentiment_platform.registry.deployment import Deployment, Previous
from sentiment_platform.registry.manifest import Manifest
from sentiment_platform.registry.published import PublishedModel
from sentiment_platform.registry.refusal import Refused
from sentiment_platform.registry.releases import ReleaseRegistry
from sentiment_platform.store import audit
from sentiment_platform.store.deployments import MirroredDeployment, deployments, mirror_deployment
from sentiment_platform.store.versions import all_versions, register_version

SYNCHRONISED = "synchronised"
"""Stands as the run of a version whose own run the database no longer knows."""


@dataclass(frozen=True, kw_only=True)
class Synchronised:
    """What a comparison of database and registry came to; each is a list of tags.

    Attributes:
        deployments, versions: entered into the database now.
        lost: known to the database, and no longer in the registry.
        changed: in both, with different content.
        refused: tag -> why its release is not believed.
    """

    deployments: tuple[str, ...]
    versions: tuple[str, ...]
    lost: tuple[str, ...]
    changed: tuple[str, ...]
    refused: dict[str, str]


def synchronise_mirror(engine: Engine, registry: ReleaseRegistry) -> int:
    """Mirror every published deployment that the database has not seen (a writer died in between), each with the audit row that it
    still lacks; returns how many. A database that knows none is filled whole, with the versions that the deployments name.

    Raises:
        PermanentError: what stands there is not what was signed under that number; it has to be deleted by hand.
    """
    newest = _newest(engine)
    missing = [entry for entry in registry.history() if entry.revision > (newest.document.revision if newest else 0)]
    if newest is None:
        synchronise_versions(engine, registry)
    for entry in missing:
        try:
            document = registry.deployment(entry.revision)
        except Refused as error:
            raise PermanentError(
                f"The registry's deploy-{entry.revision:06d} cannot be believed: {error.message}",
                remedy="Find out who changed it, delete that release on the registry's page, then run this again.",
            ) from error
        with engine.begin() as connection:
            mirror(connection, document, entry.digest, entry.published_at)
    return len(missing)


def synchronise(engine: Engine, registry: ReleaseRegistry) -> Synchronised:
    """Enter whatever signed releases the database lacks, of any age, and say what differs."""
    with engine.connect() as connection:
        known = {one.document.revision: one for one in deployments(connection, limit=None)}
        versions = {one.version: one.manifest_digest for one in all_versions(connection)}
    entries, models = registry.history(), registry.list_models()
    entered, refused = synchronise_versions(engine, registry, models)
    added: list[str] = []
    for entry in entries:
        if entry.revision in known:
            continue
        try:
            document = registry.deployment(entry.revision)
        except Refused as error:
            refused[f"deploy-{entry.revision:06d}"] = str(error)
            continue
        with engine.begin() as connection:
            mirror(connection, document, entry.digest, entry.published_at)
        added.append(str(document.tag))
    offered, released = {one.revision: one.digest for one in entries}, {one.version: one.manifest_digest for one in models}
    lost = [str(one.document.tag) for revision, one in sorted(known.items()) if revision not in offered]
    changed = [
        str(one.document.tag) for revision, one in sorted(known.items()) if offered.get(revision, one.digest) != one.digest
    ]
    return Synchronised(
        deployments=tuple(added),
        versions=tuple(entered),
        lost=(*lost, *sorted(versions.keys() - released.keys())),
        changed=(*changed, *sorted(name for name, digest in versions.items() if released.get(name, digest) != digest)),
        refused=refused,
    )


def synchronise_versions(
    engine: Engine, registry: ReleaseRegistry, models: list[PublishedModel] | None = None
) -> tuple[list[str], dict[str, str]]:
    """Register every published version that the database lacks: the tags, and why those that are not signed by us are left out."""
    with engine.connect() as connection:
        known = {version.version for version in all_versions(connection)}
    entered: list[str] = []
    refused: dict[str, str] = {}
    for model in registry.list_models() if models is None else models:
        if model.version in known:
            continue
        try:
            manifest = registry.manifest(model.version, model.manifest_digest)
        except Refused as error:
            refused[model.version] = str(error)
            continue
        with engine.begin() as connection:
            register_version(
                connection,
                manifest,
                options_digest=_options_digest(manifest),
                run_id=SYNCHRONISED,
                registered_at=model.published_at,
            )
        entered.append(model.version)
    return entered, refused


def newest_known(engine: Engine, registry: ReleaseRegistry) -> Previous | None:
    """The newest deployment that registry or database know; what the next one names as its previous."""
    head, newest = registry.previous(), _newest(engine)
    if newest is None or (head is not None and head.revision >= newest.document.revision):
        return head
    return Previous(newest.document.revision, newest.digest)


def require_same_head(engine: Engine, registry: ReleaseRegistry) -> None:
    """Pass only where the registry offers what was decided last.

    Raises:
        PermanentError: somebody deleted it, or put another in its place; names the commands that settle it.
    """
    head, newest = registry.previous(), _newest(engine)
    if newest is None or (head is not None and head == Previous(newest.document.revision, newest.digest)):
        return
    revision = newest.document.revision
    if head is not None and head.revision > revision:
        return
    what = "is no longer in the registry" if head is None or head.revision < revision else "has other content in the registry"
    keep = (
        f" `sentiment-platform models restore {head.revision}` stays with revision {head.revision}."
        if head and head.revision < revision
        else ""
    )
    raise PermanentError(
        f"{newest.document.tag} was decided last and {what}.",
        remedy=f"`sentiment-platform models restore {revision}` publishes its content as the next revision.{keep}",
    )


def mirror(connection: Connection, document: Deployment, digest: str, published_at: datetime) -> None:
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


def _newest(engine: Engine) -> MirroredDeployment | None:
    with engine.connect() as connection:
        return next(iter(deployments(connection, limit=1)), None)


def _options_digest(manifest: Manifest) -> str:
    """What it was made with, so that the same inputs are not trained again; "" where its manifest does not say it."""
    with suppress(ValueError, TypeError, PermanentError):
        return origin_figures(manifest).options_digest or ""
    return ""
