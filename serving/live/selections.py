"""What people selected on top of the deployment: which choice can be served, and which signed deployment vouches for it.

Not here: the rows of the database (`selection_requests`), the routes' use case (`manual_override`). For the registry thread alone.
"""

import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from sentiment_platform.errors import ConflictError, TransientError
from sentiment_platform.registry.cache import RegistryCache
from sentiment_platform.registry.deployment import Deployment
from sentiment_platform.registry.reader import RegistryReader
from sentiment_platform.registry.refusal import Refused

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """`version` shall be champion of `family`, and `default_family` answer /predict (None: whichever does): `actor` asked for it.

    `revision` is a deployment that names the version. `expected_revision`: the deployment that it was decided on; `restores`: of a
    rollback, what it goes back to.
    """

    request_id: str
    family: str
    version: str
    revision: int
    actor: str
    reason: str
    requested_at: datetime
    expected_revision: int | None = None
    restores: int | None = None
    default_family: str | None = None


class StaleRevision(ConflictError):
    """Another deployment than the one that a person saw is in force."""


def standing(selections: Iterable[Selection], deployment: Deployment) -> list[Selection]:
    """Without those that were decided on an earlier deployment than `deployment`: they do not stand over it."""
    return [one for one in selections if (one.expected_revision or deployment.revision) >= deployment.revision]


def merged(recorded: Sequence[Selection], unrecorded: Sequence[Selection]) -> list[Selection]:
    """Both in the order in which they were decided, each once."""
    known = {selection.request_id for selection in recorded}
    missing = [selection for selection in unrecorded if selection.request_id not in known]
    return sorted([*recorded, *missing], key=lambda selection: selection.requested_at)


def superseded(selections: Sequence[Selection], default_family: str | None) -> dict[str, Selection]:
    """Request id -> the later choice in its place, of those of `selections` (oldest first) that change nothing any more.

    Who wants the same version as somebody later is not superseded. A later rollback takes the place of an earlier one in any case.

    Args:
        default_family: that of the deployment below them. A choice whose version was replaced counts on while it decides another one.
    """
    by: dict[str, Selection] = {}
    for place, one in enumerate(selections):
        later = selections[place + 1 :]
        instead = next((other for other in reversed(later) if other.family == one.family), None)
        decides = one.default_family not in (None, default_family) and all(other.default_family is None for other in later)
        replaced = instead is not None and (instead.version != one.version or None not in (instead.restores, one.restores))
        if instead is not None and replaced and not decides:
            by[one.request_id] = instead
        else:
            default_family = one.default_family or default_family
    return by


def require_no_rollback(selections: Sequence[Selection], deployment: Deployment) -> None:
    """Pass where a rollback from `deployment`, with the standing `selections` on top, is possible: the newest of them is none.

    Raises:
        ConflictError: what an earlier rollback brought answers now.
    """
    newest = selections[-1] if selections else None
    if newest is None or newest.restores is None:
        return
    answering = {one.family: one.version for one in selections}
    left = [version for family, version in deployment.versions().items() if answering.get(family, version) != version]
    raise ConflictError(
        f"{newest.actor} rolled back from revision {deployment.revision} at {newest.requested_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC, "
        "and what that brought answers.",
        remedy=f"To leave that, select a version with POST /models/select{f' ({left[0]} is what was left)' if left else ''}; "
        "look at GET /models/status and decide again.",
    )


class Selections:
    """The choices that were given up, and the signed deployments that choices refer to."""

    def __init__(self, reader: RegistryReader | None, cache: RegistryCache | None = None) -> None:
        self._reader = reader
        self._cache = cache
        self._given_up: set[str] = set()
        self._deployments: dict[int, Deployment] = {}

    def usable(self, selections: Sequence[Selection], deployment: Deployment) -> list[Selection]:
        """Those that were neither given up, nor overtaken (decided on an earlier deployment than `deployment`), nor superseded."""
        stand = [one for one in standing(selections, deployment) if one.request_id not in self._given_up]
        gone = superseded(stand, deployment.default_family)
        return [one for one in stand if one.request_id not in gone]

    def give_up(self, selection: Selection) -> None:
        """It can never be served here: do not try again."""
        self._given_up.add(selection.request_id)

    def remember(self, deployment: Deployment) -> None:
        """Keep a verified deployment at hand, so that going back to it needs no registry."""
        self._deployments[deployment.revision] = deployment

    def manifest_digest(self, selection: Selection) -> str:
        """The manifest digest under which a signed deployment names the version.

        Raises:
            Refused: its revision does not name it. TransientError: the registry is needed to read it, and away.
        """
        at_hand = (deployment for deployment in tuple(self._deployments.values()) if selection.version in deployment.models())
        named = (next(at_hand, None) or self.deployment(selection.revision)).models()
        if selection.version in named:
            return named[selection.version]
        raise Refused(
            f"Revision {selection.revision} does not name {selection.version}.",
            reason="wrong_model",
            remedy="Select a version that was deployed before.",
        )

    def deployment(self, revision: int, *, at_hand: bool = False) -> Deployment:
        """The verified deployment of `revision`, from memory or, unless it has to be `at_hand`, the registry.

        Raises:
            Refused: there is none. TransientError: the registry is needed to read it, and away.
        """
        if revision not in self._deployments:
            if self._reader is None or at_hand:
                raise TransientError(f"Revision {revision} is not at hand.", remedy="Configure the registry.")
            document, data, signature = self._reader.signed_deployment(revision)
            self.remember(document)
            if self._cache is not None:
                with suppress(OSError):
                    # So that going back to it needs no registry after a restart either.
                    self._cache.keep_signed(document, data, signature)
        return self._deployments[revision]


def log_choice(action: str, selections: Sequence[Selection]) -> None:
    """One line that names who chose which versions, and why; for whoever looks at the log for what changed."""
    asked = selections[0]
    logger.warning("%s by %s: %s (%s)", action, asked.actor, ", ".join(one.version for one in selections), asked.reason)
