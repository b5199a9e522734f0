"""SQL of deployments, mirrored from the registry: which is the latest, and what was live when."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from sentiment_platform.store.tables import (
    DeploymentRow,
)


def mirror_deployment(connection: Connection, record: Mapping[str, Any]) -> bool:
    """Insert the mirror row of a published deployment; a revision is immutable. False where it is there already."""
    statement = insert(DeploymentRow).values(**record).on_conflict_do_nothing().returning(DeploymentRow.revision)
    return connection.execute(statement).first() is not None


def latest_deployment(connection: Connection) -> dict[str, Any] | None:
    """The document of the highest revision known here."""
    return connection.execute(select(DeploymentRow.document).order_by(DeploymentRow.revision.desc()).limit(1)).scalar()


def deployments(connection: Connection, limit: int | None = 100) -> list[dict[str, Any]]:
    """Deployments as rows, newest first."""
    query = select(DeploymentRow.__table__).order_by(DeploymentRow.revision.desc()).limit(limit)
    return [dict(row) for row in connection.execute(query).mappings()]


def deployment_at(connection: Connection, at: datetime) -> dict[str, Any] | None:
    """The document that was live at `at`."""
    table = DeploymentRow
    query = select(table.document).where(table.published_at <= at).order_by(table.revision.desc()).limit(1)
    return connection.execute(query).scalar()
