"""What is live, and the only way it changes: everything is fetched, verified, loaded and tried before one assignment swaps it in.

Here: following the registry, the last good state from the disk, and the order of `swap`, `selections` and `refusals`. On any failure
what runs stays. When to look: `poller`. Blocking; used from one thread, read from any.
"""

import logging
from collections.abc import Callable, Sequence

from sentiment_platform.clock import Clock
from sentiment_platform.errors import PlatformError
from sentiment_platform.registry.cache import RegistryCache
from sentiment_platform.registry.deployment import Deployment
from sentiment_platform.registry.documents import digest
from sentiment_platform.registry.reader import LatestDeployment, RegistryReader
from sentiment_platform.registry.refusal import Refused
from serving.contract.model_bodies import RegistryStatus, SwapOutcome
from serving.live.kept_selections import KeptSelections
from serving.live.loading import ModelLoader
from serving.live.memory import FreeMemory, free_mb
from serving.live.overtaken import Overtaken
from serving.live.refusals import Refusals
from serving.live.selections import Selection, Selections
from serving.live.snapshot import Content, Facts, Snapshot, as_expected
from serving.live.swap import LiveSlot
from serving.live.way_back import MAX_STEPS_BACK, WayBack
from serving.metrics import Metrics

logger = logging.getLogger(__name__)


class LiveModels:
    """Brings deployments and selections live. `current` is None until something verified is loaded."""

    def __init__(
        self,
        loader: ModelLoader,
        cache: RegistryCache,
        reader: RegistryReader | None,
        metrics: Metrics,
        *,
        clock: Clock,
        announce: Callable[[Snapshot], object] = lambda _: None,
        free: FreeMemory = free_mb,
    ) -> None:
        self._cache = cache
        self._reader = reader
        self._metrics = metrics
        self._clock = clock
        self._selections = Selections(reader, cache)
        self.usable = self._selections.usable
        self._machine = loader.machine
        self.kept = KeptSelections(cache.folder)
        announce = self.kept.before(announce)
        self._slot = LiveSlot(loader, self._selections, metrics, announce, clock=clock, free=free)
        self.way_back = WayBack(self._slot, self._selections, announce, clock=clock)
        self._etag: str | None = None
        self._floor: Deployment | None = None
        self.refusals = Refusals(metrics, clock=clock)
        self.registry = RegistryStatus(reachable=None, polled_at=None, message=None)

    @property
    def current(self) -> Snapshot | None:
        """The snapshot that answers."""
        return self._slot.current

    @property
    def overtaken(self) -> Sequence[Overtaken]:
        """Choices that answered here until a newer deployment, or the graph's refusal, took their place; the newest last."""
        return tuple(self._slot.overtaken)

    @property
    def facts(self) -> Facts | None:
        """What it says, without its models."""
        return live.facts if (live := self.current) else None

    def start_from_cache(self, selections: Sequence[Selection]) -> None:
        """Bring the newest deployment that was accepted before live again, with `selections` on top; verified like fresh ones.

        No model is fetched; the registry is asked only for the deployment that vouches for a selection. What cannot be had that way
        waits for the first poll.
        """
        kept = self._cache.kept_deployment()
        if kept is None:
            return
        for deployment in self._cache.kept_deployments():
            self._selections.remember(deployment)
        self._floor = kept
        wanted = self._selections.usable(selections, kept)
        self._attempt(kept, wanted, lambda: self._slot.swap(self._slot.assemble_usable(kept, wanted, cached_only=True)))
        self._slot.complete(cached_only=True)
        self.way_back.hold(cached_only=True)

    def poll(self, selections: Sequence[Selection] | None) -> None:
        """Look at the registry once, unless a neighbour just did, and apply what is new; what people selected also where it is away.

        Args: selections: those in force according to the database, read before this call; None when they were not.
        """
        live = self.facts
        heard = self._reader is not None and (self._follow(selections) or self._look(self._reader, selections))
        if live is not None and selections is not None:
            self.apply(live, selections)
        if not heard:
            return
        self._slot.restore()
        self._slot.complete()
        self.way_back.hold()

    def is_behind(self) -> bool:
        """Whether a neighbour has brought a newer deployment live, which was not tried here."""
        live, look = self.facts, self._machine.looked()
        return bool(live and look and look.revision > live.deployment.revision and self.refusals.candidate is None)

    def _follow(self, selections: Sequence[Selection] | None) -> bool:
        """Take a neighbour's look for ours; False where there is none to go by, or something was refused here."""
        live = self.facts
        followed = self._machine.followed(live.deployment, self._cache) if live and self.refusals.candidate is None else None
        if followed is None:
            return False
        look, newer = followed
        if newer is not None:
            self._offer(newer, selections)
        else:
            self._etag = look.etag
        self.registry = look.status
        return True

    def _look(self, reader: RegistryReader, selections: Sequence[Selection] | None) -> bool:
        """Ask the registry; whether it answered."""
        current, latest = self.facts, None
        etag = self._etag if current and not self.refusals.retry_is_due() else None
        try:
            latest = reader.poll_latest(etag, known=current.deployment if current else None)
        except Refused as refused:
            self._saw(True, str(refused))
            self.refusals.refuse(None, (), refused.reason, str(refused))
        except PlatformError as error:
            self._saw(False, str(error))
            return False
        else:
            self._saw(True, None if latest or current else "Nothing is deployed yet.")
        if isinstance(latest, LatestDeployment):
            self._offer(latest, selections)
        elif latest is not None:
            self._etag = latest.etag
        if (live := self.facts) is not None and self.refusals.candidate is None:
            self._machine.tell(self.registry, self._etag, live.deployment.revision)
        return True

    def select(
        self,
        selections: Sequence[Selection],
        *,
        expected_version: str | None = None,
        dry_run: bool = False,
        record: Callable[[Content, Content], None],
    ) -> tuple[Facts, Facts]:
        """Apply a person's choice now: load, then `record(before, after)`, then swap.

        Returns:
            What was live and what is (with `dry_run` the second never became live).

        Raises:
            ConflictError: another version than `expected_version` is live, or another deployment than the selections expect.
            Refused, ModelRefused, TransientError: the choice cannot be served; what runs stays.
        """
        live = as_expected(self.facts, selections[0].family, expected_version, selections[0].expected_revision)
        with self._slot.exchange():
            assembled = self._slot.assemble(live.deployment, self.usable((*live.selections, *selections), live.deployment))
            after = assembled.facts
            if not dry_run:
                record(live.content, after.content)
                self._slot.swap(assembled, over=live)
                # Where a rollback by hand came between, both are recorded, and the next look has them in their order.
                after = self.facts or after
        return live, after

    def try_first(self, selection: Selection, manifest_digest: str, *, expected_version: str | None = None) -> Facts:
        """Try a version that no deployment named, so that nobody asks for one that cannot be served; returns what is live, unchanged.

        Raises:
            As `select`.
        """
        live = as_expected(self.facts, selection.family, expected_version, selection.expected_revision)
        with self._slot.exchange():
            self._slot.tried(selection.family, selection.version, manifest_digest)
        return live

    def why_not_ready(self) -> str:
        """Why nothing can be answered, in words; "" when something is live."""
        if self.current is not None:
            return ""
        return self.refusals.why_nothing_is_live(self.registry, is_followed=self._reader is not None)

    def _offer(self, latest: LatestDeployment, selections: Sequence[Selection] | None) -> None:
        """Bring the registry's deployment live, unless it rests after a refusal or is older than what ran here."""
        document, identity = latest.document, digest(latest.data)
        if self.refusals.rests(identity):
            self._etag = latest.etag
            return
        floor = self._floor
        if floor is not None and (
            document.revision < floor.revision or (document.revision == floor.revision and document != floor)
        ):
            message = f"Revision {document.revision} is older than {floor.revision}, or not the one, that ran here before."
            self.refusals.refuse(document.revision, tuple(document.models()), "older_revision", message)
            return
        in_force = self.current.selections if self.current else ()
        wanted = self._selections.usable(in_force if selections is None else selections, document)

        def bring_live() -> None:
            self._slot.swap(self._slot.assemble_usable(document, wanted))
            self._floor = document
            self._etag = latest.etag
            self._keep(latest)

        if self._attempt(document, wanted, bring_live) == "refused":
            self.refusals.let_rest(identity)
        else:
            self.refusals.forget_rest()

    def apply(self, live: Facts, selections: Sequence[Selection]) -> None:
        """Bring the selections in force live where they are not, over `live`: what came meanwhile was decided later, and stays."""
        document = live.deployment
        if (wanted := self._selections.usable(selections, document)) != list(live.selections) and self.facts == live:
            self._attempt(document, wanted, lambda: self._slot.swap(self._slot.assemble_usable(document, wanted), over=live))

    def _attempt(self, document: Deployment, wanted: Sequence[Selection], work: Callable[[], object]) -> SwapOutcome:
        versions = (*document.models(), *(selection.version for selection in wanted))
        with self._slot.exchange():
            return self.refusals.attempt(document.revision, versions, work)

    def _keep(self, latest: LatestDeployment) -> None:
        kept = self._slot.loaded_digests() | set(latest.document.named_models().values())
        self._slot.forget_all_but(kept)
        try:
            self._cache.keep_deployment(latest)
            # A neighbour that loads may need what was fetched for it; what is left is pruned with the next deployment.
            with self._machine.alone(limit_s=0) as alone:
                if alone:
                    self._cache.prune(kept, deployments=MAX_STEPS_BACK)
        except OSError as error:
            logger.warning("revision %d runs but is not kept for the next start: %s", latest.document.revision, error)

    def _saw(self, reachable: bool, message: str | None) -> None:
        self.registry = RegistryStatus(reachable=reachable, polled_at=self._clock(), message=message)
        self._metrics.polls.labels("answered" if reachable else "failed").inc()
