"""SQL of what people selected in serving, until a deployment answers it."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert

from sentiment_platform.store.tables import (
    SelectionRequest,
)


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
