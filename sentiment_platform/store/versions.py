"""SQL of registered versions."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, Text, func, literal, select
from sqlalchemy.dialects.postgresql import JSONB, insert

from sentiment_platform.registry.documents import as_stored, digest, read_stored
from sentiment_platform.registry.manifest import Manifest
from sentiment_platform.store.tables import ModelVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredVersion:
    """A published model version; `options_digest` names the options and inputs that it was made from, `run_id` the run that made it."""

    manifest: Manifest
    manifest_digest: str
    options_digest: str
    run_id: str
    registered_at: datetime

    @property
    def version(self) -> str:
        """Its tag, such as `v1.4.0-vader`."""
        return self.manifest.version

    @property
    def family(self) -> str:
        """Its model family."""
        return self.manifest.family

    @property
    def training_set(self) -> str:
        """Digest of the training set that it was made from."""
        return self.manifest.training_set


def register_version(
    connection: Connection, manifest: Manifest, *, options_digest: str, run_id: str, registered_at: datetime | None = None
) -> None:
    """Insert the index row of a published release, as of now where no time is given; a second time changes nothing."""
    row = {
        "version": manifest.version,
        "family": manifest.family,
        "manifest_digest": digest(manifest),
        "manifest": as_stored(manifest),
        "training_set": manifest.training_set,
        "options_digest": options_digest,
        "run_id": run_id,
    }
    if registered_at is not None:
        row["registered_at"] = registered_at
    connection.execute(insert(ModelVersion).values(row).on_conflict_do_nothing())


def find_version(connection: Connection, family: str, training_set: str, options_digest: str) -> RegisteredVersion | None:
    """The version that was already made from exactly these inputs."""
    table = ModelVersion
    made_from = (table.family == family, table.training_set == training_set, table.options_digest == options_digest)
    return _first(connection, _newest_first().where(*made_from))


def latest_version(connection: Connection, family: str) -> RegisteredVersion | None:
    """The newest version of a family."""
    return _first(connection, _newest_first().where(ModelVersion.family == family))


def get_version(connection: Connection, version: str) -> RegisteredVersion | None:
    """The version with that tag."""
    return _first(connection, _newest_first().where(ModelVersion.version == version))


def all_versions(connection: Connection) -> list[RegisteredVersion]:
    """Every version, newest first."""
    return [_read(row) for row in connection.execute(_newest_first())]


def versions_page(connection: Connection, limit: int, offset: int) -> list[RegisteredVersion]:
    """`limit` versions behind the `offset` newest, newest first. Of the `figures` of their manifests, which may be a megabyte each,
    they have `technical` alone."""
    table = ModelVersion
    technical = func.jsonb_build_object("figures", func.jsonb_build_object("technical", table.manifest["figures"]["technical"]))
    slim = table.manifest.op("-", return_type=JSONB())(literal("figures", Text())).op("||", return_type=JSONB())(technical)
    columns = (
        table.version,
        table.manifest_digest,
        slim.label("manifest"),
        table.options_digest,
        table.run_id,
        table.registered_at,
    )
    query = select(*columns).order_by(table.registered_at.desc(), table.version).limit(limit).offset(offset)
    return [_read(row) for row in connection.execute(query)]


def _newest_first() -> Select[*tuple[Any, ...]]:
    table = ModelVersion
    columns = (table.version, table.manifest_digest, table.manifest, table.options_digest, table.run_id, table.registered_at)
    return select(*columns).order_by(table.registered_at.desc())


def _first(connection: Connection, query: Select[*tuple[Any, ...]]) -> RegisteredVersion | None:
    row = connection.execute(query.limit(1)).first()
    return _read(row) if row else None


def _read(row: Any) -> RegisteredVersion:
    return RegisteredVersion(
        manifest=read_stored(row.manifest, Manifest, row.version),
        manifest_digest=row.manifest_digest,
        options_digest=row.options_digest,
        run_id=row.run_id,
        registered_at=row.registered_at,
    )
