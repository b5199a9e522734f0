"""Body of GET /models/selections: what people selected, what became of it, and which replicas answer with what."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from serving.contract.values import Moment, Replica


class RecordedSelection(Struct, frozen=True, kw_only=True):
    """A person's select or rollback. `open`: it answers here (a promotion waits), and the graph has not published it yet. `refusal`: why it never
    will be, such as by which later request it was superseded.

    `default_family`: the family that it makes the default; null leaves that as it is.
    """

    request_id: str
    state: Literal["open", "published", "refused"]
    family: str
    version: str
    default_family: str | None
    actor: str
    reason: str
    requested_at: Moment
    published_revision: int | None
    published_at: Moment | None
    refusal: str | None


class ReplicaAnswer(Struct, frozen=True, kw_only=True):
    """The newest answer of one family by one serving process, as far as it has reached the database."""

    replica: Replica
    family: str
    version: str
    revision: Annotated[int, Meta(description="The deployment that was in force there.")]
    answered_at: Moment


class SelectionsAnswer(Struct, frozen=True, kw_only=True):
    """Selections, newest first, and the replicas that answered since `replicas_since`: one that was not asked is not here."""

    as_of: Moment
    selections: list[RecordedSelection]
    replicas_since: Moment
    replicas: list[ReplicaAnswer]
