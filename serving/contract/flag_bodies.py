"""Bodies of the routes under /flags: the switches, and a person's change of one."""

from typing import Annotated

from msgspec import Meta, Struct

from serving.contract.model_bodies import Reason
from serving.contract.values import Moment, Replica


class FlagShown(Struct, frozen=True, kw_only=True):
    """One switch: what it allows, and who turned it last; `revision` 0: nobody ever did."""

    name: str
    allows: str
    enabled: bool
    revision: int
    reason: str | None
    actor: str | None
    changed_at: Moment | None


class FlagAnswer(FlagShown, frozen=True, kw_only=True):
    """The switch as it stands after the change; of a dry run as it would stand: nothing was changed."""

    dry_run: bool


class FlagList(Struct, frozen=True):
    """Every switch, as the database has it, and what the process that answers goes by (`here`: name -> on), which it always tells.

    `flags` is null while the database does not tell them, and `missing` says why.
    """

    flags: list[FlagShown] | None
    here: dict[str, bool]
    replica: Replica
    missing: str | None = None


class FlagRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Turn a switch; every process goes by it within 2 seconds."""

    enabled: bool
    reason: Reason
    expected: Annotated[bool, Meta(description="Refuse (409) unless it is so now.")] | None = None
    dry_run: Annotated[bool, Meta(description="Answer how the switch would stand, but change nothing.")] = False
