"""From a cleaned request to an answer: features, cache, model, comparison, journal. The use case behind every /predict route."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from msgspec import UNSET

from sentiment_platform.clock import Clock
from sentiment_platform.models.families import FAMILIES
from sentiment_platform.registry.own_questions import is_own_question
from sentiment_platform.registry.signing import PublicKeys
from sentiment_platform.settings import Settings
from serving.contract.prediction_bodies import Answer, CompareAnswer, Comparison, Explanation, FamilyAnswer, PredictRequest
from serving.contract.problem_bodies import FieldError
from serving.contract.problems import Problem, invalid
from serving.contract.request_context import answer_headers, request_deadline_s, request_may_wait, request_started
from serving.flags import Flags
from serving.journal.journal_records import new_record_id
from serving.live.live import LiveModels
from serving.live.loading import LoadedVersion
from serving.live.snapshot import Snapshot
from serving.metrics import Metrics
from serving.predict.answer_figures import Scored, comparison, explanation, performance, prediction
from serving.predict.arms import Asker, in_experiment, said_of
from serving.predict.canary import Canaries
from serving.predict.executor import Executor, Outcome
from serving.predict.model_errors import ModelFailed, no_answer
from serving.predict.online_features import Input
from serving.predict.plan import Assigned, Limits
from serving.predict.prediction_journal import PredictionJournal
from serving.predict.router import absent, allowed, may_run, plan, require_live, with_stand_ins
from serving.predict.shadows import Shadows
from serving.predict.text_input import clean
from serving.work.classes import Overloaded, WorkClass

MODELS_SHARE = 0.9  # of the deadline: what is left is for the family that stands in, and for writing the answer down
BATCH_DEADLINES = 4  # has the cheapest family for the texts of a batch; what can be degraded has one
EXPLAIN_DEADLINES = 10  # an explanation is many answers


class Predictor:
    """Answers texts with whatever is live; each answer comes from one snapshot."""

    def __init__(
        self,
        settings: Settings,
        live: LiveModels,
        canaries: Canaries,
        executor: Executor,
        journal: PredictionJournal,
        shadows: Shadows,
        flags: Flags,
        metrics: Metrics,
        *,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._keys = PublicKeys.parse(settings.public_keys)
        self._live = live
        self._canaries = canaries
        self._executor = executor
        self._flags = flags
        self._journal = journal
        self._shadows = shadows
        self._metrics = metrics
        self._clock = clock

    async def answer(
        self,
        request: PredictRequest,
        route: str,
        family: str | None = None,
        *,
        question: str | None = None,
        asker: Asker,
    ) -> Answer:
        """The answer of `family`, or of the default one; degraded to the cheapest when that cannot meet the deadline.

        Args:
            question: the signature that makes it a question of our own, which is recorded nowhere (`registry.own_questions`).

        Raises:
            Problem: 400 for the text, 503 when nothing is live, or `family` is not deployed, too busy, or failed.
        """
        own = is_own_question(self._keys, request.text, question)
        cleaned, asker = self._clean(request, asker.traffic or request.traffic), replace(asker, unit=request.unit_id)
        return await self._answer(cleaned, "answer", route, family, asker, explain=request.explain, own=own)

    def look_ahead(self, body: Any) -> None:
        """Begin to look up what a request names, while its limit is asked; what cannot be read `answer` refuses."""
        live = self._live.current
        if live is not None and isinstance(body, PredictRequest) and (body.ticker or body.source or body.published_at):
            with suppress(Problem):
                self._executor.ask_ahead(live.models[live.default_family], self._clean(body, None))

    async def batch(self, requests: Sequence[PredictRequest], route: str, asker: Asker) -> list[Answer]:
        """Every answer, in order; a text that is refused refuses the batch, and all that are refused are named."""
        texts: list[Input] = []
        refused: list[FieldError] = []
        for number, request in enumerate(requests):
            try:
                texts.append(self._clean(request, asker.traffic or request.traffic))
            except Problem as problem:
                refused += [FieldError(f"items[{number}].{fault.field}", number, fault.message) for fault in problem.errors]
            await asyncio.sleep(0)
        if refused:
            raise invalid(refused)
        try:
            async with asyncio.TaskGroup() as group:
                answers: list[asyncio.Task[Answer]] = []
                for request, cleaned in zip(requests, texts, strict=True):
                    of_unit, explain = replace(asker, unit=request.unit_id), request.explain
                    answers.append(group.create_task(self._answer(cleaned, "batch", route, None, of_unit, explain=explain)))
                    # What the event loop does for a text is done before the next one; other requests come in between.
                    await asyncio.sleep(0)
        except* Problem as several:
            raise several.exceptions[0] from None
        return [answer.result() for answer in answers]

    async def compare(self, request: PredictRequest, route: str) -> CompareAnswer:
        """Every live family at the same time; null for one that is too busy, or failed."""
        cleaned = self._clean(request, request.traffic)
        supported = cleaned.supported
        live = self._snapshot()
        asked, missing = allowed(live, self._flags), absent(live, self._flags)
        answers = await asyncio.gather(*(self._score_or_error(model, cleaned) for model in asked))
        done = [scored for scored in answers if isinstance(scored, Scored)]
        missed = [(model, error) for model, error in zip(asked, answers, strict=True) if not isinstance(error, Scored)]
        if not done:
            raise no_answer(missed[0][1])
        missing |= {model.family: "overloaded" if isinstance(error, Overloaded) else "model_error" for model, error in missed}
        explained = [await self._explain(scored, cleaned) if request.explain else UNSET for scored in done]
        results: dict[str, FamilyAnswer | None] = dict.fromkeys(FAMILIES)
        for scored, said in zip(done, explained, strict=True):
            results[scored.model.family] = FamilyAnswer(
                prediction=prediction(scored, supported=supported),
                performance=performance(scored, cleaned.text, self._elapsed_ms()),
                prediction_id=self._write(live, Outcome(scored=scored), cleaned, route),
                explanation=said,
            )
        compared = comparison(done if supported else ())
        return CompareAnswer(results, compared, done[0].features.status, self._elapsed_ms(), missing)

    async def _answer(
        self,
        cleaned: Input,
        kind: WorkClass,
        route: str,
        family: str | None,
        asker: Asker,
        *,
        explain: bool,
        own: bool = False,
    ) -> Answer:
        live = self._snapshot()
        limits = Limits(kind, self._ends_at(MODELS_SHARE), self._ends_at(BATCH_DEADLINES if kind == "batch" else 1))
        planned = plan(live, family, limits, self._flags, cascade=self._settings.cascade_confidence > 0)
        champion = planned.second or planned.primary
        if not own and self._flags.enabled("experiments"):
            planned = in_experiment(planned, live, cleaned, asker, self._flags)
        if not own:
            planned = self._canaries.place(planned, live, asker.unit_of(cleaned.text))
        planned = with_stand_ins(planned, champion, live, self._live.way_back.before(champion.family), self._flags)
        try:
            outcome = await self._executor.carry_out(planned, cleaned)
        except (Overloaded, ModelFailed) as error:
            raise no_answer(error) from error
        scored = outcome.scored
        degraded = outcome.degraded_reason is not None
        # Before it is recorded: an explanation that comes too late refuses the request.
        explained = await self._explain(scored, cleaned) if explain else UNSET
        compared = cleaned.supported and not degraded
        side_by_side = (
            Comparison()
            if not compared
            else comparison(await self._executor.side_by_side(live, outcome, cleaned, self._ends_at(MODELS_SHARE)))
        )
        if own:
            identity = new_record_id(self._clock().timestamp())
        else:
            identity = self._write(live, outcome, cleaned, route, self._counted(planned.assigned, outcome))
            shadow = live.beside.shadow
            if shadow is not None and self._flags.enabled("experiments") and may_run(shadow, live, self._flags):
                self._shadows.offer(live, scored, cleaned, identity, degraded=degraded)
        return Answer(
            prediction=prediction(scored, supported=cleaned.supported),
            performance=performance(scored, cleaned.text, self._elapsed_ms()),
            comparison=side_by_side,
            prediction_id=identity,
            degraded=degraded,
            degraded_reason=outcome.degraded_reason,
            path=outcome.path,
            feature_status=scored.features.status,
            explanation=explained,
        )

    def _counted(self, assigned: Assigned | None, outcome: Outcome) -> Assigned | None:
        """The arm that the request belongs to, told to client and metrics where it answered; None where it is not loaded here."""
        if assigned is None:
            return None
        failed = assigned.is_here and outcome.degraded_reason == "model_error"
        became = "failed" if failed else "answered" if assigned.is_here else "absent"
        self._metrics.arms.labels(assigned.experiment, str(assigned.phase), assigned.arm, became).inc()
        if not failed:
            answer_headers.set(said_of(assigned))
        return assigned if assigned.is_here else None

    def _clean(self, request: PredictRequest, traffic: str | None) -> Input:
        return clean(request, traffic, max_characters=self._settings.max_text_characters, now=self._clock())

    def _snapshot(self) -> Snapshot:
        return require_live(self._live.current, self._live.why_not_ready())

    async def _score_or_error(self, model: LoadedVersion, cleaned: Input) -> Scored | Overloaded | ModelFailed:
        try:
            return await self._executor.score(model, cleaned, "answer", self._ends_at(MODELS_SHARE))
        except ModelFailed as failed:
            return failed
        except Overloaded as overloaded:
            self._metrics.shed.labels(model.family).inc()
            return overloaded

    async def _explain(self, scored: Scored, cleaned: Input) -> Explanation:
        request_may_wait.set(True)
        try:
            explained = await self._executor.explain(scored, cleaned.text, self._ends_at(EXPLAIN_DEADLINES))
        except (Overloaded, ModelFailed) as error:
            raise no_answer(error) from error
        return explanation(explained)

    def _write(self, live: Snapshot, outcome: Outcome, cleaned: Input, route: str, assigned: Assigned | None = None) -> str:
        identity = self._journal.new_id()
        scored, degraded = outcome.scored, str(outcome.degraded_reason is not None).lower()
        self._metrics.predictions.labels(scored.model.family, "hit" if scored.cache_hit else "miss", degraded).inc()
        self._journal.write(identity, live, outcome, cleaned, route=route, total_ms=self._elapsed_ms(), assigned=assigned)
        return identity

    def _ends_at(self, deadlines: float) -> float:
        return request_started.get() + deadlines * min(self._settings.deadline_ms / 1000, request_deadline_s.get())

    @staticmethod
    def _elapsed_ms() -> float:
        return round((time.perf_counter() - request_started.get()) * 1000, 3)
