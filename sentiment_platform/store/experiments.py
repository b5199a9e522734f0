"""SQL of comparisons between versions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, or_, select
from sqlalchemy.dialects.postgresql import insert

from sentiment_platform.store.tables import Experiment

ON_TRAFFIC = ("shadow", "split")
"""Kinds of evaluations of running experiments."""
REPLAY = "replay"
"""Kind of a row that says what a version would have answered to requests that were served; all other rows are comparisons on a holdout."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredComparison:
    """A row of `experiments`; what is in `result` depends on the `kind`."""

    id: str
    kind: str
    champion: str
    challenger: str
    verdict: str
    result: dict[str, Any]
    run_id: str
    created_at: datetime


def comparison_id(training_set: str, a: str, b: str) -> str:
    """Names the comparison of `b` against `a` on the holdout of that training set: one row."""
    return sha256(f"{training_set} {a} {b}".encode()).hexdigest()[:32]


def stored_comparison(connection: Connection, a: str, b: str, training_set: str) -> StoredComparison | None:
    """The comparison of the two on that holdout, whichever way round; one with a verdict before one without."""
    columns = [getattr(Experiment, name) for name in StoredComparison.__dataclass_fields__]
    names = [comparison_id(training_set, a, b), comparison_id(training_set, b, a)]
    rows = [StoredComparison(**row) for row in connection.execute(select(*columns).where(Experiment.id.in_(names))).mappings()]
    return min(rows, key=lambda row: (row.verdict == "not weighed", names.index(row.id)), default=None)


def comparisons_page(connection: Connection, limit: int, offset: int, *, of: Sequence[str] = ()) -> list[StoredComparison]:
    """`limit` comparisons on a holdout behind the `offset` newest, newest first; only those that name each version of `of`, on either side."""
    columns = [getattr(Experiment, name) for name in StoredComparison.__dataclass_fields__]
    named = [or_(Experiment.champion == version, Experiment.challenger == version) for version in of]
    on_holdouts = Experiment.kind.not_in((*ON_TRAFFIC, REPLAY))
    query = (
        select(*columns)
        .where(on_holdouts, *named)
        .order_by(Experiment.created_at.desc(), Experiment.id)
        .limit(limit)
        .offset(offset)
    )
    return [StoredComparison(**row) for row in connection.execute(query).mappings()]


def write_experiment(connection: Connection, record: Mapping[str, Any]) -> None:
    """Write a comparison under its id. The same result again changes nothing; another result replaces the row's."""
    statement = insert(Experiment).values(**record)
    new = statement.excluded
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["id"],
            set_={"verdict": new.verdict, "result": new.result, "run_id": new.run_id},
            where=Experiment.result.is_distinct_from(new.result),
        )
    )


def add_evaluation(connection: Connection, record: Mapping[str, Any]) -> bool:
    """Write an evaluation under its id; one that is there already stays as it is, and the answer is False."""
    statement = insert(Experiment).values(**record).on_conflict_do_nothing().returning(Experiment.id)
    return connection.execute(statement).first() is not None


def evaluations_of(connection: Connection, experiment: str, phase: int | None = None) -> list[StoredComparison]:
    """The evaluations of a running experiment, of one phase where it is named, oldest first."""
    columns = [getattr(Experiment, name) for name in StoredComparison.__dataclass_fields__]
    query = select(*columns).where(Experiment.result["experiment"].as_string() == experiment, Experiment.kind.in_(ON_TRAFFIC))
    if phase is not None:
        query = query.where(Experiment.result["phase"].as_integer() == phase)
    return [
        StoredComparison(**row) for row in connection.execute(query.order_by(Experiment.created_at, Experiment.id)).mappings()
    ]
