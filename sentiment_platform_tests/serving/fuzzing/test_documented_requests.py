"""Requests made of the OpenAPI document, good and bad, with and without a key, over real servers: nothing but what it documents."""

from collections.abc import Iterator

import pytest

from sentiment_platform.settings import Settings
from sentiment_platform_tests.serving.fuzzing.documented import findings, operations_without_success
from sentiment_platform_tests.serving.fuzzing.world import World, world

pytestmark = pytest.mark.slow
TAKING_A_KEY = "^/(models/(select|promote|rollback)|feedback|monitoring/alerts/.*|audit|flags/.*)$"
WITHOUT = ("/predict/finbert",)
"""No transformer is deployed here; `make soak` has one."""


@pytest.fixture(scope="module")
def live(module_settings: Settings) -> Iterator[World]:
    with world(module_settings) as made:
        yield made


@pytest.mark.parametrize(("key", "only"), [(False, ""), (True, TAKING_A_KEY)])
def test_what_is_generated_of_the_document_is_answered_as_the_document_says(live: World, key: bool, only: str) -> None:
    if found := findings(live, key=key, examples=3, seed=16, limit_s=200, only=only, without=WITHOUT):
        pytest.fail(found + live.serving.log_text(), pytrace=False)


def test_every_operation_succeeded_at_least_once(live: World) -> None:
    # With a few requests each, the one version and the one alert that may be named are found by luck.
    for path, body in (
        ("/models/promote", {"version": live.known["version"][-1], "reason": "a test"}),
        ("/models/rollback", {"reason": "a test"}),
        (f"/monitoring/alerts/{live.known['incident_id'][0]}/ack", {}),
    ):
        live.serving.client.post(path, json={**body, "dry_run": True}, headers={"X-API-Key": live.key})
    switch = {"enabled": False, "reason": "a test", "dry_run": True}
    live.serving.client.put("/flags/experiments", json=switch, headers={"X-API-Key": live.key})
    assert operations_without_success(live, without=WITHOUT) == []


def test_no_made_up_request_turned_a_switch_off(live: World) -> None:
    assert set(live.serving.client.get("/flags").json()["here"].values()) == {True}
