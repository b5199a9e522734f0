"""Claims about one question that many ask while the model has no time left: it is computed once, and all who ask it are answered."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

import pytest
import redis

from sentiment_platform.features.schema import V1
from sentiment_platform.models.families import FAMILIES, FamilyEntry
from sentiment_platform.models.reading import TextReader
from sentiment_platform.models.vader.training import VaderFamily
from sentiment_platform_tests.registry.examples import manifest_of
from sentiment_platform_tests.serving.publishing import trained
from sentiment_platform_tests.serving.turtle import load
from serving.contract.health_bodies import DependencyStatus
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
        metrics, away = Metrics(), RedisLink("")
        cache = PredictionCache(away)
        for number in range(400):
            await cache.get(f"{number}", "v1")
        assert not cache.pays
        executor = Executor(FeatureReader(away), cache, ModelErrors(metrics, lambda *_: None), metrics, sure=0)

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


def test_a_question_that_was_answered_just_now_costs_no_round_trip(turtle: LoadedVersion, redis_url: str) -> None:
    async def ask() -> None:
        metrics, link = Metrics(), RedisLink(redis_url)
        executor = Executor(FeatureReader(link), PredictionCache(link), ModelErrors(metrics, lambda *_: None), metrics, sure=0)
        with redis.Redis.from_url(redis_url) as server:

            async def answer(text: str) -> tuple[bool, int]:
                before = reads(server)
                scored = await executor.score(turtle, Input(text), "answer", time.perf_counter() + WITHIN_S)
                return scored.cache_hit, reads(server) - before

            assert await link.connected()
            await link.probe()
            assert await answer("Profit rose") == (False, 1)
            assert [await answer("Profit rose") for _ in range(3)] == [(True, 0)] * 3
            assert await answer("Profit fell") == (False, 1), "the control: another question looks"
            # Of another process: one look brings what it kept.
            executor = Executor(
                FeatureReader(link), PredictionCache(link), ModelErrors(metrics, lambda *_: None), metrics, sure=0
            )
            assert [await answer("Profit rose") for _ in range(2)] == [(True, 1), (True, 0)]
            link.status = DependencyStatus("down")
            assert await answer("Profit rose") == (True, 1), "what is thought to be away is asked whether it is back"
            # Where it is away indeed, what was answered just now is still no new computation, and says so.
            executor = Executor(
                FeatureReader(link), PredictionCache(RedisLink("")), ModelErrors(metrics, lambda *_: None), metrics, sure=0
            )
            assert [await answer("Profit is flat") for _ in range(2)] == [(False, 0), (True, 0)]
        await link.close()

    asyncio.run(ask())


def reads(server: "redis.Redis") -> int:
    counted = cast("dict[str, dict[str, int]]", server.info("commandstats"))
    return counted.get("cmdstat_get", {}).get("calls", 0)
