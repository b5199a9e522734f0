"""The version in shadow answers a bounded share of the requests, after the answer that is served, and nobody is served what it says.

Its answers go to the journal alone: no cache, no client. It has what time is left: where it falls behind, requests are left out, and the
replay of the log (`experiments.replay`) asks it those. The cap of a day holds for all processes while Redis counts; without it each goes by
its own count.
"""

import asyncio
import logging
import time
from collections import deque
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from sentiment_platform.clock import Clock
from sentiment_platform.entities import shadow_count_key
from sentiment_platform.experiments.assignment import is_shadowed, shadow_answer_id
from sentiment_platform.features.compute import FeatureVector
from sentiment_platform.registry.deployment import Shadow
from serving.journal.journal import Journal, JournalUnavailable
from serving.journal.journal_records import ShadowRecord
from serving.links.database import Database, DatabaseUnavailable
from serving.links.redis_link import RedisLink
from serving.live.loading import LoadedVersion
from serving.live.snapshot import Snapshot
from serving.metrics import Metrics
from serving.predict.answer_figures import Scored
from serving.predict.online_features import Input
from serving.work.classes import Overloaded

if TYPE_CHECKING:
    from sqlalchemy import Connection

MOST_WAITING = 64
PAUSE_S = 0.002
"""Between two of them: what is served comes first."""
LIMIT_S = 10.0
"""So long an answer in shadow may wait for its turn."""
COUNTED_S = 2 * 24 * 3600
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Question:
    plan: Shadow
    model: LoadedVersion
    prediction_id: str
    text: str
    features: FeatureVector


class Shadows:
    """Takes up requests that were answered (`offer`), and answers them again in the background (`run`)."""

    def __init__(self, journal: Journal, database: Database, redis: RedisLink, metrics: Metrics, *, clock: Clock) -> None:
        self._journal = journal
        self._database = database
        self._redis = redis
        self._metrics = metrics
        self._clock = clock
        self._waiting: deque[_Question] = deque()
        self._there = asyncio.Event()
        self._counted: tuple[str, int, date] | None = None
        self._today = 0

    def offer(self, live: Snapshot, scored: Scored, request: Input, prediction_id: str, *, degraded: bool) -> None:
        """Take the request up, if it belongs to the share and there is room; costs the served answer next to nothing."""
        plan, model = live.deployment.shadow, live.beside.shadow
        if not plan or model is None or degraded or plan.beside != scored.model.version:
            return
        if request.traffic is not None or not request.supported or model.schema is not scored.model.schema:
            return
        self._begin_day(plan)
        if not is_shadowed(plan, prediction_id, self._today):
            return
        if len(self._waiting) >= MOST_WAITING:
            self._metrics.shadow_answers.labels("left_out").inc()
            return
        self._today += 1
        self._waiting.append(_Question(plan, model, prediction_id, request.text, scored.features.values))
        self._there.set()

    async def run(self) -> None:
        """Answer what was taken up, one after the other, until cancelled."""
        while True:
            await self._there.wait()
            self._there.clear()
            while self._waiting:
                await asyncio.sleep(PAUSE_S)
                question = self._waiting.popleft()
                if await self._is_within_cap(question.plan):
                    await self._answer(question)

    async def _is_within_cap(self, plan: Shadow) -> bool:
        day = (plan.name, plan.phase, self._clock().date())
        key = shadow_count_key(*day)
        counted = await self._redis.command("INCR", key, patient=True)
        if counted is None:
            return True
        if counted == 1:
            self._redis.send("EXPIRE", key, COUNTED_S)
        if day == self._counted:
            # Those of other processes, too: what would be over the cap is not taken up any more.
            self._today = max(self._today, counted)
        return counted <= plan.daily_cap

    async def _answer(self, question: _Question) -> None:
        began, failure, probabilities = time.perf_counter(), None, None
        try:
            probabilities = await question.model.runner.run(question.text, question.features, "shadow", began + LIMIT_S)
        except Overloaded:
            self._metrics.shadow_answers.labels("left_out").inc()
            return
        except Exception as error:
            failure = f"{type(error).__name__}: {error}"[:500]
        self._metrics.shadow_answers.labels("failed" if failure else "answered").inc()
        plan = question.plan
        record = ShadowRecord(
            id=shadow_answer_id(plan, question.prediction_id),
            prediction_id=question.prediction_id,
            experiment=plan.name,
            phase=plan.phase,
            model_version=question.model.version,
            manifest_digest=question.model.manifest_digest,
            answered_at=self._clock(),
            probabilities=list(probabilities) if probabilities else None,
            failure=failure,
            latency_ms=round((time.perf_counter() - began) * 1000, 3),
        )
        try:
            self._journal.append(record)
        except JournalUnavailable as error:
            # The replay asks it again.
            logger.debug("an answer in shadow was not recorded: %s", error)

    def _begin_day(self, plan: Shadow) -> None:
        """A new day, or a new phase, counts from what the database knows of it."""
        day = (plan.name, plan.phase, self._clock().date())
        if day != self._counted:
            self._counted, self._today = day, 0
            task = asyncio.get_running_loop().create_task(self._count(day))
            _tasks.add(task)
            task.add_done_callback(_tasks.discard)

    async def _count(self, day: tuple[str, int, date]) -> None:
        name, phase, today = day

        def read(connection: "Connection") -> int:
            from sentiment_platform.store.shadow_answers import answered_of_day

            return answered_of_day(connection, name, phase).get(today.isoformat(), 0)

        try:
            before = await self._database.call(read)
        except DatabaseUnavailable:
            return
        if self._counted == day:
            self._today += before


_tasks: set[asyncio.Task[None]] = set()
