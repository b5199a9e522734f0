"""SQL of deployments, mirrored from the registry: which is the latest, and what was live when."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, select, text
from sqlalchemy.dialects.postgresql import insert

from sentiment_platform.registry.deployment import Deployment
from sentiment_platform.registry.documents import as_stored, read_stored
from sentiment_platform.store.tables import DeploymentRow

LAST_NAMED = """last_named AS (
        SELECT champion.value ->> 'version' AS version, max(revision) AS revision
        FROM platform.deployments, jsonb_each(document -> 'champions') AS champion GROUP BY 1)"""
"""Part of a WITH: each version that a deployment ever named, and the last revision that did."""


@dataclass(frozen=True, slots=True)
class MirroredDeployment:
    """A published deployment; `digest` is the sha256 of the document as it was published."""

    document: Deployment
    digest: str
    published_at: datetime


def mirror_deployment(connection: Connection, document: Deployment, *, digest: str, published_at: datetime) -> bool:
    """Insert the mirror row of a published deployment; a revision is immutable. False where it is there already."""
    row = {
        "revision": document.revision,
        "tag": str(document.tag),
        "digest": digest,
        "document": as_stored(document),
        "rule": document.rule,
        "actor": document.actor,
        "reason": document.reason,
        "published_at": published_at,
    }
    statement = insert(DeploymentRow).values(row).on_conflict_do_nothing().returning(DeploymentRow.revision)
    return connection.execute(statement).first() is not None


def latest_deployment(connection: Connection) -> Deployment | None:
    """The document of the highest revision known here."""
    newest = next(iter(deployments(connection, limit=1)), None)
    return newest.document if newest else None


def deployments(connection: Connection, limit: int | None = 100) -> list[MirroredDeployment]:
    """Deployments, newest first."""
    query = _mirrored().order_by(DeploymentRow.revision.desc()).limit(limit)
    return [_read(row) for row in connection.execute(query)]


_LAST_NAMED = text(f"WITH {LAST_NAMED} SELECT version, revision FROM last_named")  # noqa: S608  the part is a constant


def last_revisions(connection: Connection) -> dict[str, int]:
    """Each version that a deployment ever named as a champion, and the last revision that did."""
    return dict(connection.execute(_LAST_NAMED).all())


def get_deployment(connection: Connection, revision: int) -> MirroredDeployment | None:
    """The deployment with that revision."""
    row = connection.execute(_mirrored().where(DeploymentRow.revision == revision)).first()
    return _read(row) if row else None


def deployment_at(connection: Connection, at: datetime) -> Deployment | None:
    """The document that was live at `at`."""
    table = DeploymentRow
    row = connection.execute(_mirrored().where(table.published_at <= at).order_by(table.revision.desc()).limit(1)).first()
    return _read(row).document if row else None


def _mirrored() -> Select[*tuple[Any, ...]]:
    return select(DeploymentRow.tag, DeploymentRow.document, DeploymentRow.digest, DeploymentRow.published_at)


def _read(row: Any) -> MirroredDeployment:
    return MirroredDeployment(read_stored(row.document, Deployment, row.tag), row.digest, row.published_at)
