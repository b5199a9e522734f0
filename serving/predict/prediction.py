"""From a cleaned request to an answer: features, cache, model, comparison, journal. The use case behind every /predict route."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from msgspec import UNSET, UnsetType

from sentiment_platform.clock import Clock
from sentiment_platform.models.families import FAMILIES
from sentiment_platform.registry.own_questions import is_own_question
from sentiment_platform.registry.signing import PublicKeys
from sentiment_platform.settings import Settings
from serving.contract.prediction_bodies import Answer, CompareAnswer, Comparison, Explanation, FamilyAnswer, PredictRequest
from serving.contract.problem_bodies import FieldError
from serving.contract.problems import Problem, invalid, unavailable
from serving.contract.request_context import request_started
from serving.journal.journal_records import new_record_id
from serving.live.inference import Overloaded
from serving.live.live import LiveModels
from serving.live.loading import LoadedVersion
from serving.live.snapshot import Snapshot
from serving.metrics import Metrics
from serving.predict.answer_figures import Scored, comparison, explanation, performance, prediction
from serving.predict.online_features import FeatureReader, Input
from serving.predict.prediction_cache import PredictionCache, cache_key
from serving.predict.prediction_journal import PredictionJournal
from serving.predict.published_time import published_time
from serving.predict.router import cheapest, default, named, require_live
from serving.predict.text_input import known_outlet, readable_symbol, readable_text


class Predictor:
    """Answers texts with whatever is live; each answer comes from one snapshot."""

    def __init__(
        self,
        settings: Settings,
        live: LiveModels,
        features: FeatureReader,
        cache: PredictionCache,
        journal: PredictionJournal,
        metrics: Metrics,
        *,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._keys = PublicKeys.parse(settings.public_keys)
        self._live = live
        self._features = features
        self._cache = cache
        self._journal = journal
        self._metrics = metrics
        self._clock = clock

    async def answer(
        self, request: PredictRequest, route: str, family: str | None = None, *, question: str | None = None
    ) -> Answer:
        """The answer of `family`, or of the default one; degraded to the cheapest when that cannot meet the deadline.

        Args:
            question: the signature that makes it a question of our own, which is recorded nowhere (`registry.own_questions`).

        Raises:
            Problem: 400 for the text, 503 when nothing is live, or `family` is not deployed or too busy.
        """
        cleaned = self._clean(request)
        supported = cleaned.supported
        live = self._snapshot()
        chosen = named(live, family) if family else default(live)
        degraded = False
        try:
            scored = await self._score(chosen, cleaned)
        except Overloaded as overloaded:
            self._metrics.shed.labels(chosen.family).inc()
            fallback = cheapest(live)
            if family is not None or fallback is chosen or not fallback.runner.inline:
                raise unavailable("overloaded", str(overloaded)) from overloaded
            degraded = True
            scored = await self._score(fallback, cleaned)
        compared = supported and not degraded
        side_by_side = Comparison() if not compared else comparison([scored, *await self._cheap_others(live, scored, cleaned)])
        if is_own_question(self._keys, request.text, question):
            identity = new_record_id(self._clock().timestamp())
        else:
            identity = self._write(live, scored, cleaned, route, degraded=degraded)
        return Answer(
            prediction=prediction(scored, supported=supported),
            performance=performance(scored, cleaned.text, self._elapsed_ms()),
            comparison=side_by_side,
            prediction_id=identity,
            degraded=degraded,
            feature_status=scored.features.status,
            explanation=await self._explain(request, scored, cleaned),
        )

    async def batch(self, requests: Sequence[PredictRequest], route: str) -> list[Answer]:
        """Every answer, in order; a text that is refused refuses the batch, and all that are refused are named."""
        refused: list[FieldError] = []
        for number, request in enumerate(requests):
            try:
                self._clean(request)
            except Problem as problem:
                refused += [FieldError(f"items[{number}].{fault.field}", number, fault.message) for fault in problem.errors]
        if refused:
            raise invalid(refused)
        return list(await asyncio.gather(*(self.answer(request, route) for request in requests)))

    async def compare(self, request: PredictRequest, route: str) -> CompareAnswer:
        """Every live family at the same time; null for one that is too busy."""
        cleaned = self._clean(request)
        supported = cleaned.supported
        live = self._snapshot()
        answers = await asyncio.gather(*(self._score_or_none(model, cleaned) for model in live.models.values()))
        done = [scored for scored in answers if scored is not None]
        if not done:
            raise unavailable("overloaded", str(Overloaded()))
        results: dict[str, FamilyAnswer | None] = dict.fromkeys(FAMILIES)
        for scored in done:
            identity = self._write(live, scored, cleaned, route, degraded=False)
            results[scored.model.family] = FamilyAnswer(
                prediction=prediction(scored, supported=supported),
                performance=performance(scored, cleaned.text, self._elapsed_ms()),
                prediction_id=identity,
                explanation=await self._explain(request, scored, cleaned),
            )
        return CompareAnswer(results, comparison(done if supported else ()), done[0].features.status, self._elapsed_ms())

    def _clean(self, request: PredictRequest) -> Input:
        """The request as it is judged and kept; every field at fault is named."""
        read, refused = list[Any](), list[Problem]()
        for reader in (
            lambda: readable_text(request.text, self._settings.max_text_characters),
            lambda: readable_symbol(request.ticker, "ticker"),
            lambda: known_outlet(request.source),
            lambda: published_time(request.published_at, self._clock()),
        ):
            try:
                read.append(reader())
            except Problem as problem:
                refused.append(problem)
        if refused:
            raise refused[0] if len(refused) == 1 else invalid([fault for problem in refused for fault in problem.errors])
        return Input(*read, traffic=request.traffic)

    def _snapshot(self) -> Snapshot:
        return require_live(self._live.current, self._live.why_not_ready())

    async def _score(self, model: LoadedVersion, cleaned: Input) -> Scored:
        schema = model.schema.version
        features = await self._features.read(cleaned, schema)
        key = cache_key(model.manifest_digest, schema, cleaned, features.values)
        kept = await self._cache.get(key, schema)
        if kept is not None:
            return Scored(model, features, kept, True, 0.0)
        started = time.perf_counter()
        left_s = self._settings.deadline_ms / 1000 - (started - request_started.get())
        probabilities = await model.runner.run(cleaned.text, features.values, left_s)
        took_ms = (time.perf_counter() - started) * 1000
        self._cache.put(key, schema, probabilities)
        return Scored(model, features, probabilities, False, took_ms)

    async def _score_or_none(self, model: LoadedVersion, cleaned: Input) -> Scored | None:
        try:
            return await self._score(model, cleaned)
        except Overloaded:
            self._metrics.shed.labels(model.family).inc()
            return None

    async def _cheap_others(self, live: Snapshot, scored: Scored, cleaned: Input) -> list[Scored]:
        """The other families that cost next to nothing, for the comparison; not cached, not journalled."""
        others: list[Scored] = []
        for model in live.models.values():
            if model is not scored.model and model.runner.inline and model.schema is scored.model.schema:
                probabilities = await model.runner.run(cleaned.text, scored.features.values, 0)
                others.append(Scored(model, scored.features, probabilities, False, 0.0))
        return others

    async def _explain(self, request: PredictRequest, scored: Scored, cleaned: Input) -> Explanation | UnsetType:
        if not request.explain:
            return UNSET
        return explanation(await scored.model.runner.explain(cleaned.text, scored.features.values))

    def _write(self, live: Snapshot, scored: Scored, cleaned: Input, route: str, *, degraded: bool) -> str:
        identity = new_record_id(self._clock().timestamp())
        self._metrics.predictions.labels(scored.model.family, "hit" if scored.cache_hit else "miss", str(degraded).lower()).inc()
        self._journal.write(identity, live, scored, cleaned, route=route, degraded=degraded, total_ms=self._elapsed_ms())
        return identity

    @staticmethod
    def _elapsed_ms() -> float:
        return round((time.perf_counter() - request_started.get()) * 1000, 3)
