"""Choices of people that answered here and that a swap ends although nobody answers what they asked for."""

from dataclasses import dataclass
from datetime import datetime

from serving.live.selections import Selection
from serving.live.snapshot import Facts


@dataclass(frozen=True, slots=True)
class Overtaken:
    """A choice that answered until `revision` came, which was decided later, or until the graph refused it."""

    selection: Selection
    at: datetime
    revision: int


def overtaken_by(after: Facts, before: Facts | None, at: datetime) -> list[Overtaken]:
    """Those of `before` that `after` neither has nor answers with what they asked for; a later choice of the family is no such end."""
    kept = {selection.request_id for selection in after.selections}
    chosen = {selection.family for selection in after.selections}
    return [
        Overtaken(selection, at, after.deployment.revision)
        for selection in (before.selections if before else ())
        if selection.request_id not in kept
        and selection.family not in chosen
        and (selection.version, selection.default_family or after.default_family)
        != (after.versions.get(selection.family), after.default_family)
    ]
