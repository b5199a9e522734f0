"""The atomic swap: a snapshot is assembled whole, then one assignment makes it what answers.

Assembling fetches, verifies, loads and tries what is not loaded yet (`loading`); any failure leaves what runs alone. Written by the
registry thread alone; anybody reads `current`, one immutable value.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from sentiment_platform.clock import Clock
from sentiment_platform.errors import PermanentError, PlatformError
from sentiment_platform.registry.deployment import Deployment
from serving.live.loading import LoadedVersion, ModelLoader
from serving.live.selections import Selection, Selections
from serving.live.snapshot import Snapshot
from serving.metrics import Metrics

logger = logging.getLogger(__name__)


class LiveSlot:
    """The place of what is live (`current`, None at first); it remembers what was live before and which version was tried last.

    Args:
        announce: called with what is live after each swap; must not raise.
    """

    def __init__(
        self,
        loader: ModelLoader,
        selections: Selections,
        metrics: Metrics,
        announce: Callable[[Snapshot], object],
        *,
        clock: Clock,
    ) -> None:
        self._loader = loader
        self._selections = selections
        self._metrics = metrics
        self._announce = announce
        self._clock = clock
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
        return Snapshot(deployment, models, self._since(models), default, tuple(selections))

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
        self._previous = self.current if self.current is not None else self._previous
        self.current = live
        self._tried = None
        self._selections.remember(live.deployment)
        self._metrics.show_live(live.deployment.revision, live.versions)
        logger.info("revision %d is live: %s", live.deployment.revision, ", ".join(live.versions.values()))
        self._announce(live)

    def loaded_digests(self) -> set[str]:
        """Manifest digests of all that runs or ran just before."""
        return {model.manifest_digest for live in (self.current, self._previous) if live for model in live.models.values()}

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

    def _load(self, family: str, version: str, manifest_digest: str, *, cached_only: bool) -> LoadedVersion:
        before = self.current.models.get(family) if self.current else None
        return self._loader.load(family, version, manifest_digest, cached_only=cached_only, before=before)

    def _selected(self, selection: Selection, *, cached_only: bool) -> LoadedVersion:
        manifest_digest = self._selections.manifest_digest(selection)
        loaded = self._loaded(selection.version, manifest_digest)
        return loaded or self.tried(selection.family, selection.version, manifest_digest, cached_only=cached_only)

    def _loaded(self, version: str, manifest_digest: str) -> LoadedVersion | None:
        loaded = [model for live in (self.current, self._previous) if live for model in live.models.values()]
        if self._tried is not None:
            loaded.append(self._tried)
        return next((model for model in loaded if (model.version, model.manifest_digest) == (version, manifest_digest)), None)
