"""SQL of registered versions, their figures, comparisons and deployments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import distinct_on, insert

from sentiment_platform.store.tables import (
    DeploymentRow,
    Experiment,
    HoldoutPrediction,
    ModelPerformance,
    ModelVersion,
    SelectionRequest,
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


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured metric of one version over one window."""

    version: str
    window: str
    metric: str
    value: float
    low: float | None
    high: float | None
    n: int
    label_coverage: float = 1.0
    in_sample: bool = False


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


def write_holdout_predictions(
    connection: Connection, version: str, training_set: str, rows: Sequence[tuple[str, Sequence[float]]]
) -> None:
    """(example id, probabilities) of a version on a holdout; overwrites by natural key."""
    if not rows:
        return
    statement = insert(HoldoutPrediction)
    statement = statement.on_conflict_do_update(
        index_elements=["version", "training_set", "example_id"], set_={"probabilities": statement.excluded.probabilities}
    )
    connection.execute(
        statement,
        [
            {
                "version": version,
                "training_set": training_set,
                "example_id": key,
                "probabilities": [float(p) for p in probabilities],
            }
            for key, probabilities in rows
        ],
    )


def holdout_predictions(connection: Connection, version: str, training_set: str) -> dict[str, list[float]]:
    """example id -> probabilities."""
    table = HoldoutPrediction
    query = select(table.example_id, table.probabilities).where(table.version == version, table.training_set == training_set)
    return {row[0]: row[1] for row in connection.execute(query)}


def write_figures(connection: Connection, figures: Sequence[Figure], as_of: datetime) -> int:
    """Add a revision for each figure that is new or differs from the newest one; returns how many were added."""
    added = 0
    table = ModelPerformance
    for figure in figures:
        newest = connection.execute(
            select(table.revision, table.value, table.n, table.label_coverage)
            .where(table.version == figure.version, table.window == figure.window, table.metric == figure.metric)
            .order_by(table.revision.desc())
            .limit(1)
        ).first()
        if newest and (newest.value, newest.n, newest.label_coverage) == (figure.value, figure.n, figure.label_coverage):
            continue
        connection.execute(
            insert(table).values(
                version=figure.version,
                window=figure.window,
                metric=figure.metric,
                revision=newest.revision + 1 if newest else 1,
                value=figure.value,
                low=figure.low,
                high=figure.high,
                n=figure.n,
                label_coverage=figure.label_coverage,
                in_sample=figure.in_sample,
                as_of=as_of,
            )
        )
        added += 1
    return added


def newest_figures(connection: Connection, versions: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """The newest revision of every figure, optionally of some versions only."""
    table = ModelPerformance
    query = select(table.__table__).ext(distinct_on(table.version, table.window, table.metric))
    if versions is not None:
        query = query.where(table.version.in_(versions))
    query = query.order_by(table.version, table.window, table.metric, table.revision.desc())
    return [dict(row) for row in connection.execute(query).mappings()]


def write_experiment(connection: Connection, record: Mapping[str, Any]) -> None:
    """Insert a comparison under its id; the same comparison twice is one row."""
    connection.execute(insert(Experiment).values(**record).on_conflict_do_nothing())


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


def request_selection(connection: Connection, record: Mapping[str, Any]) -> None:
    """Record a person's select or rollback, once per request id."""
    connection.execute(insert(SelectionRequest).values(**record).on_conflict_do_nothing(index_elements=["request_id"]))


def open_selection_requests(connection: Connection) -> list[dict[str, Any]]:
    """Requests that no published revision covers yet and that were not refused, oldest first."""
    table = SelectionRequest
    query = select(table.__table__).where(table.published_revision.is_(None), table.refusal.is_(None)).order_by(table.id)
    return [dict(row) for row in connection.execute(query).mappings()]


def close_selection_requests(connection: Connection, ids: Sequence[int], revision: int) -> None:
    """These requests are published with `revision`."""
    table = SelectionRequest
    connection.execute(update(table).where(table.id.in_(ids)).values(published_revision=revision, published_at=func.now()))


def refuse_selection_request(connection: Connection, request: int, reason: str) -> bool:
    """This request will not be published; False where it was settled before."""
    table = SelectionRequest
    still_open = (table.id == request, table.published_revision.is_(None), table.refusal.is_(None))
    return connection.execute(update(table).where(*still_open).values(refusal=reason).returning(table.id)).first() is not None
