"""Which swap is watched, and what may be done about it: from the deployments alone, a pure function."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal

from sentiment_platform.registry.deployment import Deployment
from sentiment_platform.store.deployments import MirroredDeployment

WATCHED_FOR = timedelta(hours=1)
COOL_DOWN = timedelta(hours=24)

Response = Literal["roll back", "warn"]


@dataclass(frozen=True, kw_only=True)
class Swap:
    """`version` took the place of `before` in its family with the deployment `document`; `leaves_to` is what ran before that.

    Attributes:
        response: what a reason to go back leads to; `why` says why it is a warning alone.
    """

    version: str
    before: str
    document: Deployment
    at: datetime
    leaves_to: Deployment
    running: Deployment
    response: Response
    why: str = ""

    @property
    def ends_at(self) -> datetime:
        """When its watch ends at the latest."""
        return self.at + WATCHED_FOR


def watched_swaps(history: Sequence[MirroredDeployment], now: datetime) -> list[Swap]:
    """The swaps of the last hour whose version still runs, each family's newest; `history` is newest first.

    A deployment that went back is not watched: it was chosen because what it left was worse.
    """
    if not history:
        return []
    running = history[0].document
    swaps: list[Swap] = []
    for family, version in sorted(running.versions().items()):
        for newer, older in pairwise(history):
            before = older.document.versions().get(family)
            if before == version:
                continue
            if (
                before is not None
                and newer.document.rule != "rollback"
                and newer.published_at <= now <= newer.published_at + WATCHED_FOR
            ):
                swaps.append(_swap(version, before, newer, older.document, running, history, now))
            break
    return swaps


def _swap(
    version: str,
    before: str,
    newer: MirroredDeployment,
    older: Deployment,
    running: Deployment,
    history: Sequence[MirroredDeployment],
    now: datetime,
) -> Swap:
    document = newer.document
    automatic = [one for one in history if one.document.sent_back]
    why = ""
    if document.rule == "manual":
        why = f"{document.actor} chose it by hand: a person's choice is not undone"
    elif any(one.document.sent_back == version for one in automatic):
        why = "it was sent back once already, and that happens once a version"
    elif automatic and now - automatic[0].published_at < COOL_DOWN:
        hours = COOL_DOWN.total_seconds() / 3600
        why = f"{automatic[0].document.tag} went back by itself less than {hours:.0f} hours ago"
    return Swap(
        version=version,
        before=before,
        document=document,
        at=newer.published_at,
        leaves_to=older,
        running=running,
        response="warn" if why else "roll back",
        why=why,
    )
