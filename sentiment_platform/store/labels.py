"""SQL of labels: what people said, of which text, in which set; and the feedback that becomes labels."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, LargeBinary, Select, Text, cast, func, literal, select, text
from sqlalchemy.dialects.postgresql import aggregate_order_by, distinct_on

from sentiment_platform.store.predictions import COUNTED
from sentiment_platform.store.tables import (
    Feedback,
    LabelRow,
    LabelSetRow,
    Prediction,
    RawData,
    StoryCluster,
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


@dataclass(frozen=True, slots=True, kw_only=True)
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
    labelled_at: datetime | None = None
    inserted_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidOfText:
    """The last word of a voice on a text, as feedback gave it; `voice` is None for all who have none.

    Attributes:
        answered_at: when that text was answered, which is the text's time.
        said_at: when the word came in.
    """

    voice: str | None
    text: str
    label: str
    answered_at: datetime
    said_at: datetime


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
    ids: dict[str, str] = {}
    for start in range(0, len(titles), 5000):
        query = (
            select(RawData.title, RawData.id)
            .where(RawData.title.in_(titles[start : start + 5000]))
            .order_by(RawData.title, RawData.available_at, RawData.id)
            .ext(distinct_on(RawData.title))
        )
        ids.update({row.title: row.id for row in connection.execute(query)})
    return ids


def articles_by_url(connection: Connection, urls: Sequence[str]) -> dict[str, str]:
    """url -> id of the earliest article published there."""
    ids: dict[str, str] = {}
    for start in range(0, len(urls), 5000):
        query = (
            select(RawData.url, RawData.id)
            .where(RawData.url.in_(urls[start : start + 5000]))
            .order_by(RawData.url, RawData.available_at, RawData.id)
            .ext(distinct_on(RawData.url))
        )
        ids.update({row.url: row.id for row in connection.execute(query) if row.url})
    return ids


def all_labels(connection: Connection, label_set: str | None = None) -> list[StoredLabel]:
    """Every label, or those of one set, with its article's story and availability, in a stable order."""
    query = _with_articles()
    if label_set is not None:
        query = query.where(LabelRow.label_set == label_set)
    return [StoredLabel(**row) for row in connection.execute(query).mappings()]


def labels_of_people_on(connection: Connection, text_hashes: Collection[str]) -> list[StoredLabel]:
    """Every label that annotators gave to these texts, with the time at which it arrived, in a stable order."""
    query = _with_articles().add_columns(LabelRow.inserted_at)
    query = query.where(LabelRow.text_hash.in_(text_hashes), LabelSetRow.kind == "human")
    return [StoredLabel(**row) for row in connection.execute(query).mappings()]


def _with_articles() -> Select[*tuple[Any, ...]]:
    return (
        select(
            LabelRow.id,
            LabelRow.label_set,
            LabelRow.text,
            LabelRow.text_hash,
            LabelRow.label,
            LabelRow.weight,
            LabelRow.article_id,
            StoryCluster.story_id,
            func.coalesce(RawData.available_at, LabelRow.published_at).label("available_at"),
            LabelRow.annotator,
            LabelSetRow.kind,
            LabelRow.labelled_at,
        )
        .join(LabelSetRow, LabelSetRow.name == LabelRow.label_set)
        .outerjoin(RawData, RawData.id == LabelRow.article_id)
        .outerjoin(StoryCluster, StoryCluster.article_id == LabelRow.article_id)
        .order_by(LabelRow.label_set, LabelRow.external_id, LabelRow.annotator)
    )


def any_label(connection: Connection, kinds: Collection[str]) -> bool:
    """Whether there is a label of a set of one of these kinds."""
    query = select(LabelRow.id).join(LabelSetRow, LabelSetRow.name == LabelRow.label_set).where(LabelSetRow.kind.in_(kinds))
    return connection.execute(query.limit(1)).first() is not None


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


def labelled_feedback(connection: Connection, *, anonymous: bool = False) -> list[SaidOfText]:
    """The last label that each voice gave to each text in feedback whose prediction, which counts, has arrived.

    `anonymous`: feedback without a voice is heard too, all of it as one.
    """
    voice = func.coalesce(Feedback.voice, "")
    query = (
        select(
            Feedback.voice,
            Prediction.text,
            Feedback.label,
            Prediction.predicted_at.label("answered_at"),
            Feedback.received_at.label("said_at"),
        )
        .join(Prediction, Prediction.id == Feedback.prediction_id)
        .where(*_teaches(anonymous))
        .order_by(voice, Prediction.text_hash, Feedback.received_at.desc(), Feedback.id.desc())
        .ext(distinct_on(voice, Prediction.text_hash))
    )
    return [SaidOfText(**row) for row in connection.execute(query).mappings()]


def labels_since(
    connection: Connection, since: datetime, feedback_set: str, *, anonymous: bool = False
) -> tuple[int, datetime | None]:
    """How many labels of people, which models may learn from, arrived after `since`, and when the newest did.

    Feedback counts when it reaches the database, one voice a text, taken in as a label or not: its copies in label set `feedback_set`
    are left out. `anonymous` as in `labelled_feedback`.
    """
    by_people = select(LabelSetRow.name).where(LabelSetRow.kind == "human", LabelSetRow.name != feedback_set)
    labels = select(func.count(), func.max(LabelRow.inserted_at)).where(
        LabelRow.inserted_at > since, LabelRow.label_set.in_(by_people)
    )
    words = (
        select(func.max(Feedback.shipped_at).label("shipped_at"))
        .join(Prediction, Prediction.id == Feedback.prediction_id)
        .where(Feedback.shipped_at > since, *_teaches(anonymous))
        .group_by(func.coalesce(Feedback.voice, ""), Prediction.text_hash)
        .subquery()
    )
    feedback = select(func.count(), func.max(words.c.shipped_at))
    one, other = connection.execute(labels).one(), connection.execute(feedback).one()
    arrivals: list[datetime | None] = [one[1], other[1]]
    return one[0] + other[0], max((at for at in arrivals if at is not None), default=None)


def _teaches(anonymous: bool) -> list[ColumnElement[bool]]:
    """Feedback, joined with its prediction, that a model may learn from."""
    named: list[ColumnElement[bool]] = [Feedback.label.is_not(None), COUNTED]
    return named if anonymous else [*named, Feedback.voice.is_not(None)]
