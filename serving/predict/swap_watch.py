"""Right after a swap: does the new version answer as well as the one before? If not, this process goes back by itself, within seconds.

The questions are those of the platform's own watch (`monitoring.swap_judging`), asked of what this process answered; that watch sees all
processes, and makes sure where this one has too few answers. Once a version, with a cool-down of a day; what a person chose stays.
"""

import asyncio
import logging
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sentiment_platform.clock import Clock
from sentiment_platform.errors import PlatformError
from sentiment_platform.monitoring.swap_judging import LOOKS, NO_CLASS, Answers, Question, judge_swap, next_look, worst
from sentiment_platform.registry.deployment import AUTO_ROLLBACK
from sentiment_platform.text.normalise import text_hash
from sentiment_platform.text.sentiment import LABELS, likeliest_label
from serving.contract.model_bodies import RollbackRequest
from serving.contract.problems import Problem
from serving.journal.journal_records import PredictionRecord
from serving.live.live import LiveModels
from serving.live.manual_override import ManualOverride
from serving.live.snapshot import Facts, Snapshot
from serving.metrics import Metrics

LOOK_S = 2.0
WATCHED_FOR = timedelta(hours=1)
COOL_DOWN = timedelta(hours=24)
logger = logging.getLogger(__name__)


@dataclass
class _Said:
    """What became of the newest different texts that a version was to answer: degraded, failed, class, milliseconds (as in `Answers`)."""

    answers: deque[tuple[bool, bool, int, float]] = field(default_factory=lambda: deque(maxlen=LOOKS[-1]))
    texts: deque[str] = field(default_factory=lambda: deque(maxlen=LOOKS[-1]))
    known: set[str] = field(default_factory=set[str])

    def add(self, record: PredictionRecord) -> None:
        if record.instead_of is not None:
            failed = record.degraded_reason == "model_error"
            self.missed(record.text_hash, failed=failed)
            return
        first, second, third = record.probabilities
        label = LABELS.index(likeliest_label((first, second, third)))
        took_ms = float("nan") if record.cache_hit else record.latency_ms["inference"]
        self._keep(record.text_hash, (False, False, label, took_ms))

    def missed(self, text: str, *, failed: bool) -> None:
        self._keep(text, (not failed, failed, NO_CLASS, float("nan")))

    def _keep(self, text: str, became: tuple[bool, bool, int, float]) -> None:
        if text in self.known:
            return
        if len(self.texts) == self.texts.maxlen:
            self.known.discard(self.texts[0])
        self.known.add(text)
        self.texts.append(text)
        self.answers.append(became)

    def so_far(self) -> Answers:
        degraded, failed, classes, took_ms = zip(*self.answers, strict=True) if self.answers else ((), (), (), ())
        return Answers(degraded=degraded, failed=failed, classes=classes, latency_ms=took_ms)


@dataclass
class _Watched:
    """A version that took the place of another one at `at`, and what that one had answered before."""

    version: str
    revision: int
    before: Answers
    at: datetime
    looks: int = 0


class SwapWatch:
    """Sees each recorded answer (`observe`), looks every two seconds (`run`)."""

    def __init__(self, live: LiveModels, override: ManualOverride, metrics: Metrics, *, clock: Clock) -> None:
        self._live = live
        self._override = override
        self._metrics = metrics
        self._clock = clock
        self._said: dict[str, _Said] = {}
        self._running: Mapping[str, str] = {}
        self._watched: dict[str, _Watched] = {}
        self._sent_back: dict[str, datetime] = {}
        self._seen: Callable[[], Snapshot | None] = lambda: None

    def observe(self, record: PredictionRecord) -> None:
        """Keep what counts of an answer."""
        live = self._live.current
        if live is not None and self._seen() is not live:
            # At once: by the next look another one may have taken its place. Weakly: it may be unloaded to make room.
            self._seen = weakref.ref(live)
            self._notice(live.facts)
        if record.traffic is None and record.supported and record.arm is None:
            self._said.setdefault(record.instead_of or record.model_version, _Said()).add(record)

    def unanswered(self, version: str, text: str) -> None:
        """Keep that a version failed at a text, and nobody answered in its place."""
        self._said.setdefault(version, _Said()).missed(text_hash(text), failed=True)

    def has_judged(self, family: str, version: str) -> bool:
        """Whether it has looked at the answers of a version once at least, and found no reason to leave it."""
        watched = self._watched.get(family)
        return watched is not None and watched.version == version and watched.looks > 0

    def texts_left(self, family: str, version: str) -> int | None:
        """How many different texts it waits for until its first look at a version; None where it does not watch that."""
        if (facts := self._live.facts) is not None:
            self._notice(facts)
        watched = self._watched.get(family)
        if watched is None or watched.version != version:
            return None
        return max(0, LOOKS[0] - len(self._said.get(version, _Said()).answers))

    async def run(self) -> None:
        """Look until cancelled; a defect here costs no answer."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self.look()
            except Exception:
                logger.exception("looking at the swap failed")

    async def look(self) -> None:
        """Notice what was swapped, judge what is watched, and go back where there is a reason."""
        facts = self._live.facts
        if facts is None:
            return
        self._notice(facts)
        for family, watched in list(self._watched.items()):
            if reason := self._reason(watched):
                del self._watched[family]
                await self._go_back(watched, reason)

    def _notice(self, facts: Facts) -> None:
        now, chosen = self._clock(), {selection.family for selection in facts.selections}
        for family, version in facts.versions.items():
            before = self._running.get(family)
            if before in (None, version):
                continue
            self._watched.pop(family, None)
            is_chosen = family in chosen or facts.deployment.by_person
            rests = any(now - at < COOL_DOWN for at in self._sent_back.values())
            if not is_chosen and version not in self._sent_back and not rests:
                earlier = self._said.get(before, _Said()).so_far()
                self._watched[family] = _Watched(version, facts.deployment.revision, earlier, now)
        self._running = facts.versions
        self._said = {version: said for version, said in self._said.items() if version in facts.versions.values()}
        self._watched = {family: one for family, one in self._watched.items() if now - one.at < WATCHED_FOR}

    def _reason(self, watched: _Watched) -> Question | None:
        new = self._said.get(watched.version, _Said()).so_far()
        if (looks := next_look(len(new))) <= watched.looks:
            return None
        watched.looks = looks
        return worst(judge_swap(new, watched.before))

    async def _go_back(self, watched: _Watched, reason: Question) -> None:
        actor = f"{AUTO_ROLLBACK}{reason.metric}"
        self._sent_back[watched.version] = self._clock()
        words = f"{actor}: {watched.version}, after {reason.n} answers: {reason.words}."
        try:
            await self._override.roll_back(RollbackRequest(words, expected_revision=watched.revision), actor)
        except (PlatformError, Problem) as error:
            logger.error("%s It cannot be left: %s", words, error)
            return
        self._metrics.auto_rollbacks.labels(reason.metric).inc()
        logger.error("went back by itself. %s", words)
