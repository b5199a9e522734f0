"""SQL of what people selected in serving, until a deployment answers it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert

from sentiment_platform.errors import ConflictError
from sentiment_platform.store.tables import SelectionRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedSelection:
    """A person's select or rollback: `version` shall be the champion of `family`.

    `default_family`: the family that shall answer where none is named; None leaves it. `expected_revision`: the deployment that it leaves.
    `restores`: of a rollback, what it goes back to.
    """

    request_id: str
    family: str
    version: str
    actor: str
    reason: str
    requested_at: datetime
    expected_revision: int | None = None
    restores: int | None = None
    default_family: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSelectionRequest(RequestedSelection):
    """One that no published revision covers yet and that was not refused."""

    id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSelection(RequestedSelection):
    """One with what became of it: published with a revision, refused, or neither yet; with both, that revision superseded it."""

    published_revision: int | None
    published_at: datetime | None
    refusal: str | None


def selections_page(connection: Connection, limit: int, offset: int) -> list[StoredSelection]:
    """`limit` requests behind the `offset` newest, newest first, whatever became of them."""
    query = select(*[getattr(SelectionRequest, name) for name in StoredSelection.__dataclass_fields__])
    query = query.order_by(SelectionRequest.id.desc()).limit(limit).offset(offset)
    return [StoredSelection(**row) for row in connection.execute(query).mappings()]


def request_selection(connection: Connection, selection: RequestedSelection, *, refusal: str | None = None) -> None:
    """Record a person's select or rollback, once per request id; with a `refusal` one that holds no more.

    Raises:
        ConflictError: another rollback leaves the same revision at this moment.
    """
    if not enter_selection(connection, selection, refusal=refusal) and selection.restores is not None:
        raise ConflictError(
            f"A rollback from revision {selection.expected_revision} was asked for at this moment.",
            remedy="Look at GET /models/selections and GET /models/status, and decide again.",
        )


def enter_selection(connection: Connection, selection: RequestedSelection, *, refusal: str | None = None) -> bool:
    """Enter a request, with a `refusal` one that holds no more; False where it, or another rollback of the revision, is there."""
    values = asdict(selection) | {"refusal": refusal}
    statement = insert(SelectionRequest).values(values).on_conflict_do_nothing().returning(SelectionRequest.id)
    return connection.execute(statement).first() is not None


def entered_requests(connection: Connection, ids: Sequence[str]) -> set[str]:
    """Those of these requests that are there, whatever became of them."""
    return set(connection.scalars(select(SelectionRequest.request_id).where(SelectionRequest.request_id.in_(ids))))


def open_selection_requests(connection: Connection, *, published_after: int | None = None) -> list[OpenSelectionRequest]:
    """Requests that were not refused and that no published revision covers yet, or one later than `published_after`, in the order in which they were decided: one may have been written late."""
    table = SelectionRequest
    query = select(*[getattr(table, name) for name in OpenSelectionRequest.__dataclass_fields__])
    uncovered = table.published_revision.is_(None) & table.refusal.is_(None)
    if published_after is not None:
        # Also what the later one superseded: until that is live, this answers.
        uncovered |= table.published_revision > published_after
    query = query.where(uncovered).order_by(table.requested_at, table.id)
    return [OpenSelectionRequest(**row) for row in connection.execute(query).mappings()]


def selected_by(connection: Connection, family: str, version: str, at: datetime, revision: int) -> str | None:
    """Who selected `version` before `at`, so that it answered under deployment `revision`, which does not name it; None: nobody did."""
    table = SelectionRequest
    query = select(table.actor).where(table.family == family, table.version == version, table.requested_at <= at)
    uncovered = table.published_revision.is_(None) | (table.published_revision > revision)
    return connection.execute(query.where(uncovered).order_by(table.requested_at.desc()).limit(1)).scalar()


def close_selection_requests(connection: Connection, ids: Sequence[int], revision: int, *, superseded: str | None = None) -> None:
    """These requests are published with `revision`; or it has something else in their place, which `superseded` says: then that is their refusal."""
    table = SelectionRequest
    settled = {"published_revision": revision, "published_at": func.now(), "refusal": superseded}
    connection.execute(update(table).where(table.id.in_(ids)).values(settled))


def refuse_selection_request(connection: Connection, request_id: str, reason: str) -> bool:
    """This request will not be published; False where it was settled before."""
    table = SelectionRequest
    still_open = (table.request_id == request_id, table.published_revision.is_(None), table.refusal.is_(None))
    return connection.execute(update(table).where(*still_open).values(refusal=reason).returning(table.id)).first() is not None
