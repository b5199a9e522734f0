"""Claims about one question that many ask while the model has no time left: it is computed once, and all who ask it are answered."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sentiment_platform.features.schema import V1
from sentiment_platform.models.families import FAMILIES, FamilyEntry
from sentiment_platform.models.reading import TextReader
from sentiment_platform.models.vader.training import VaderFamily
from sentiment_platform_tests.registry.examples import manifest_of
from sentiment_platform_tests.serving.publishing import trained
from sentiment_platform_tests.serving.turtle import load
from serving.links.redis_link import RedisLink
from serving.live.loading import LoadedVersion
from serving.metrics import Metrics
from serving.predict.answer_figures import Scored
from serving.predict.executor import Executor
from serving.predict.model_errors import ModelErrors
from serving.predict.online_features import FeatureReader, Input
from serving.predict.prediction_cache import PredictionCache
from serving.work.classes import Overloaded
from serving.work.runner import ModelRunner
from serving.work.scheduler import Scheduler

TURTLE_S, WITHIN_S = 0.5, 4.0
ASKERS = 300


@pytest.fixture
def turtle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LoadedVersion]:
    monkeypatch.setenv("TURTLE_S", str(TURTLE_S))
    monkeypatch.setitem(FAMILIES, "turtle", FamilyEntry(description="slow", loader="", trainer="", cost=100))
    state, data = trained()
    VaderFamily().export(state, data, tmp_path, lambda _: None)
    model = TextReader(load(tmp_path))
    with ThreadPoolExecutor(1) as threads:
        runner = ModelRunner("turtle", model, Scheduler(threads, 1, deadline_s=WITHIN_S))
        runner.try_out(["Harbour Mills reports great profit"], len(V1.names))
        manifest = manifest_of("v1.0.0-turtle")
        yield LoadedVersion(
            family="turtle",
            version="v1.0.0-turtle",
            manifest_digest="ab" * 32,
            manifest=manifest,
            schema=V1,
            model=model,
            runner=runner,
        )


def test_whoever_asks_what_is_being_computed_is_answered_though_the_queue_is_full_and_the_cache_is_of_no_use(
    turtle: LoadedVersion,
) -> None:
    async def ask() -> None:
        metrics, redis = Metrics(), RedisLink("")
        cache = PredictionCache(redis)
        for number in range(400):
            await cache.get(f"{number}", "v1")
        assert not cache.pays
        executor = Executor(FeatureReader(redis), cache, ModelErrors(metrics, lambda *_: None), metrics, sure=0)

        def score(text: str) -> asyncio.Task[Scored]:
            asked = executor.score(turtle, Input(text), "answer", time.perf_counter() + WITHIN_S)
            return asyncio.get_running_loop().create_task(asked)

        crowd = [score(f"Harbour Mills reports great profit in {1900 + number}") for number in range(100)]
        hot = [score("Harbour Mills reports great profit in 1900") for _ in range(ASKERS)]
        others = await asyncio.gather(*crowd, return_exceptions=True)
        assert any(isinstance(each, Overloaded) for each in others), "the control: a question of one's own is refused"
        answers = await asyncio.gather(*hot)
        assert {answer.probabilities for answer in answers} == {answers[0].probabilities}
        computed = sum(isinstance(each, Scored) for each in others)
        assert metrics.total(metrics.computed) == computed, "those who joined cost no computation"
        assert cache.pays, "what is joined counts as there: the door lets it in"

    asyncio.run(ask())
