"""Body of GET /audit: who changed what, and when."""

from msgspec import Struct

from serving.contract.values import Moment, Value, Values

Detail = dict[str, Value | Values | list[Value]]
"""What lies deeper is written as JSON text."""


class AuditEntry(Struct, frozen=True, kw_only=True):
    """One act. `detail` is what was before and after, and why, in the words of the act; `hash` covers this entry and the one before it."""

    id: int
    at: Moment
    actor: str
    action: str
    subject: str
    detail: Detail
    previous_hash: str
    hash: str


class AuditTrail(Struct, frozen=True):
    """Acts, newest first. Entries are never changed; a hash that does not fit the entry before it shows that one was."""

    as_of: Moment
    entries: list[AuditEntry]
