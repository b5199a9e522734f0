"""The sensor of selections over a real instance: a run that fails is asked for again after growing pauses, and not for ever."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

import dagster as dg
import pytest
from sqlalchemy import Engine

from sentiment_platform.clock import utc_now
from sentiment_platform.promotion.sensors import PAUSES, a_version_was_selected
from sentiment_platform.store.resources import PlatformResource
from sentiment_platform.store.selections import close_selection_requests, open_selection_requests
from sentiment_platform_tests.promotion.seeding import ask

Tick = Callable[..., dg.RunRequest | str]


@dg.op
def fail() -> None:
    raise dg.Failure("GitHub answers 500", allow_retries=False)


@dg.job(name="deploy_job")
def failing_publication() -> None:
    fail()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def platform(database_url: str) -> PlatformResource:
    return PlatformResource(overrides={"DATABASE_URL": database_url})


@pytest.fixture
def tick(platform: PlatformResource, instance: dg.DagsterInstance) -> Tick:
    return partial(look, platform, instance)


def look(platform: PlatformResource, instance: dg.DagsterInstance, ahead: timedelta = timedelta()) -> dg.RunRequest | str:
    """The run that is asked for at a time from now, or why none is."""
    later = PlatformResource(overrides=platform.overrides, fixed_now=(utc_now() + ahead).isoformat())
    with dg.build_sensor_context(instance=instance, resources={"platform": later}) as context:
        result = a_version_was_selected(context)
    if isinstance(result, dg.SensorResult):
        (request,) = result.run_requests or []
        return request
    assert isinstance(result, dg.SkipReason)
    return result.skip_message or ""


def test_a_run_that_fails_is_asked_for_again_three_times_after_growing_pauses(
    engine: Engine, instance: dg.DagsterInstance, tick: Tick
) -> None:
    assert tick() == "no open selection request"
    ask(engine, "one", "vader", "v1.0.0-vader")
    keys: list[str | None] = []
    for pause in (timedelta(), *PAUSES):
        if pause:
            assert "the next is asked for at" in str(tick(pause - timedelta(seconds=30)))
        request = tick(pause + timedelta(seconds=1))
        assert isinstance(request, dg.RunRequest)
        keys.append(request.run_key)
        assert not failing_publication.execute_in_process(instance=instance, tags=request.tags, raise_on_error=False).success
    assert len(set(keys)) == len(keys) == 4
    assert "4 runs did not publish it" in str(tick(timedelta(days=30)))
    # Whoever asks again is heard, with attempts of its own.
    ask(engine, "two", "vader", "v1.0.0-vader")
    assert isinstance(tick(), dg.RunRequest)


def test_a_selection_that_was_published_is_not_asked_for_again(engine: Engine, tick: Tick) -> None:
    ask(engine, "one", "vader", "v1.0.0-vader")
    with engine.begin() as connection:
        close_selection_requests(connection, [one.id for one in open_selection_requests(connection)], 1)
    assert tick(timedelta(days=1)) == "no open selection request"
