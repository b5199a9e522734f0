"""What is live, and the only way it changes: everything is fetched, verified, loaded and tried before one assignment swaps it in.

Here: the snapshot, deployments from the registry, a person's selections, the last good state from the disk. On any failure what runs
stays and the reason is kept. Loading one version: `loading`. When to look: `poller`. Blocking; used from one thread, read from any.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sentiment_platform.clock import Clock
from sentiment_platform.errors import ConflictError, PermanentError, PlatformError, TransientError
from sentiment_platform.registry.cache import RegistryCache
from sentiment_platform.registry.deployment import Deployment
from sentiment_platform.registry.documents import digest
from sentiment_platform.registry.reader import LatestDeployment, RegistryReader
from sentiment_platform.registry.refusal import Refused
from serving.contract.model_bodies import RegistryStatus, Swap
from serving.live.loading import LiveModel, ModelLoader, ModelRefused
from serving.live.selections import Selection
from serving.live.snapshot import Live
from serving.metrics import Metrics

RETRY_REFUSED_S = 300.0
LARGEST_RETRY_S = 3600.0
MAX_STEPS_BACK = 20
logger = logging.getLogger(__name__)


@dataclass
class _Refusal:
    until: float
    pause_s: float


class LiveModels:
    """Holds the snapshot. `current` is None until something verified is loaded."""

    def __init__(
        self, loader: ModelLoader, cache: RegistryCache, reader: RegistryReader | None, metrics: Metrics, *, clock: Clock
    ) -> None:
        self._loader = loader
        self._cache = cache
        self._reader = reader
        self._metrics = metrics
        self._clock = clock
        self._etag: str | None = None
        self._refused: dict[str, _Refusal] = {}
        self._unusable: set[str] = set()
        self._documents: dict[int, Deployment] = {}
        self._digests: dict[str, str] = {}
        self._floor: Deployment | None = None
        self._tried: LiveModel | None = None
        self.current: Live | None = None
        self.previous: Live | None = None
        self.last_swap: Swap | None = None
        self.candidate: Swap | None = None
        self.registry = RegistryStatus(reachable=None, polled_at=None, message=None)

    def start_from_cache(self) -> None:
        """Bring the newest deployment that was accepted before live again, without the network; verified like a fresh one."""
        kept = self._cache.kept_deployment()
        if kept is None:
            return
        self._floor = kept
        self._attempt(kept, (), lambda: self._swap(self._assemble(kept, (), cached_only=True)))

    def poll(self, selections: Sequence[Selection] | None) -> None:
        """Look at the registry once and apply what is new.

        Args:
            selections: those in force according to the database, read before this call; None when the database did not answer.
        """
        reader, current = self._reader, self.current
        if reader is None:
            return
        found = None
        etag = self._etag if current and not self._retry_is_due() else None
        try:
            found = reader.poll_latest(etag, known=current.deployment if current else None)
        except Refused as refused:
            self._saw(True, str(refused))
            self._note("refused", None, (), refused.reason, str(refused), 0.0)
        except PlatformError as error:
            self._saw(False, str(error))
            return
        else:
            self._saw(True, None if found or current else "Nothing is deployed yet.")
        if isinstance(found, LatestDeployment):
            self._offer(found, selections)
        elif found is not None:
            self._etag = found.etag
        live = self.current
        if live is not None and selections is not None:
            wanted = [selection for selection in selections if selection.request_id not in self._unusable]
            if wanted != list(live.selections):
                self._attempt(live.deployment, wanted, lambda: self._swap(self._with_usable(live.deployment, wanted)))

    def select(
        self,
        selections: Sequence[Selection],
        *,
        expected_version: str | None = None,
        dry_run: bool = False,
        record: Callable[[dict[str, str], dict[str, str]], None],
    ) -> tuple[Live, Live]:
        """Apply a person's choice now: load, then `record(before, after)`, then swap.

        Returns:
            The snapshots before and after (with `dry_run` the second never became live).

        Raises:
            ConflictError: another version than `expected_version` is live, or nothing would change.
            Refused, ModelRefused, TransientError: the choice cannot be served; what runs stays.
        """
        live = self.current
        if live is None:
            raise TransientError("Nothing is live yet.", remedy="Wait for the first deployment.")
        first = selections[0]
        before = live.versions.get(first.family)
        if expected_version is not None and expected_version != before:
            raise ConflictError(
                f"{before or 'No version'} of {first.family} is live, not {expected_version}.",
                remedy="Look at GET /models/status and decide again.",
            )
        after = self._assemble(live.deployment, (*live.selections, *selections))
        if not dry_run:
            record(live.versions, after.versions)
            self._swap(after)
        return live, after

    def rollback_target(self) -> Deployment:
        """The newest deployment before the live one that differs from what runs now.

        Raises:
            ConflictError: there is none. TransientError: the registry is needed to read it, and away.
        """
        live = self.current
        revision = live.deployment.revision - 1 if live else 0
        while live is not None and revision >= 1 and revision > live.deployment.revision - MAX_STEPS_BACK:
            document = self._document(revision)
            content = {family: champion.version for family, champion in document.champions.items()}
            if (content.items() - live.versions.items()) or document.default_family != live.default_family:
                return document
            revision -= 1
        raise ConflictError(
            "There is no earlier deployment with other content.", remedy="Select a version with POST /models/select."
        )

    def why_not_ready(self) -> str:
        """Why nothing can be answered, in words; "" when something is live."""
        if self.current is not None:
            return ""
        if self.candidate is not None:
            return f"Nothing is live: {self.candidate.message}"
        if self.registry.reachable is None and self._reader is not None:
            return "Nothing is live yet: the first look at the registry is under way."
        return f"Nothing is live: {self.registry.message or 'no registry is configured (SENTIMENT_REGISTRY_REPOSITORY).'}"

    def _offer(self, found: LatestDeployment, selections: Sequence[Selection] | None) -> None:
        document = found.document
        identity = digest(found.data)
        refusal = self._refused.get(identity)
        if refusal is not None and time.monotonic() < refusal.until:
            self._etag = found.etag
            return
        floor = self._floor
        if floor is not None and (
            document.revision < floor.revision or (document.revision == floor.revision and document != floor)
        ):
            message = f"Revision {document.revision} is older than {floor.revision}, or not the one, that ran here before."
            self._note("refused", document.revision, tuple(document.models()), "older_revision", message, 0.0)
            return
        in_force = self.current.selections if self.current else ()
        wanted = tuple(in_force if selections is None else selections)

        def bring_live() -> None:
            self._swap(self._with_usable(document, wanted))
            self._floor = document
            self._etag = found.etag
            self._keep(found)

        outcome = self._attempt(document, wanted, bring_live)
        if outcome == "refused":
            pause_s = min(2 * refusal.pause_s, LARGEST_RETRY_S) if refusal else RETRY_REFUSED_S
            self._refused = {identity: _Refusal(time.monotonic() + pause_s, pause_s)}
        else:
            self._refused = {}

    def _retry_is_due(self) -> bool:
        return any(time.monotonic() >= refusal.until for refusal in self._refused.values())

    def _attempt(self, document: Deployment, wanted: Sequence[Selection], work: Callable[[], None]) -> str:
        started = time.monotonic()
        versions = (*document.models(), *(selection.version for selection in wanted))
        reason = message = None
        outcome = "swapped"
        try:
            work()
        except (Refused, ModelRefused) as error:
            outcome, reason, message = "refused", error.reason, str(error)
        except PermanentError as error:
            outcome, reason, message = "refused", "permanent", str(error)
        except (TransientError, OSError) as error:
            outcome, reason, message = "failed", "unavailable", str(error)
        self._note(outcome, document.revision, versions, reason, message, time.monotonic() - started)
        return outcome

    def _assemble(self, deployment: Deployment, selections: Sequence[Selection], *, cached_only: bool = False) -> Live:
        champions = {family: (named.version, named.manifest_digest) for family, named in deployment.champions.items()}
        default = deployment.default_family
        models: dict[str, LiveModel] = {}
        for selection in selections:
            champions.pop(selection.family, None)
            models[selection.family] = self._assemble_one(selection)
            default = selection.family
        for family, (version, manifest_digest) in champions.items():
            loaded = self._loaded(version, manifest_digest)
            models[family] = loaded or self._loader.load(family, version, manifest_digest, cached_only=cached_only)
        return Live(deployment, models, default, tuple(selections))

    def _with_usable(self, deployment: Deployment, selections: Sequence[Selection]) -> Live:
        """`_assemble`, leaving out selections that cannot be served: one bad choice must not hold up a deployment."""
        usable: list[Selection] = []
        for selection in selections:
            try:
                self._assemble_one(selection)
            except PlatformError as error:
                logger.warning("selection of %s left out: %s", selection.version, error)
                if isinstance(error, PermanentError):
                    self._unusable.add(selection.request_id)
            else:
                usable.append(selection)
        return self._assemble(deployment, usable)

    def _assemble_one(self, selection: Selection) -> LiveModel:
        manifest_digest = self._digest_of(selection)
        loaded = self._loaded(selection.version, manifest_digest)
        if loaded is None:
            loaded = self._loader.load(selection.family, selection.version, manifest_digest)
            self._tried = loaded
        return loaded

    def _loaded(self, version: str, manifest_digest: str) -> LiveModel | None:
        kept = [model for live in (self.current, self.previous) if live for model in live.models.values()]
        if self._tried is not None:
            kept.append(self._tried)
        return next((m for m in kept if (m.version, m.manifest_digest) == (version, manifest_digest)), None)

    def _digest_of(self, selection: Selection) -> str:
        """The manifest digest under which a signed deployment names the version."""
        if selection.version not in self._digests and self.current is not None:
            self._digests |= self.current.deployment.models()
        if selection.version not in self._digests:
            self._digests |= self._document(selection.revision).models()
        if selection.version not in self._digests:
            raise Refused(
                f"Revision {selection.revision} does not name {selection.version}.",
                reason="wrong_model",
                remedy="Select a version that was deployed before.",
            )
        return self._digests[selection.version]

    def _document(self, revision: int) -> Deployment:
        if revision not in self._documents:
            if self._reader is None:
                raise TransientError(f"Revision {revision} is not at hand.", remedy="Configure the registry.")
            self._documents[revision] = self._reader.deployment(revision)
        return self._documents[revision]

    def _swap(self, live: Live) -> None:
        self.previous = self.current if self.current is not None else self.previous
        self.current = live
        self._tried = None
        self._documents[live.deployment.revision] = live.deployment
        self._metrics.show_live(live.deployment.revision, live.versions)
        logger.info("revision %d is live: %s", live.deployment.revision, ", ".join(live.versions.values()))

    def _keep(self, found: LatestDeployment) -> None:
        try:
            self._cache.keep_deployment(found)
            snapshots = [live for live in (self.current, self.previous) if live is not None]
            self._cache.prune({model.manifest_digest for live in snapshots for model in live.models.values()})
        except OSError as error:
            logger.warning("revision %d runs but is not kept for the next start: %s", found.document.revision, error)

    def _note(
        self, outcome: str, revision: int | None, versions: Sequence[str], reason: str | None, message: str | None, took_s: float
    ) -> None:
        swap = Swap(
            at=self._clock(),
            outcome="swapped" if outcome == "swapped" else "refused" if outcome == "refused" else "failed",
            revision=revision,
            versions=tuple(versions),
            reason=reason,
            message=message,
            duration_s=round(took_s, 3),
        )
        self._metrics.swaps.labels(swap.outcome).inc()
        if message is not None:
            logger.warning("revision %s not brought live (%s): %s", revision, reason, message)
        self.last_swap = swap
        self.candidate = None if swap.outcome == "swapped" else swap

    def _saw(self, reachable: bool, message: str | None) -> None:
        self.registry = RegistryStatus(reachable=reachable, polled_at=self._clock(), message=message)
        self._metrics.polls.labels("answered" if reachable else "failed").inc()
