"""The atomic swap: a snapshot is assembled whole, then one assignment makes it what answers.

Assembling fetches, verifies, loads and tries what is not loaded yet (`loading`); any failure leaves what runs alone. The registry
thread writes, and a rollback by hand, at once; anybody reads `current`, one immutable value.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from sentiment_platform.clock import Clock
from sentiment_platform.errors import PermanentError, PlatformError
from sentiment_platform.registry.deployment import Deployment
from serving.live.beside import beside_of, is_complete, load_beside
from serving.live.loading import LoadedVersion, ModelLoader
from serving.live.memory import FreeMemory, free_mb
from serving.live.overtaken import Overtaken, overtaken_by
from serving.live.selections import Selection, Selections
from serving.live.shelf import Shelf
from serving.live.snapshot import Facts, Snapshot
from serving.metrics import Metrics

logger = logging.getLogger(__name__)


class LiveSlot(Shelf):
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
        super().__init__(loader, metrics, clock=clock, free=free)
        self._selections = selections
        self._announce = announce
        self._swapping = threading.Lock()
        self.overtaken: deque[Overtaken] = deque(maxlen=10)

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
            default = selection.default_family or default
        for family, selection in {selection.family: selection for selection in selections}.items():
            models[family] = self._selected(selection, cached_only=cached_only)
        for family, (version, manifest_digest) in champions.items():
            loaded = self.loaded(version, manifest_digest)
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

    def swap(self, live: Snapshot, *, over: Facts | None = None) -> bool:
        """From now on `live` answers; requests that hold the snapshot before finish with it.

        Args:
            over: only where this is what answers, or did until it was unloaded to make room; else nothing changes, and it returns False.
        """
        with self._swapping:
            if over is not None and (self.current is None or self.current.facts.decided != over.decided):
                return False
            self._put(live)
        self._tried = None
        self._selections.remember(live.deployment)
        self._metrics.show_live(live.deployment.revision, live.versions)
        logger.info("revision %d is live: %s", live.deployment.revision, ", ".join(live.versions.values()))
        self._announce(live)
        return True

    def take(self, over: Facts, change: Callable[[Snapshot], Snapshot | None]) -> Snapshot | None:
        """Swap in what `change` makes of what answers, which must be `over`, at once and from any thread; it is not announced.

        Returns None, and nothing is changed, where something else answers, or `change` makes nothing.
        """
        with self._swapping:
            live = self.current
            after = change(live) if live is not None and live.facts == over else None
            if after is not None:
                self._put(after)
        if after is not None:
            self._metrics.show_live(after.deployment.revision, after.versions)
        return after

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
        with self._swapping:
            now = self.current
            if now is not None and now.deployment == live.deployment:
                self.current = replace(now, beside=beside)

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
            with self._loader.machine.alone():
                manifest = self._loader.prepare(gap.family, gap.version, gap.manifest_digest, cached_only=True)
                back = self._loader.load(manifest, gap.manifest_digest)
        except PlatformError as error:
            logger.error("%s was unloaded to make room and does not come back yet: %s", gap.version, error)
            return
        models = {**live.models, gap.family: back}
        default = gap.family if gap.was_default else live.default_family
        since = {**live.since, gap.family: self._clock()}
        restored = replace(live, models=models, since=since, default_family=default, gap=None)
        with self._swapping:
            if self.current is not live:
                return
            self.current = restored
        self._metrics.show_live(live.deployment.revision, restored.versions)

    def _selected(self, selection: Selection, *, cached_only: bool) -> LoadedVersion:
        manifest_digest = self._selections.manifest_digest(selection)
        loaded = self.loaded(selection.version, manifest_digest)
        return loaded or self.tried(selection.family, selection.version, manifest_digest, cached_only=cached_only)

    def _put(self, live: Snapshot) -> None:
        before = self.current
        self.overtaken += overtaken_by(live.facts, before.facts if before else None, self._clock())
        if before is not None:
            self._previous = before if before.gap is None else None
        self.current = live
