"""Which versions stand against each other: what runs, and what is new in each family."""

from collections.abc import Sequence
from itertools import pairwise

import msgspec
from sqlalchemy import Connection

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.families import FAMILIES
from sentiment_platform.registry.deployment import Deployment
from sentiment_platform.store.deployments import deployments
from sentiment_platform.store.versions import all_versions


class Contenders(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`newest` and `champions` are family -> version; without a deployment there are no champions.

    Attributes:
        by_person: what runs is what a person asked for.
        revision: the deployment that is in force; 0 where nothing is deployed.
    """

    newest: dict[str, str]
    champions: dict[str, str]
    default_family: str | None
    by_person: bool
    revision: int

    def versions(self) -> list[str]:
        """Every version that the gate may weigh: what runs first, then what is new, without repetition; cheap families first."""
        named = [families[family] for families in (self.champions, self.newest) for family in sorted(families, key=by_cost)]
        return list(dict.fromkeys(named))


def by_cost(family: str) -> tuple[int, str]:
    """Sort key: the cheapest family first."""
    return (FAMILIES[family].cost, family)


def read_contenders(connection: Connection) -> Contenders:
    """What stands against each other now.

    What ran once and was replaced lost to something better, or somebody took it back. It returns by a person's word alone: where it is
    the newest of its family, the champion stands in for it. Versions of a family that this build does not know are left alone: nobody
    here could answer for them.

    Raises:
        PermanentError: a version of such a family runs.
    """
    newest: dict[str, str] = {}
    for version in all_versions(connection):
        if version.family in FAMILIES:
            newest.setdefault(version.family, version.version)
    history = [mirrored.document for mirrored in deployments(connection, limit=None)]
    deployed = history[0] if history else None
    champions = deployed.versions() if deployed else {}
    if unknown := [version for family, version in champions.items() if family not in FAMILIES]:
        raise PermanentError(
            f"{', '.join(unknown)} runs, of a family that this build does not know.",
            remedy="Compare with the build that has it, or put its entry into models/families.py.",
        )
    ran_before = {version for document in history for version in document.versions().values()}
    for family, version in list(newest.items()):
        if version in ran_before:
            del newest[family]
            newest |= {family: champions[family]} if family in champions else {}
    return Contenders(
        newest=newest,
        champions=champions,
        default_family=deployed.default_family if deployed else None,
        by_person=_chosen_by_person(history),
        revision=deployed.revision if deployed else 0,
    )


def _chosen_by_person(history: Sequence[Deployment]) -> bool:
    """Whether a person's word put there what runs, of deployments newest first. Starting an experiment chooses nothing that runs."""
    for document, before in pairwise(history):
        if not document.only_the_experiment_differs(before):
            return document.by_person
    return bool(history) and history[-1].by_person
