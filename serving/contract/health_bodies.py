"""Bodies of the routes under /health: whether this process answers, and the state of what it uses."""

from typing import Literal

from msgspec import Struct

from serving.contract.values import Moment


class DependencyStatus(Struct, frozen=True):
    """Last known state of something this process uses; it answers without any of them once a model is loaded."""

    status: Literal["ok", "down", "unknown", "unused"]
    checked_at: Moment | None = None
    message: str | None = None


class Health(Struct, frozen=True, kw_only=True):
    """`ready`: predictions can be answered now."""

    status: Literal["ready", "not_ready"]
    reason: str | None
    revision: int | None
    journal_backlog_records: int
    dependencies: dict[str, DependencyStatus]


class Alive(Struct, frozen=True):
    """The process runs and its event loop turns."""

    status: Literal["alive"] = "alive"
