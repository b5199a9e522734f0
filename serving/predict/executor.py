"""A plan carried out: the answer of one version out of the cache, out of the same question under way, or by its model; and what stands in."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sentiment_platform.models.family import Explanation
from serving.contract.prediction_bodies import DegradedReason, Path
from serving.contract.request_context import took
from serving.live.loading import LoadedVersion
from serving.live.snapshot import Snapshot
from serving.metrics import Metrics
from serving.predict.answer_figures import Scored
from serving.predict.model_errors import ModelErrors, ModelFailed
from serving.predict.online_features import FeatureReader, Input, OnlineFeatures
from serving.predict.plan import Plan
from serving.predict.prediction_cache import PredictionCache, cache_key
from serving.predict.single_flight import Recent, SingleFlight
from serving.work.classes import Overloaded, WorkClass
from serving.work.runner import Probabilities


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a plan gave.

    Attributes:
        scored: the answer.
        path: which step of the plan it is.
        degraded_reason: why another version answered than planned; None where none did.
        instead_of: that other version, where it was too busy, too slow, or failed.
        also: what other versions of the plan said of the same text.
    """

    scored: Scored
    path: Path = "primary"
    degraded_reason: DegradedReason | None = None
    instead_of: str | None = None
    also: tuple[Scored, ...] = ()


@dataclass(frozen=True, slots=True)
class _Computed:
    probabilities: Probabilities
    cache_hit: bool
    inference_ms: float


class Executor:
    """Runs what a plan names.

    Args:
        sure: confidence from which a cascade asks no second version.
    """

    def __init__(
        self, features: FeatureReader, cache: PredictionCache, errors: ModelErrors, metrics: Metrics, *, sure: float
    ) -> None:
        self._features = features
        self._cache = cache
        self._errors = errors
        self._metrics = metrics
        self._sure = sure
        self._flights: SingleFlight[_Computed] = SingleFlight()
        self._asked = Counter[str]()
        self._recent: Recent[_Computed] = Recent()

    def ask_ahead(self, model: LoadedVersion, cleaned: Input) -> None:
        """Begin to look up what this version will need."""
        self._features.ask_ahead(cleaned, model.schema.version)

    async def carry_out(self, plan: Plan, cleaned: Input) -> Outcome:
        """The answer, degraded where its primary cannot be in time or fails, and the plan has what can stand in.

        Raises:
            Overloaded: nothing in the plan can be in time. ModelFailed: the primary failed, and nothing stands in.
        """
        limits = plan.limits
        ends_at = limits.ends_at if plan.fallback else limits.last_ends_at
        try:
            first = await self.score(plan.primary, cleaned, limits.kind, ends_at)
        except Overloaded as overloaded:
            self._metrics.shed.labels(plan.primary.family).inc()
            if plan.fallback is None:
                raise
            return await self._stand_in(plan, [plan.fallback], cleaned, overloaded, overloaded.reason)
        except ModelFailed as failed:
            return await self._stand_in(plan, plan.stands_in, cleaned, failed, "model_error")
        if plan.degraded is not None:
            return Outcome(scored=first, path="fallback", degraded_reason=self._degraded(plan.degraded))
        if plan.second is None and plan.second_off is None:
            return Outcome(scored=first)
        return await self._go_on(plan, first, cleaned)

    async def _stand_in(
        self, plan: Plan, models: Sequence[LoadedVersion], cleaned: Input, why: Exception, reason: DegradedReason
    ) -> Outcome:
        for model in models:
            try:
                scored = await self.score(model, cleaned, plan.limits.kind, plan.limits.last_ends_at)
            except ModelFailed:
                continue
            except Overloaded:
                self._metrics.shed.labels(model.family).inc()
                continue
            missed = plan.primary.version
            return Outcome(scored=scored, path="fallback", degraded_reason=self._degraded(reason), instead_of=missed)
        if isinstance(why, ModelFailed) and cleaned.supported and cleaned.traffic is None:
            self._errors.unanswered(plan.primary.version, cleaned.text)
        raise why

    async def _go_on(self, plan: Plan, first: Scored, cleaned: Input) -> Outcome:
        second = plan.second
        if first.confidence >= self._sure:
            return Outcome(scored=first, path="cascade_first")
        if second is None:
            off = self._degraded(plan.second_off) if plan.second_off else None
            return Outcome(scored=first, path="cascade_first", degraded_reason=off)
        try:
            surer = await self.score(second, cleaned, plan.limits.kind, plan.limits.ends_at)
        except Overloaded as overloaded:
            self._metrics.shed.labels(second.family).inc()
            reason: DegradedReason = overloaded.reason
        except ModelFailed:
            reason = "model_error"
        else:
            return Outcome(scored=surer, path="cascade_second", also=(first,))
        missed = second.version
        return Outcome(scored=first, path="cascade_first", degraded_reason=self._degraded(reason), instead_of=missed)

    def _degraded(self, reason: DegradedReason) -> DegradedReason:
        self._metrics.degraded.labels(reason).inc()
        return reason

    async def score(self, model: LoadedVersion, cleaned: Input, kind: WorkClass, ends_at: float) -> Scored:
        """The answer of one version.

        Raises:
            Overloaded: it cannot be in time, or was not. ModelFailed: it failed at this text.
        """
        schema = model.schema.version
        # Without its features, which may have to be looked up: enough to know whether somebody asks the same.
        question = "" if model.runner.inline else cache_key(model.manifest_digest, schema, cleaned, ())
        is_asked = question in self._asked or self._recent.get(question) is not None
        if not is_asked and not self._cache.pays and not model.runner.takes(cleaned.text, kind, ends_at):
            raise Overloaded(model.runner.why_not)
        began = time.perf_counter()
        features = await self._features.read(cleaned, schema)
        took("features", time.perf_counter() - began)
        if model.runner.inline and cleaned.is_text_alone:
            # Nothing was looked up, and the answer costs less than asking Redis whether it is there.
            started = time.perf_counter()
            probabilities = await self.ask(model, cleaned.text, features, kind, ends_at)
            return Scored(model, features, probabilities, False, (time.perf_counter() - started) * 1000)
        key = cache_key(model.manifest_digest, schema, cleaned, features.values)
        if self._cache.is_up and (recent := self._recent.get(key)) is not None:
            self._cache.count(hit=True)
            return Scored(model, features, recent.probabilities, True, 0.0)

        async def compute() -> _Computed:
            asked = time.perf_counter()
            kept = await self._cache.get(key, schema)
            took("cache", time.perf_counter() - asked)
            if kept is not None:
                if not model.runner.inline:
                    self._recent.keep(key, _Computed(kept, False, 0.0))
                return _Computed(kept, True, 0.0)
            if (just_now := self._recent.get(key)) is not None:
                return _Computed(just_now.probabilities, True, 0.0)
            started = time.perf_counter()
            probabilities = await self.ask(model, cleaned.text, features, kind, ends_at)
            self._metrics.computed.labels(model.family).inc()
            took_ms = (time.perf_counter() - started) * 1000
            self._cache.put(key, schema, probabilities)
            computed = _Computed(probabilities, False, took_ms)
            if not model.runner.inline:
                self._recent.keep(key, computed)
                self._recent.keep(question, computed)
            return computed

        joins = self._flights.is_under_way(key)
        self._asked[question] += 1
        try:
            computed = await self._flights.do(key, compute)
        finally:
            self._asked[question] -= 1
            if not self._asked[question]:
                del self._asked[question]
        if joins:
            self._cache.count(hit=True)
        return Scored(model, features, computed.probabilities, computed.cache_hit, computed.inference_ms)

    async def side_by_side(self, live: Snapshot, outcome: Outcome, cleaned: Input, ends_at: float) -> list[Scored]:
        """The answer, and those of the other families that were asked or cost next to nothing; not cached, not journalled."""
        scored = outcome.scored
        done = [scored, *outcome.also]
        for model in live.models.values():
            if (
                model.runner.inline
                and model.schema is scored.model.schema
                and all(model.family != each.model.family for each in done)
            ):
                try:
                    probabilities = await self.ask(model, cleaned.text, scored.features, "batch", ends_at)
                except (Overloaded, ModelFailed):
                    continue
                done.append(Scored(model, scored.features, probabilities, False, 0.0))
        return done

    async def explain(self, scored: Scored, text: str, ends_at: float) -> Explanation:
        """Where the sentiment of an answer comes from.

        Raises:
            As `score`.
        """
        began = time.perf_counter()
        try:
            explained = await scored.model.runner.explain(text, scored.features.values, ends_at)
        except Overloaded:
            raise
        except Exception as error:
            raise self._errors.failed(scored.model, error) from error
        took("explanation", time.perf_counter() - began)
        return explained

    async def ask(
        self, model: LoadedVersion, text: str, features: OnlineFeatures, kind: WorkClass, ends_at: float
    ) -> Probabilities:
        """What the model says, past the cache.

        Raises:
            As `score`.
        """
        try:
            return await model.runner.run(text, features.values, kind, ends_at)
        except Overloaded:
            raise
        except Exception as error:
            raise self._errors.failed(model, error) from error
