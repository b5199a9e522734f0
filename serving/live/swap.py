"""The atomic swap: a snapshot is assembled whole, then one assignment makes it what answers.

Assembling fetches, verifies, loads and tries what is not loaded yet (`loading`); any failure leaves what runs alone. Written by the
registry thread alone; anybody reads `current`, one immutable value.
"""

import logging
import weakref
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from sentiment_platform.clock import Clock
from sentiment_platform.errors import PermanentError, PlatformError
from sentiment_platform.registry.deployment import Deployment
from serving.live.beside import beside_of, is_complete, load_beside
from serving.live.bridging import bridge, wait_until_gone
from serving.live.loading import LoadedVersion, ModelLoader
from serving.live.memory import FreeMemory, fits, free_mb
from serving.live.model_cost import expected_mb
from serving.live.selections import Selection, Selections
from serving.live.snapshot import Snapshot
from serving.metrics import Metrics

logger = logging.getLogger(__name__)


class LiveSlot:
    """The place of what is live (`current`, None at first); it remembers what was live before and which version was tried last.

    Args:
        announce: called with what is live after each swap; must not raise.
        free: how much memory there is.
    """

    def __init__(
        self,
        loader: ModelLoader,
        selections: Selections,
        metrics: Metrics,
        announce: Callable[[Snapshot], object],
        *,
        clock: Clock,
        free: FreeMemory = free_mb,
    ) -> None:
        self._loader = loader
        self._selections = selections
        self._metrics = metrics
        self._announce = announce
        self._clock = clock
        self._free = free
        self._previous: Snapshot | None = None
        self._tried: LoadedVersion | None = None
        self.current: Snapshot | None = None

    def assemble(self, deployment: Deployment, selections: Sequence[Selection], *, cached_only: bool = False) -> Snapshot:
        """The snapshot of `deployment` with `selections` on top; nothing is live yet. The newest selection that names a default family decides it.

        Raises:
            Refused, ModelRefused, TransientError: one of the versions cannot be served, or not now.
        """
        champions = {family: (named.version, named.manifest_digest) for family, named in deployment.champions.items()}
        default = deployment.default_family
        models: dict[str, LoadedVersion] = {}
        for selection in selections:
            champions.pop(selection.family, None)
            models[selection.family] = self._selected(selection, cached_only=cached_only)
            default = selection.default_family or default
        for family, (version, manifest_digest) in champions.items():
            loaded = self._loaded(version, manifest_digest)
            models[family] = loaded or self._load(family, version, manifest_digest, cached_only=cached_only)
        loaded = {model.manifest_digest: model for model in models.values()}
        absent = self.current.beside.absent if self.current and self.current.deployment == deployment else {}
        beside = beside_of(deployment, self._held() | loaded, absent)
        return Snapshot(
            deployment=deployment,
            models=models,
            since=self._since(models),
            default_family=default,
            selections=tuple(selections),
            beside=beside,
        )

    def assemble_usable(self, deployment: Deployment, selections: Sequence[Selection], *, cached_only: bool = False) -> Snapshot:
        """`assemble`, leaving out selections that cannot be served: one bad choice must not hold up a deployment."""
        usable: list[Selection] = []
        for selection in selections:
            try:
                self._selected(selection, cached_only=cached_only)
            except PlatformError as error:
                logger.warning("selection of %s left out: %s", selection.version, error)
                # What the disk lacks, the registry may have.
                if isinstance(error, PermanentError) and not cached_only:
                    self._selections.give_up(selection)
            else:
                usable.append(selection)
        return self.assemble(deployment, usable, cached_only=cached_only)

    def tried(self, family: str, version: str, manifest_digest: str, *, cached_only: bool = False) -> LoadedVersion:
        """A version that no deployment named, fetched, verified, loaded and tried; it is kept for the moment when one does.

        Raises:
            Refused, ModelRefused, TransientError: as `assemble`.
        """
        loaded = self._loaded(version, manifest_digest) or self._load(family, version, manifest_digest, cached_only=cached_only)
        self._tried = loaded
        return loaded

    def swap(self, live: Snapshot) -> None:
        """From now on `live` answers; requests that hold the snapshot before finish with it."""
        if self.current is not None:
            self._previous = self.current if self.current.gap is None else None
        self.current = live
        self._tried = None
        self._selections.remember(live.deployment)
        self._metrics.show_live(live.deployment.revision, live.versions)
        logger.info("revision %d is live: %s", live.deployment.revision, ", ".join(live.versions.values()))
        self._announce(live)

    def loaded_digests(self) -> set[str]:
        """Manifest digests of all that runs or ran just before."""
        return {digest for live in (self.current, self._previous) if live for digest in live.loaded}

    def forget_all_but(self, digests: set[str]) -> None:
        """Keep no verdict of a trial on other versions than these."""
        self._loader.forget_all_but(digests)

    def _since(self, models: Mapping[str, LoadedVersion]) -> dict[str, datetime]:
        """A version that answers already goes on; one that comes back begins anew, though it was kept loaded."""
        now, live = self._clock(), self.current
        running = live.versions if live else {}
        return {
            family: live.since[family] if live and running.get(family) == model.version else now
            for family, model in models.items()
        }

    def complete(self, *, cached_only: bool = False) -> None:
        """Load what the deployment names beside its champions and is not there yet; what fails is said in the snapshot."""
        live = self.current
        if live is None or live.gap is not None or is_complete(live.deployment, live.beside):
            return

        def load(family: str, version: str, manifest_digest: str) -> LoadedVersion:
            return self._load(family, version, manifest_digest, cached_only=cached_only, makes_room=False)

        beside = load_beside(live.deployment, self._held(), live.beside, load, is_final=not cached_only)
        for version, absent in beside.absent.items():
            if version not in live.beside.absent:
                logger.warning("%s does not answer beside the champions: %s", version, absent.why)
        self.current = replace(live, beside=beside)

    @contextmanager
    def exchange(self) -> Generator[None]:
        """Around assembling and swapping: what was unloaded to make room comes back where nothing was swapped in."""
        try:
            yield
        finally:
            self.restore()

    def restore(self) -> None:
        """Load again what a gap was made for; without a gap nothing happens."""
        live = self.current
        gap = live.gap if live else None
        if live is None or gap is None:
            return
        self._tried = None
        try:
            manifest = self._loader.prepare(gap.family, gap.version, gap.manifest_digest, cached_only=True)
            back = self._loader.load(manifest, gap.manifest_digest)
        except PlatformError as error:
            logger.error("%s was unloaded to make room and does not come back yet: %s", gap.version, error)
            return
        models = {**live.models, gap.family: back}
        default = gap.family if gap.was_default else live.default_family
        since = {**live.since, gap.family: self._clock()}
        self.current = replace(live, models=models, since=since, default_family=default, gap=None)
        self._metrics.show_live(live.deployment.revision, self.current.versions)

    def _load(
        self, family: str, version: str, manifest_digest: str, *, cached_only: bool, makes_room: bool = True
    ) -> LoadedVersion:
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
        if self._previous is not None:
            going = [weakref.ref(model.model) for model in self._previous.loaded.values() if model is not self._held_now(model)]
            self._previous = None
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

    def _held_now(self, model: LoadedVersion) -> LoadedVersion | None:
        return self.current.loaded.get(model.manifest_digest) if self.current else None

    def _held(self) -> dict[str, LoadedVersion]:
        """Manifest digest -> version, of all that is loaded."""
        held = {digest: model for live in (self._previous, self.current) if live for digest, model in live.loaded.items()}
        return held | ({self._tried.manifest_digest: self._tried} if self._tried else {})

    def _selected(self, selection: Selection, *, cached_only: bool) -> LoadedVersion:
        manifest_digest = self._selections.manifest_digest(selection)
        loaded = self._loaded(selection.version, manifest_digest)
        return loaded or self.tried(selection.family, selection.version, manifest_digest, cached_only=cached_only)

    def _loaded(self, version: str, manifest_digest: str) -> LoadedVersion | None:
        loaded = self._held().get(manifest_digest)
        return loaded if loaded is not None and loaded.version == version else None
