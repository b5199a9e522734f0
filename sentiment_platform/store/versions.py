"""SQL of registered versions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from sentiment_platform.store.tables import (
    ModelVersion,
)


@dataclass(frozen=True, slots=True)
class RegisteredVersion:
    """A published model version."""

    version: str
    family: str
    manifest_digest: str
    manifest: dict[str, Any]
    training_set: str
    options_digest: str
    registered_at: datetime


_VERSION_COLUMNS = (
    ModelVersion.version,
    ModelVersion.family,
    ModelVersion.manifest_digest,
    ModelVersion.manifest,
    ModelVersion.training_set,
    ModelVersion.options_digest,
    ModelVersion.registered_at,
)


def register_version(connection: Connection, record: Mapping[str, Any]) -> None:
    """Insert the index row of a published release; a second time changes nothing."""
    connection.execute(insert(ModelVersion).values(**record).on_conflict_do_nothing())


def find_version(connection: Connection, family: str, training_set: str, options_digest: str) -> RegisteredVersion | None:
    """The version that was already made from exactly these inputs."""
    query = (
        select(*_VERSION_COLUMNS)
        .where(
            ModelVersion.family == family,
            ModelVersion.training_set == training_set,
            ModelVersion.options_digest == options_digest,
        )
        .order_by(ModelVersion.registered_at.desc())
        .limit(1)
    )
    row = connection.execute(query).first()
    return RegisteredVersion(*row) if row else None


def latest_version(connection: Connection, family: str) -> RegisteredVersion | None:
    """The newest version of a family."""
    query = select(*_VERSION_COLUMNS).where(ModelVersion.family == family).order_by(ModelVersion.registered_at.desc()).limit(1)
    row = connection.execute(query).first()
    return RegisteredVersion(*row) if row else None


def get_version(connection: Connection, version: str) -> RegisteredVersion | None:
    """The version with that tag."""
    row = connection.execute(select(*_VERSION_COLUMNS).where(ModelVersion.version == version)).first()
    return RegisteredVersion(*row) if row else None


def all_versions(connection: Connection) -> list[RegisteredVersion]:
    """Every version, newest first."""
    return [
        RegisteredVersion(*row)
        for row in connection.execute(select(*_VERSION_COLUMNS).order_by(ModelVersion.registered_at.desc()))
    ]
