"""Versions in memory: what answers, what ran before, what was tried and what a rollback would bring back; and room for one more.

Loading fetches, verifies and tries (`loading`). Which of them answer: `swap`.
"""

import logging
import weakref

from sentiment_platform.clock import Clock
from sentiment_platform.errors import PermanentError
from sentiment_platform.registry.deployment import Deployment
from serving.live.bridging import bridge, wait_until_gone
from serving.live.loading import LoadedVersion, ModelLoader
from serving.live.memory import FreeMemory, fits
from serving.live.model_cost import expected_mb
from serving.live.snapshot import Snapshot
from serving.metrics import Metrics

logger = logging.getLogger(__name__)


class Shelf:
    """What is loaded, in whatever role.

    Args:
        free: how much memory there is.
    """

    def __init__(self, loader: ModelLoader, metrics: Metrics, *, clock: Clock, free: FreeMemory) -> None:
        self._loader = loader
        self._metrics = metrics
        self._clock = clock
        self._free = free
        self._previous: Snapshot | None = None
        self._tried: LoadedVersion | None = None
        self._ready: list[LoadedVersion] = []
        self.current: Snapshot | None = None

    def tried(self, family: str, version: str, manifest_digest: str, *, cached_only: bool = False) -> LoadedVersion:
        """A version that no deployment named, fetched, verified, loaded and tried; it is kept for the moment when one does.

        Raises:
            Refused, ModelRefused, TransientError: as `assemble`.
        """
        loaded = self.loaded(version, manifest_digest) or self._load(family, version, manifest_digest, cached_only=cached_only)
        self._tried = loaded
        return loaded

    def hold(self, target: Deployment, *, cached_only: bool = False) -> None:
        """Have the champions of `target` loaded beside what runs, where there is room.

        Raises:
            Refused, ModelRefused, TransientError: as `assemble`. PermanentError: there is no room.
        """
        self._ready = [
            self.loaded(named.version, named.manifest_digest)
            or self._load(family, named.version, named.manifest_digest, cached_only=cached_only, makes_room=False)
            for family, named in target.champions.items()
        ]

    def loaded_digests(self) -> set[str]:
        """Manifest digests of all that runs or ran just before."""
        held = {digest for live in (self.current, self._previous) if live for digest in live.loaded}
        return held | {model.manifest_digest for model in self._ready}

    def forget_all_but(self, digests: set[str]) -> None:
        """Keep no verdict of a trial on other versions than these."""
        self._loader.forget_all_but(digests)

    def _load(
        self, family: str, version: str, manifest_digest: str, *, cached_only: bool, makes_room: bool = True
    ) -> LoadedVersion:
        # What a neighbour fetches and tries meanwhile needs neither here; and two do not take the room of one.
        with self._loader.machine.alone():
            before = self.current.models.get(family) if self.current else None
            manifest = self._loader.prepare(family, version, manifest_digest, cached_only=cached_only)
            before_ms = before.cost.latency_ms if before else None
            del before
            self._make_room(family, expected_mb(manifest), version, unloads=makes_room)
            return self._loader.load(manifest, manifest_digest, before_ms=before_ms)

    def _make_room(self, family: str, needed_mb: float, version: str, *, unloads: bool) -> None:
        """Let go of what is only kept for a way back, then of the version whose place is taken.

        Raises:
            PermanentError: it does not fit, and nothing may be unloaded for it.
        """
        if fits(needed_mb, self._free()):
            return
        kept = [*(self._previous.loaded.values() if self._previous else ()), *self._ready]
        if kept:
            going = [weakref.ref(model.model) for model in kept if model is not self._held_now(model)]
            self._previous, self._ready = None, []
            del kept
            wait_until_gone(going)
        free, live = self._free(), self.current
        if fits(needed_mb, free) or live is None:
            return
        why = f"{version} needs {needed_mb:.0f} MiB and {free:.0f} MiB are free"
        if not unloads:
            raise PermanentError(f"{why}: it does not fit beside the champions.", remedy="Give the process more memory.")
        bridged, going = bridge(live, family, why, self._clock())
        if bridged is None:
            return
        del live
        self.current = bridged
        self._metrics.gaps.inc()
        logger.warning("%s", why)
        wait_until_gone(going)

    def before(self, family: str) -> LoadedVersion | None:
        """What a rollback would bring back of a family, if it is loaded and not what runs."""
        running = self.current.models.get(family) if self.current else None
        ready = (model for model in self._ready if model.family == family)
        return next((model for model in ready if running is None or model.manifest_digest != running.manifest_digest), None)

    def ran_before(self, family: str) -> LoadedVersion | None:
        """What answered before the last swap, while it is loaded."""
        return self._previous.models.get(family) if self._previous else None

    def _held_now(self, model: LoadedVersion) -> LoadedVersion | None:
        return self.current.loaded.get(model.manifest_digest) if self.current else None

    def _held(self) -> dict[str, LoadedVersion]:
        """Manifest digest -> version, of all that is loaded."""
        held = {model.manifest_digest: model for model in self._ready}
        held |= {digest: model for live in (self._previous, self.current) if live for digest, model in live.loaded.items()}
        return held | ({self._tried.manifest_digest: self._tried} if self._tried else {})

    def loaded(self, version: str, manifest_digest: str) -> LoadedVersion | None:
        """A version that is in memory, in whatever role."""
        loaded = self._held().get(manifest_digest)
        return loaded if loaded is not None and loaded.version == version else None
