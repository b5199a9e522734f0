"""Everything a running process holds, put together from the settings and taken apart again; handlers receive this one object."""

import asyncio
import contextlib
import logging
import math
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from sentiment_platform.clock import Clock, utc_now
from sentiment_platform.events import DeploymentLive, publish
from sentiment_platform.registry.cache import RegistryCache
from sentiment_platform.registry.reader import RegistryReader
from sentiment_platform.registry.signing import PublicKeys
from sentiment_platform.registry.transfer import Limits
from sentiment_platform.settings import Settings
from serving.contract.health_bodies import DependencyStatus
from serving.edge.access import Access
from serving.edge.security import KeyChecker
from serving.edge.voices import Allowance
from serving.flags import Flags
from serving.journal.folders import open_journal
from serving.journal.known_predictions import KnownPredictions
from serving.journal.prediction_ids import PredictionIds, signing_secret
from serving.journal.repeats import Repeats
from serving.journal.shipper import Shipper
from serving.links.database import Database, Outages, last_known
from serving.links.event_hub import EventHub
from serving.links.recent_reads import RecentReads
from serving.links.redis_link import RedisLink
from serving.live.live import LiveModels
from serving.live.loading import ModelLoader
from serving.live.machine import Machine
from serving.live.manual_override import ManualOverride
from serving.live.poller import JITTER_SHARE, Poller
from serving.live.rollback import QuickRollback
from serving.live.snapshot import Snapshot
from serving.live.trial import Trials
from serving.live.unrecorded import UnrecordedRollbacks
from serving.metrics import Metrics
from serving.predict.canary import Canaries
from serving.predict.executor import Executor
from serving.predict.model_errors import ModelErrors
from serving.predict.online_features import FeatureReader
from serving.predict.prediction import Predictor
from serving.predict.prediction_cache import PredictionCache
from serving.predict.prediction_journal import PredictionJournal
from serving.predict.shadows import Shadows
from serving.predict.swap_watch import SwapWatch
from serving.watch.garbage import set_aside
from serving.watch.loop_watch import LoopWatch
from serving.watch.process_figures import held, instance_name
from serving.work.classes import CLASSES
from serving.work.loop_share import LoopShare
from serving.work.runner import usable_cores
from serving.work.scheduler import Scheduler
from serving.work.stuck import MOST_REPLACED

PROBE_S = 5.0
FINAL_SHIP_S = 5.0
CACHE_FOLDER = "serving-cache"
logger = logging.getLogger(__name__)


class Services:
    """The parts and their wiring. Constructing it opens nothing; `start` does, on the running event loop."""

    def __init__(self, settings: Settings, *, clock: Clock = utc_now) -> None:
        self.settings = settings
        self.clock = clock
        self.metrics = Metrics(clock=clock)
        self.loop_watch = LoopWatch(self.metrics)
        self.draining = False
        self.redis = RedisLink(settings.redis_url, clock=clock)
        # Threads and connections apart: what hangs while reading stops no shipping, no person and no check of a key.
        link = partial(Database, settings.database_url, clock=clock, outages=Outages())
        self.database, self.acts, self._shipping, self._keys_database = link(), link(threads=2), link(threads=1), link(threads=1)
        self._databases = (self.database, self.acts, self._shipping, self._keys_database)
        self.flags = Flags(self.redis, self.acts, settings.state_dir / "flags.json")
        self.repeats = Repeats(self.redis)
        self.events = EventHub(settings.redis_url, clock=clock, draining=lambda: self.draining)
        self.keys = KeyChecker(self._keys_database, settings.admin_key, pepper=settings.key_pepper, clock=clock)
        self.access = Access(settings, self.keys, self.redis, self.metrics)
        self.anonymous_feedback = Allowance()
        self._public_keys = PublicKeys.parse(settings.public_keys)
        self._reader: RegistryReader | None = None
        self.recent = RecentReads()
        self.cache = PredictionCache(self.redis)
        self.loop_share = LoopShare(settings.deadline_ms / 1000)
        self.started_at = clock()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Open the journal, then load, poll, probe and ship in the background: the process answers liveness at once."""
        settings, clock = self.settings, self.clock
        if settings.registry_repository:
            self._reader = RegistryReader(
                settings.registry_repository,
                url=settings.registry_url,
                token=settings.registry_token,
                public_keys=self._public_keys,
                limits=Limits(connect_s=2, read_s=2, documents_s=15),
            )
        cores = usable_cores()
        self._threads = ThreadPoolExecutor(cores + MOST_REPLACED, thread_name_prefix="model")
        cache = RegistryCache(settings.state_dir / CACHE_FOLDER, self._public_keys)
        self.scheduler = Scheduler(self._threads, cores, deadline_s=settings.deadline_ms / 1000, metrics=self.metrics)
        machine = Machine(cache.folder, fresh_s=settings.poll_s * (1 - JITTER_SHARE), clock=clock)
        loader = ModelLoader(cache, self._reader, Trials(cache.folder), self.scheduler, machine)
        self.live = LiveModels(loader, cache, self._reader, self.metrics, clock=clock, announce=self._announce)
        self.access.live = self.live
        self.journal = open_journal(
            settings.state_dir, max_bytes=settings.journal_bytes, on_drop=self.metrics.journal_dropped.inc
        )
        self.unrecorded = UnrecordedRollbacks(self.journal, self._shipping, clock=clock)
        self.shipper = Shipper(
            self.journal,
            self._shipping,
            self.metrics,
            acts=self.unrecorded,
            state_folder=settings.state_dir,
            pepper=settings.key_pepper,
            clock=clock,
        )
        self.poller = Poller(self.live, self.acts, self.unrecorded, lambda: self.metrics.asked, poll_s=settings.poll_s)
        quick = QuickRollback(self.live, self.acts, self.journal, self.unrecorded, clock=clock)
        self.override = ManualOverride(self.live, self.poller, self.acts, quick, clock=clock)
        ids = PredictionIds(signing_secret(settings.key_pepper, settings.state_dir))
        self.known = KnownPredictions(self.database, ids, clock=clock)
        self.swap_watch = SwapWatch(self.live, self.override, self.metrics, clock=clock)
        errors = ModelErrors(self.metrics, self.swap_watch.unanswered)
        features = FeatureReader(self.redis, clock=clock)
        executor = Executor(features, self.cache, errors, self.metrics, sure=settings.cascade_confidence)
        self.shadows = Shadows(self.journal, self.database, self.redis, self.metrics, clock=clock)
        self.canaries = Canaries(self.live.way_back, settings.canary_share, self.swap_watch.has_judged)
        self.predictor = Predictor(
            settings,
            self.live,
            self.canaries,
            executor,
            PredictionJournal(self.journal, ids, self.swap_watch.observe, self.metrics, clock=clock),
            self.shadows,
            self.flags,
            self.metrics,
            clock=clock,
        )
        self.access.look_ahead = self.predictor.look_ahead
        self.metrics.watch("serving_journal_backlog", "Records not yet in the database.", lambda: self.journal.backlog_records)
        self.metrics.watch("serving_queue_depth", "Texts that wait or are being answered.", self.queue_depth)
        self._watch_process()
        self.metrics.watch("serving_loop_work_seconds", "Work that the event loop has begun.", lambda: self.loop_share.waiting_s)
        waiting = {kind: partial(self.scheduler.waiting_s, kind) for kind in CLASSES}
        self.metrics.watch_each("serving_queue_seconds", "Work that waits for a thread of the models.", "work", waiting)
        self.metrics.watch("serving_event_streams", "Open streams of events.", lambda: self.events.streams)
        background = (
            self.redis.probe(),
            self.poller.run(),
            self._ship(),
            self._probe(),
            self.keys.tell_use(),
            self.loop_watch.run(),
            self.shadows.run(),
            self.swap_watch.run(),
            set_aside(lambda: self.live.current is not None),
        )
        self._tasks = [asyncio.create_task(work) for work in background]

    def is_full(self, route: str) -> bool:
        """Whether the family that a route of predictions names has no time left; false where none is named or the cache may know."""
        live = self.live.current
        model = live.models.get(route.removeprefix("/predict/")) if live else None
        return model is not None and not self.cache.pays and model.runner.saturated

    async def stop(self) -> None:
        """Stop the background work, ship what is left within a time limit, close everything."""
        self.draining = True
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks, timeout=FINAL_SHIP_S)
        self.events.close()
        try:
            await asyncio.wait_for(asyncio.to_thread(self.shipper.ship, FINAL_SHIP_S), FINAL_SHIP_S)
        except Exception as error:
            logger.warning("%d journal records wait for the next start: %s", self.journal.backlog_records, error)
        self.journal.close()
        self.poller.close()
        for database in self._databases:
            database.close()
        self._threads.shutdown(wait=False, cancel_futures=True)
        await self.redis.close()
        if self._reader is not None:
            self._reader.close()

    def dependencies(self) -> dict[str, DependencyStatus]:
        """The last known state of what this process talks to; nothing is asked for it."""
        registry = self.live.registry
        state = "unknown" if registry.reachable is None else "ok" if registry.reachable else "down"
        return {
            "postgresql": last_known(self._databases),
            "redis": self.redis.status,
            "registry": DependencyStatus(state, registry.polled_at, registry.message),
        }

    def _watch_process(self) -> None:
        watch, watch_each = self.metrics.watch, self.metrics.watch_each
        watch("serving_requests_in_flight", "Requests being answered.", lambda: self.metrics.in_flight - self.events.streams)
        watch("serving_loop_lag_p99_seconds", "Slowest hundredth of the last minute.", lambda: self.loop_watch.lag_p99_s)
        watch("serving_loop_saturation", "Share of the minute that it worked or refused.", lambda: self.loop_watch.saturation)
        watch("serving_requests_per_second", "Of the last minute.", lambda: self.loop_watch.requests_per_s)
        watch("serving_capacity_per_second", "Estimate; NaN while idle.", lambda: self.loop_watch.capacity_per_s or math.nan)
        watch("serving_stuck_threads", "Threads whose model does not end at a text.", self.scheduler.stuck)
        watch("process_threads", "Threads of the process.", lambda: held().threads)
        watch_each("serving_instance", "1: which process this is, `host:pid`.", "instance", {instance_name(): lambda: 1})
        states = {name: partial(self._up, name) for name in self.dependencies()}
        watch_each("serving_dependency_up", "1 up, 0 down; NaN while not known or not used.", "dependency", states)

    def _up(self, name: str) -> float:
        return {"ok": 1.0, "down": 0.0}.get(self.dependencies()[name].status, math.nan)

    async def _ship(self) -> None:
        await self.poller.started.wait()
        await self.shipper.run()

    async def _probe(self) -> None:
        await self.poller.started.wait()
        asked = -1
        while True:
            # Without traffic nobody is woken: the states are then those of `checked_at`.
            if (now := self.metrics.asked) != asked:
                with contextlib.suppress(Exception):
                    await asyncio.gather(self.redis.probe(), self.database.probe())
            asked = now
            await asyncio.sleep(PROBE_S)

    def _announce(self, live: Snapshot) -> None:
        """Tell that `live` answers now; called on the registry thread."""
        told = DeploymentLive(
            at=self.clock(),
            revision=live.deployment.revision,
            default_family=live.default_family,
            versions=live.versions,
            selected=bool(live.selections),
        )
        publish(self.settings.redis_url, [told])

    def queue_depth(self) -> float:
        """Texts that wait for a model of any family, or are with it."""
        live = self.live.current
        return sum(model.runner.depth for model in live.models.values()) if live else 0
