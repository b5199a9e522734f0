"""SQL of label sets: their kind and licence, the files they came from, and how much is in them."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert

from sentiment_platform.errors import ConflictError
from sentiment_platform.store.tables import LabelImport, LabelRow, LabelSetRow

UNSTATED = "unstated"


@dataclass(frozen=True, slots=True)
class LabelSet:
    """A set of labels; `commercial_use` is None where it is not known."""

    name: str
    kind: str
    licence: str
    commercial_use: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedFile:
    """The provenance of labels: which file, read by what, and the fate of its rows (rule or reason -> rows)."""

    id: str
    label_set: str
    importer: str
    importer_version: int
    file_name: str
    file_digest: str
    rows_read: int
    rows_kept: int
    refused: dict[str, Any]
    left_out: dict[str, Any]
    imported_at: datetime


def ensure_label_set(connection: Connection, wanted: LabelSet) -> None:
    """Make the set, or make sure that it is the one that is there; a licence that was unstated may be stated later.

    Raises:
        ConflictError: the set is there under another kind or licence: what it was used for cannot change behind people's backs.
    """
    made = insert(LabelSetRow).values(asdict(wanted)).on_conflict_do_nothing().returning(LabelSetRow.name)
    if connection.execute(made).first():
        return
    known = label_sets(connection)[wanted.name]
    if known.kind != wanted.kind or (wanted.licence != known.licence and UNSTATED not in (wanted.licence, known.licence)):
        raise ConflictError(
            f"Label set {wanted.name!r} holds {known.kind} labels under {known.licence}, not {wanted.kind} under {wanted.licence}.",
            remedy="Import under another name (`--set`), or with the kind and licence that the set has.",
        )
    if wanted.licence != UNSTATED and known != wanted:
        changed = {"licence": wanted.licence, "commercial_use": wanted.commercial_use}
        connection.execute(update(LabelSetRow).where(LabelSetRow.name == wanted.name).values(changed))


def label_sets(connection: Connection) -> dict[str, LabelSet]:
    """Name -> set, in the order of the names."""
    table = LabelSetRow
    query = select(table.name, table.kind, table.licence, table.commercial_use).order_by(table.name)
    return {row.name: LabelSet(*row) for row in connection.execute(query)}


def label_counts(connection: Connection) -> list[tuple[str, str, int]]:
    """(label set, label, rows), sorted."""
    query = select(LabelRow.label_set, LabelRow.label, func.count()).group_by(LabelRow.label_set, LabelRow.label)
    return [(row[0], row[1], row[2]) for row in connection.execute(query.order_by(LabelRow.label_set, LabelRow.label))]


def stored_agreement(connection: Connection) -> dict[str, tuple[int, float]]:
    """Label set -> (labels that several annotators stand behind, mean share of those who agreed); sets without such labels are absent."""
    table = LabelRow
    query = select(table.label_set, func.count(table.agreement), func.avg(table.agreement))
    rows = connection.execute(query.where(table.agreement.is_not(None)).group_by(table.label_set))
    return {row[0]: (row[1], float(row[2])) for row in rows}


def write_import(connection: Connection, imported: ImportedFile) -> None:
    """Remember a file; the same file read again in the same way stays one row, as it was first."""
    connection.execute(insert(LabelImport).values(asdict(imported)).on_conflict_do_nothing())


def imported_files(connection: Connection, label_set: str | None = None) -> list[ImportedFile]:
    """The files of one set or of all, in the order of their import."""
    query = select(*[getattr(LabelImport, name) for name in ImportedFile.__dataclass_fields__])
    if label_set is not None:
        query = query.where(LabelImport.label_set == label_set)
    rows = connection.execute(query.order_by(LabelImport.imported_at, LabelImport.id))
    return [ImportedFile(**row) for row in rows.mappings()]
