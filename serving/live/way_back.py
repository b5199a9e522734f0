"""Where a rollback goes back to, and its versions held in memory: then a rollback by hand needs neither registry nor database."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from sentiment_platform.clock import Clock
from sentiment_platform.errors import ConflictError, PermanentError, PlatformError
from sentiment_platform.registry.deployment import Deployment
from sentiment_platform.registry.refusal import Refused
from sentiment_platform.registry.succession import rollback_target
from serving.live.loading import LoadedVersion
from serving.live.selections import Selection, Selections, require_no_rollback
from serving.live.snapshot import Facts, Snapshot
from serving.live.swap import LiveSlot

MAX_STEPS_BACK = 20
logger = logging.getLogger(__name__)


class WayBack:
    """The deployment before what is live. `hold` is for the registry thread; the rest may be asked anywhere."""

    def __init__(self, slot: LiveSlot, selections: Selections, announce: Callable[[Snapshot], object], *, clock: Clock) -> None:
        self._slot = slot
        self._selections = selections
        self._announce = announce
        self._clock = clock
        self._held_for: Facts | None = None

    def target(self, leaves: Facts | None, *, at_hand: bool = False) -> Deployment:
        """What a rollback from what answers, `leaves`, goes back to.

        Args:
            at_hand: ask no registry.

        Raises:
            ConflictError: there is none, or a rollback answers. TransientError: the registry is needed to read it, and away, or must not
            be asked.
        """
        if leaves is not None:
            require_no_rollback(leaves.selections, leaves.deployment)
        return self._earlier(leaves, at_hand=at_hand)

    def _earlier(self, live: Facts | None, *, at_hand: bool) -> Deployment:
        """The newest deployment before the live one that differs from what runs now; what a rollback left stays left."""
        left: list[str] = []

        def differs(document: Deployment) -> bool:
            if is_other := live is not None and live.is_changed_by(document):
                left.append(str(document.tag))
            return is_other

        back = rollback_target(self._newest_first(live.deployment, at_hand=at_hand), differs) if live else None
        if back is not None:
            return back
        if left:
            raise ConflictError(
                f"A rollback left each earlier deployment with other content ({', '.join(left)}), and none goes back there.",
                remedy="If a version of these shall answer again, select it with POST /models/select.",
            )
        raise ConflictError(
            "There is no earlier deployment with other content.", remedy="Select a version with POST /models/select."
        )

    def is_held(self, target: Deployment) -> bool:
        """Whether all that `target` brings back is in memory."""
        live = self._slot.current
        return live is not None and self._back_to(live, target, ()) is not None

    def before(self, family: str) -> LoadedVersion | None:
        """What a rollback would bring back of a family, if it is loaded and not what runs."""
        return self._slot.before(family)

    def ran_before(self, family: str) -> LoadedVersion | None:
        """What answered before the last swap, while it is loaded."""
        return self._slot.ran_before(family)

    def take(
        self, seen: Facts, target: Deployment, selections: Sequence[Selection], keep: Callable[[], object] = lambda: None
    ) -> bool:
        """Swap what `target` names in for what answers, `seen`, at once; False where something else answers, or not all is held.

        Args: keep: called once it answers, before anybody is told; where it raises, what answered before comes back.
        """
        before = self._slot.current
        after = self._slot.take(seen, lambda live: self._back_to(live, target, selections))
        if after is None or before is None:
            return False
        try:
            keep()
        except Exception:
            self._slot.take(after.facts, lambda _: before)
            raise
        # Telling may take a moment, and the event loop does not wait for it.
        asyncio.get_running_loop().run_in_executor(None, self._announce, after)
        return True

    def hold(self, *, cached_only: bool = False) -> None:
        """Have what a rollback would bring back loaded, once for each content; where that fails the next look tries again."""
        live = self._slot.current
        facts = live.facts if live else None
        gap = live.gap if live else None
        del live
        if facts is None or gap is not None or facts == self._held_for:
            return
        try:
            # Also while a rollback answers, after which there is none yet: it is the next one's.
            self._slot.hold(self._earlier(facts, at_hand=cached_only), cached_only=cached_only)
        except PermanentError as error:
            logger.info("no rollback is held ready: %s", error)
        except PlatformError as error:
            logger.info("no rollback is held ready yet: %s", error)
            return
        self._held_for = facts

    def _back_to(self, live: Snapshot, target: Deployment, selections: Sequence[Selection]) -> Snapshot | None:
        models, since = dict(live.models), dict(live.since)
        for family, named in target.champions.items():
            loaded = self._slot.loaded(named.version, named.manifest_digest)
            if loaded is None or live.gap is not None:
                return None
            if live.versions.get(family) != named.version:
                models[family], since[family] = loaded, self._clock()
        return replace(
            live,
            models=models,
            since=since,
            default_family=target.default_family,
            selections=tuple(self._selections.usable((*live.selections, *selections), live.deployment)),
        )

    def _newest_first(self, deployment: Deployment, *, at_hand: bool) -> Iterator[Deployment]:
        """`deployment`, then those before it, each read when it is asked for; at most `MAX_STEPS_BACK` numbers."""
        yield deployment
        for revision in range(deployment.revision - 1, max(0, deployment.revision - MAX_STEPS_BACK), -1):
            try:
                yield self._selections.deployment(revision, at_hand=at_hand)
            except Refused as refused:
                # A number that was left out, or a release that was deleted: the one before it counts.
                if refused.reason != "unpublished":
                    raise
