"""Which texts a registered version has learned from, by id: no comparison may rest on them.

A version has learned from the train and validation parts of its training set, and from what every version that it goes back to learned.
A label set whose texts nobody can name is `seen_data`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from sentiment_platform.models.evaluation.seen_data import seen_by_starter, starter_data, starter_hashes
from sentiment_platform.store.training_sets import examples_not_held_out, is_stored
from sentiment_platform.store.versions import RegisteredVersion, get_version


class _Lineage(msgspec.Struct, frozen=True):
    start: str | None = None
    from_version: str | None = None


class _Origin(msgspec.Struct, frozen=True):
    lineage: _Lineage = _Lineage()


def learned_from(connection: Connection, version: RegisteredVersion, ids: Sequence[str]) -> set[str]:
    """Those of the texts `ids` that `version`, or a version that its training went on from, was trained or chosen on."""
    seen: set[str] = set()
    walked: set[str] = set()
    walk: RegisteredVersion | None = version
    while walk is not None and walk.version not in walked:
        walked.add(walk.version)
        seen |= examples_not_held_out(connection, walk.training_set, ids)
        seen |= seen_by_starter(walk.manifest.figures, ids)
        earlier = _went_on_from(walk.manifest.figures)
        walk = get_version(connection, earlier) if earlier else None
    return seen


def origins_not_known(connection: Connection, version: RegisteredVersion) -> list[str]:
    """Those of `version` and what its training went on from of which nobody here can say which texts they learned from.

    Their training set is not stored here, as where a release was entered from another database, and the platform ships no hashes of it.
    """
    unknown: list[str] = []
    walked: set[str] = set()
    name: str | None = version.version
    while name is not None and name not in walked:
        walked.add(name)
        walk = version if name == version.version else get_version(connection, name)
        if walk is None:
            return [*unknown, name]
        starter = starter_data(walk.manifest.figures)
        shipped = starter is not None and starter.training_set == walk.training_set == starter_hashes()[0]
        if not shipped and not is_stored(connection, walk.training_set):
            unknown.append(name)
        name = _went_on_from(walk.manifest.figures)
    return unknown


def _went_on_from(figures: Mapping[str, Any]) -> str | None:
    lineage = msgspec.convert(figures, _Origin).lineage
    return lineage.from_version if lineage.start == "champion" else None
