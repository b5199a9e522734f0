"""Take what was read into the `labels` table: linked with the articles that were collected, with its set, licence and file."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import cast

from sqlalchemy import Connection, Engine

from sentiment_platform.labels.examples import ANONYMOUS, FEEDBACK_SET, LabelledExample, RawLabel
from sentiment_platform.labels.licences import commercial_use
from sentiment_platform.labels.quality import RefusedLabel, judge_labels
from sentiment_platform.labels.report import IMPORTER_VERSION, ImportReport
from sentiment_platform.store.label_sets import ImportedFile, LabelSet, ensure_label_set, write_import
from sentiment_platform.store.labels import articles_by_title, articles_by_url, labelled_feedback, write_labels
from sentiment_platform.store.payloads import payload_id, storable
from sentiment_platform.store.quarantine import Boundary, QuarantinedItem, insert_quarantine, refused_row, release
from sentiment_platform.text.normalise import normalise, text_hash
from sentiment_platform.text.sentiment import Label

BOUNDARY: Boundary = "labels"


@dataclass(frozen=True, slots=True)
class TakenIn:
    """How many labels were new or changed, and how many rows went into quarantine."""

    changed: int
    refused: int


def import_report(engine: Engine, report: ImportReport, *, run_id: str, now: datetime) -> TakenIn:
    """Store a file's labels, its refused rows and where they came from, in one transaction; again, it changes nothing.

    A row that was refused before and is not any more leaves quarantine.

    Raises:
        ConflictError: the set is there under another kind or licence.
    """
    refused = [_quarantined(one, report.label_set, run_id, now) for one in report.refused]
    imported = _imported_file(report, now)
    with engine.begin() as connection:
        _ensure_set(connection, report.examples)
        write_import(connection, imported)
        insert_quarantine(connection, refused)
        sound = [*report.payloads, *report.unlabelled]
        release(connection, [payload_id(BOUNDARY, report.label_set, storable(row)) for row in sound], now)
        return TakenIn(_write(connection, report.examples, imported.id), len(refused))


def import_labels(engine: Engine, examples: Sequence[LabelledExample]) -> int:
    """Store examples that were made by the caller and come from no file; importing them again changes nothing.

    Returns:
        How many labels were new or changed.
    """
    with engine.begin() as connection:
        _ensure_set(connection, examples)
        return _write(connection, examples, None)


def import_feedback(engine: Engine, *, run_id: str, now: datetime, anonymous: bool = False) -> TakenIn:
    """The last word of each voice on each text becomes a label of set `feedback`; the words before it stay in table `feedback`.

    A label is dated by its text, that is by when it was answered, and not by when somebody spoke of it. `anonymous`: what came
    without a valid key becomes labels too, as the words of one voice.
    """
    with engine.connect() as connection:
        words = labelled_feedback(connection, anonymous=anonymous)
    raw = [
        RawLabel(
            text=(content := normalise(word.text)),
            label=word.label,
            annotator=word.voice or ANONYMOUS,
            external_id=text_hash(content)[:32],
            labelled_at=word.said_at,
            published_at=word.answered_at,
            payload={"voice": word.voice or ANONYMOUS, "text": content, "label": word.label},
        )
        for word in words
    ]
    kept, refused = judge_labels(raw)
    examples = [
        LabelledExample(
            label_set=FEEDBACK_SET,
            external_id=str(row.external_id),
            text=str(row.text),
            label=cast(Label, row.label),
            annotator=str(row.annotator),
            licence="feedback",
            published_at=row.published_at,
            labelled_at=row.labelled_at,
            kind="feedback",
        )
        for row in kept
    ]
    with engine.begin() as connection:
        _ensure_set(connection, examples)
        insert_quarantine(connection, [_quarantined(one, FEEDBACK_SET, run_id, now) for one in refused])
        return TakenIn(_write(connection, examples, None), len(refused))


def _ensure_set(connection: Connection, examples: Sequence[LabelledExample]) -> None:
    for name, kind, licence in sorted({(example.label_set, example.kind, example.licence) for example in examples}):
        ensure_label_set(connection, LabelSet(name, kind, licence, commercial_use(licence)))


def _write(connection: Connection, examples: Sequence[LabelledExample], import_id: str | None) -> int:
    by_url = articles_by_url(connection, [example.url for example in examples if example.url])
    by_title = articles_by_title(connection, [example.text for example in examples])
    records = [
        {
            "id": text_hash(f"{example.label_set} {example.external_id} {example.annotator}")[:32],
            "label_set": example.label_set,
            "external_id": example.external_id,
            "annotator": example.annotator,
            "text": example.text,
            "text_hash": text_hash(example.text),
            "label": example.label,
            "weight": example.weight,
            "score": example.score,
            "agreement": example.agreement,
            "labelled_at": example.labelled_at,
            "article_id": by_url.get(example.url or "") or by_title.get(example.text),
            "import_id": import_id,
            "published_at": example.published_at,
        }
        for example in examples
    ]
    return write_labels(connection, records)


def _imported_file(report: ImportReport, now: datetime) -> ImportedFile:
    rules: dict[str, int] = {}
    for one in report.refused:
        rules[one.rule] = rules.get(one.rule, 0) + 1
    identity = f"{report.label_set} {report.importer} {IMPORTER_VERSION} {report.file_digest}"
    return ImportedFile(
        id=sha256(identity.encode()).hexdigest()[:32],
        label_set=report.label_set,
        importer=report.importer,
        importer_version=IMPORTER_VERSION,
        file_name=report.file_name,
        file_digest=report.file_digest,
        rows_read=report.rows,
        rows_kept=len(report.examples),
        refused=rules,
        left_out=dict(report.left_out),
        imported_at=now,
    )


def _quarantined(refused: RefusedLabel, label_set: str, run_id: str, now: datetime) -> QuarantinedItem:
    return refused_row(BOUNDARY, label_set, refused.row.payload, rule=refused.rule, detail=refused.detail, run_id=run_id, now=now)
