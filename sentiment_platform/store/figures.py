"""SQL of what versions measured: figures with their revisions, and answers on the holdout."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import distinct_on, insert

from sentiment_platform.store.tables import (
    HoldoutPrediction,
    ModelPerformance,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured metric of one version over one window; `note` says what a reader must know of it."""

    version: str
    window: str
    metric: str
    value: float
    low: float | None
    high: float | None
    n: int
    label_coverage: float = 1.0
    in_sample: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFigure(Figure):
    """A figure as it stands in the table: `revision` counts its changes, `as_of` is when this one was measured."""

    revision: int
    as_of: datetime


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
            select(table.revision, table.value, table.n, table.label_coverage, table.note)
            .where(table.version == figure.version, table.window == figure.window, table.metric == figure.metric)
            .order_by(table.revision.desc())
            .limit(1)
        ).first()
        said = (figure.value, figure.n, figure.label_coverage, figure.note)
        if newest and (newest.value, newest.n, newest.label_coverage, newest.note) == said:
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
                note=figure.note,
            )
        )
        added += 1
    return added


def figure_history(connection: Connection, version: str, metric: str, limit: int) -> list[StoredFigure]:
    """The newest `limit` revisions of a metric of a version, over every window, newest first."""
    table = ModelPerformance
    query = select(*[getattr(table, name) for name in StoredFigure.__dataclass_fields__])
    query = query.where(table.version == version, table.metric == metric)
    query = query.order_by(table.as_of.desc(), table.window, table.revision.desc()).limit(limit)
    return [StoredFigure(**row) for row in connection.execute(query).mappings()]


def newest_figures(connection: Connection, versions: Sequence[str] | None = None) -> list[StoredFigure]:
    """The newest revision of every figure, optionally of some versions only."""
    table = ModelPerformance
    columns = [getattr(table, name) for name in StoredFigure.__dataclass_fields__]
    query = select(*columns).ext(distinct_on(table.version, table.window, table.metric))
    if versions is not None:
        query = query.where(table.version.in_(versions))
    query = query.order_by(table.version, table.window, table.metric, table.revision.desc())
    return [StoredFigure(**row) for row in connection.execute(query).mappings()]
