"""SQL of labels and training sets."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, LargeBinary, Text, cast, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import aggregate_order_by, distinct_on, insert
from sqlalchemy.orm import aliased

from sentiment_platform.store.tables import (
    Feedback,
    LabelRow,
    LabelSetRow,
    Prediction,
    RawData,
    StoryCluster,
    TrainingExample,
    TrainingSet,
)

_SAID = ("text", "text_hash", "label", "weight", "score", "agreement", "labelled_at", "published_at", "article_id")
_COLUMNS = ", ".join(("id", "label_set", "external_id", "annotator", "import_id", *_SAID))
# A batch travels as one JSON parameter: a multi-row INSERT of this width spends more time in parameters than in the database.
_WRITE_LABELS = text(f"""
    INSERT INTO platform.labels AS known ({_COLUMNS})
    SELECT {_COLUMNS} FROM jsonb_populate_recordset(NULL::platform.labels, CAST(:rows AS jsonb))
    ON CONFLICT (label_set, external_id, annotator) DO UPDATE
    SET {", ".join(f"{name} = excluded.{name}" for name in (*_SAID, "import_id"))}, inserted_at = now()
    WHERE {" OR ".join(f"known.{name} IS DISTINCT FROM excluded.{name}" for name in _SAID)}
    RETURNING known.id""")  # noqa: S608  every name in it is written above


@dataclass(frozen=True, slots=True)
class StoredLabel:
    """A label joined with the article it belongs to, where one was collected."""

    id: str
    label_set: str
    text: str
    text_hash: str
    label: str
    weight: float
    article_id: str | None
    story_id: str | None
    available_at: datetime | None
    annotator: str
    kind: str


@dataclass(frozen=True, slots=True)
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


def write_labels(connection: Connection, records: Sequence[Mapping[str, Any]]) -> int:
    """Insert labels; a label known under (set, external id, annotator) is updated when anything that is said of it changed.

    What only says where it came from (its import) stays as it was first. Where `records` name a label twice, the last one counts.

    Returns:
        How many rows were new or changed.
    """
    # Over all records, not by batch: a label named in two batches would change back and forth at every import.
    unique = list({(r["label_set"], r["external_id"], r["annotator"]): r for r in records}.values())
    changed = 0
    for start in range(0, len(unique), 5000):
        rows = msgspec.json.encode(unique[start : start + 5000]).decode()
        changed += len(connection.execute(_WRITE_LABELS, {"rows": rows}).all())
    return changed


def articles_by_title(connection: Connection, titles: Sequence[str]) -> dict[str, str]:
    """title -> id of the earliest article with exactly that title."""
    found: dict[str, str] = {}
    for start in range(0, len(titles), 5000):
        query = (
            select(RawData.title, RawData.id)
            .where(RawData.title.in_(titles[start : start + 5000]))
            .order_by(RawData.title, RawData.available_at, RawData.id)
            .ext(distinct_on(RawData.title))
        )
        found.update({row.title: row.id for row in connection.execute(query)})
    return found


def articles_by_url(connection: Connection, urls: Sequence[str]) -> dict[str, str]:
    """url -> id of the earliest article published there."""
    found: dict[str, str] = {}
    for start in range(0, len(urls), 5000):
        query = (
            select(RawData.url, RawData.id)
            .where(RawData.url.in_(urls[start : start + 5000]))
            .order_by(RawData.url, RawData.available_at, RawData.id)
            .ext(distinct_on(RawData.url))
        )
        found.update({row.url: row.id for row in connection.execute(query) if row.url})
    return found


def all_labels(connection: Connection) -> list[StoredLabel]:
    """Every label with its article's story and availability, in a stable order."""
    query = (
        select(
            LabelRow.id,
            LabelRow.label_set,
            LabelRow.text,
            LabelRow.text_hash,
            LabelRow.label,
            LabelRow.weight,
            LabelRow.article_id,
            StoryCluster.story_id,
            func.coalesce(RawData.available_at, LabelRow.published_at),
            LabelRow.annotator,
            LabelSetRow.kind,
        )
        .join(LabelSetRow, LabelSetRow.name == LabelRow.label_set)
        .outerjoin(RawData, RawData.id == LabelRow.article_id)
        .outerjoin(StoryCluster, StoryCluster.article_id == LabelRow.article_id)
        .order_by(LabelRow.label_set, LabelRow.external_id, LabelRow.annotator)
    )
    return [StoredLabel(*row) for row in connection.execute(query)]


def labels_digest(connection: Connection) -> str:
    """SHA-256 over everything that every label says, whenever and in whatever order they arrived."""
    said = func.jsonb_build_array(
        LabelRow.label_set,
        LabelRow.external_id,
        LabelRow.annotator,
        LabelRow.text_hash,
        LabelRow.label,
        LabelRow.weight,
        LabelRow.score,
        LabelRow.agreement,
        LabelRow.article_id,
        LabelSetRow.kind,
        LabelSetRow.licence,
        # Not the timestamps themselves, which a session in another time zone spells otherwise.
        func.extract("epoch", LabelRow.labelled_at),
        func.extract("epoch", LabelRow.published_at),
    )
    one = func.md5(cast(said, Text))
    every = func.coalesce(func.string_agg(one, aggregate_order_by(literal(","), one)), "")
    digest = select(func.encode(func.sha256(cast(every, LargeBinary)), "hex"))
    joined = digest.select_from(LabelRow).join(LabelSetRow, LabelSetRow.name == LabelRow.label_set)
    return str(connection.execute(joined).scalar_one())


def labelled_feedback(connection: Connection) -> list[tuple[str, str, str, datetime, str | None]]:
    """(feedback id, text, label, received at, source) of feedback that names a label and whose prediction has arrived."""
    query = (
        select(Feedback.id, Prediction.text, Feedback.label, Feedback.received_at, Prediction.source)
        .join(Prediction, Prediction.id == Feedback.prediction_id)
        .where(Feedback.label.is_not(None))
        .order_by(Feedback.id)
    )
    return [(row[0], row[1], row[2] or "", row[3], row[4]) for row in connection.execute(query)]


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


def latest_training_set(connection: Connection, digest: str | None = None) -> tuple[str, str, dict[str, Any], datetime] | None:
    """(digest, feature schema, summary, created at) of the newest snapshot, or of the one with that digest."""
    query = select(TrainingSet.digest, TrainingSet.feature_schema, TrainingSet.summary, TrainingSet.created_at)
    if digest is not None:
        query = query.where(TrainingSet.digest == digest)
    row = connection.execute(query.order_by(TrainingSet.created_at.desc(), TrainingSet.digest).limit(1)).first()
    return None if row is None else (row[0], row[1], row[2], row[3])


def training_examples(connection: Connection, digest: str, part: str | None = None) -> list[StoredExample]:
    """The rows of a snapshot in the order of their ids; one part, or all."""
    table = TrainingExample
    query = select(
        table.example_id, table.part, table.text, table.label, table.label_set, table.story_id, table.available_at, table.features
    ).where(table.digest == digest)
    if part is not None:
        query = query.where(table.part == part)
    return [StoredExample(*row[:7], tuple(row[7])) for row in connection.execute(query.order_by(table.example_id))]
