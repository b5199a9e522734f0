"""SQL of training sets and their examples."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from sentiment_platform.store.tables import (
    TrainingExample,
    TrainingSet,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredExample:
    """One row of a training set."""

    example_id: str
    part: str
    text: str
    label: str
    label_set: str
    story_id: str
    available_at: datetime | None
    features: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class TrainingSetRow:
    """A snapshot; `summary` says what it was put together from."""

    digest: str
    feature_schema: str
    summary: dict[str, Any]
    created_at: datetime


def write_training_set(
    connection: Connection, digest: str, feature_schema: str, summary: Mapping[str, Any], examples: Iterable[StoredExample]
) -> bool:
    """Store a snapshot under its digest; returns False, writing no row, when it is already there.

    A snapshot that was made before and is made again (labels were taken back) becomes the newest one again.
    """
    new = connection.execute(
        insert(TrainingSet)
        .values(digest=digest, feature_schema=feature_schema, summary=dict(summary))
        .on_conflict_do_nothing()
        .returning(TrainingSet.digest)
    ).first()
    if new is None:
        later = aliased(TrainingSet)
        is_old = select(later.digest).where(later.created_at > TrainingSet.created_at).exists()
        connection.execute(update(TrainingSet).where(TrainingSet.digest == digest, is_old).values(created_at=func.now()))
        return False
    rows = [
        {
            "digest": digest,
            "example_id": e.example_id,
            "part": e.part,
            "text": e.text,
            "label": e.label,
            "label_set": e.label_set,
            "story_id": e.story_id,
            "available_at": e.available_at,
            "features": list(e.features),
        }
        for e in examples
    ]
    if rows:
        connection.execute(insert(TrainingExample), rows)
    return True


def latest_training_set(connection: Connection, digest: str | None = None) -> TrainingSetRow | None:
    """The newest snapshot, or the one with that digest."""
    query = select(TrainingSet.digest, TrainingSet.feature_schema, TrainingSet.summary, TrainingSet.created_at)
    if digest is not None:
        query = query.where(TrainingSet.digest == digest)
    row = connection.execute(query.order_by(TrainingSet.created_at.desc(), TrainingSet.digest).limit(1)).first()
    return TrainingSetRow(*row) if row else None


def training_examples(connection: Connection, digest: str, part: str | None = None) -> list[StoredExample]:
    """The rows of a snapshot in the order of their ids; one part, or all."""
    table = TrainingExample
    query = select(
        table.example_id, table.part, table.text, table.label, table.label_set, table.story_id, table.available_at, table.features
    ).where(table.digest == digest)
    if part is not None:
        query = query.where(table.part == part)
    rows = connection.execute(query.order_by(table.example_id)).mappings()
    return [StoredExample(**dict(row, features=tuple(row["features"]))) for row in rows]


def part_features(connection: Connection, digest: str, part: str) -> list[list[float | None]]:
    """Feature vectors of one part of a training set."""
    table = TrainingExample
    query = select(table.features).where(table.digest == digest, table.part == part).order_by(table.example_id)
    return [row[0] for row in connection.execute(query)]


def part_texts(connection: Connection, digest: str, part: str, limit: int) -> list[str]:
    """Texts of one part of a training set; of more than `limit` so many at random, the same ones each time."""
    table = TrainingExample
    query = select(table.text).where(table.digest == digest, table.part == part).order_by(table.example_id).limit(limit)
    return list(connection.execute(query).scalars())


def is_stored(connection: Connection, digest: str) -> bool:
    """Whether the examples of that training set are here."""
    return bool(connection.execute(select(exists().where(TrainingExample.digest == digest))).scalar_one())


def examples_not_held_out(connection: Connection, digest: str, example_ids: Sequence[str]) -> set[str]:
    """Which of these examples the models of that training set saw, in fitting or in choosing."""
    table = TrainingExample
    query = select(table.example_id).where(table.digest == digest, table.part != "test", table.example_id.in_(example_ids))
    return set(connection.execute(query).scalars())
