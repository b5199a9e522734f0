"""The first answers of a version that took another one's place: it gives a share of them, and the version before gives the rest.

The watch after a swap judges them (`swap_watch`). With its first look that finds nothing, or after two minutes, the new version answers
all; where that finds something, it is left, and most units never met it. What a person chose answers all at once.
"""

import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from sentiment_platform.experiments.assignment import position
from serving.live.loading import LoadedVersion
from serving.live.snapshot import Snapshot
from serving.live.way_back import WayBack
from serving.predict.plan import Plan

LASTS_S = 120.0
"""Where too few texts come to judge it."""


@dataclass(frozen=True, slots=True)
class Trying:
    """A version that answers its share now: `before` answers the rest, for `left_s` seconds more at most."""

    before: str
    left_s: float


@dataclass(frozen=True, slots=True)
class _Canary:
    version: str
    before: str
    began: float


class Canaries:
    """One a family at most. Used from the event loop.

    Args:
        share: of the units; 0 switches it off.
        is_judged: (family, version) -> whether the watch has looked at it and let it be.
    """

    def __init__(
        self,
        way_back: WayBack,
        share: float,
        is_judged: Callable[[str, str], bool],
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.share = share
        self._way_back = way_back
        self._is_judged = is_judged
        self._now = now
        self._seen: Callable[[], Snapshot | None] = lambda: None
        self._versions: Mapping[str, str] = {}
        self._open: dict[str, _Canary] = {}

    def place(self, planned: Plan, live: Snapshot, unit: str) -> Plan:
        """`planned`, with the version before in the place of one that is tried, for the units that are not in its share.

        Who has an arm of an experiment keeps it.
        """
        if not self.share:
            return planned
        self._notice(live)
        champion = planned.second or planned.primary
        canary = self._open.get(champion.family)
        if canary is None or canary.version != champion.version or planned.assigned is not None:
            return planned
        before = self._before(canary, champion.family)
        if before is None or position(f"canary {canary.version}", unit) < self.share:
            return planned
        return replace(planned, **{"second" if planned.second else "primary": before})

    def trying(self, live: Snapshot) -> dict[str, Trying]:
        """Of each family whose version is tried."""
        if self.share:
            self._notice(live)
        trying = [(family, one) for family, one in list(self._open.items()) if self._before(one, family) is not None]
        return {family: Trying(one.before, LASTS_S - (self._now() - one.began)) for family, one in trying}

    def _before(self, canary: _Canary, family: str) -> LoadedVersion | None:
        """Who answers the rest; None, and the canary is over, where it was judged, took too long, or nobody is there."""
        before = self._way_back.ran_before(family)
        over = self._now() - canary.began > LASTS_S or self._is_judged(family, canary.version)
        if over or before is None or before.version != canary.before:
            self._open.pop(family, None)
            return None
        return before

    def _notice(self, live: Snapshot) -> None:
        if self._seen() is live:
            return
        # Weakly: whoever waits for an exchange must not hold what is unloaded for it.
        self._seen = weakref.ref(live)
        chosen = {selection.family for selection in live.selections}
        for family, version in live.versions.items():
            before = self._versions.get(family)
            if before == version:
                continue
            self._open.pop(family, None)
            if before is not None and family not in chosen and not live.deployment.by_person:
                self._open[family] = _Canary(version, before, self._now())
        self._versions = live.versions
