"""The order of a poll and of a choice that is made meanwhile; the moment between them cannot be hit from outside, so both are played."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any, cast

import pytest

from sentiment_platform_tests.serving.live.selected import selection
from serving.live.poller import Poller
from serving.live.selections import Selection

OLDER = [selection("v1.0.0-vader")]


class Seen:
    """Stands for a snapshot."""


class Played:
    """What a poller follows and where it reads: `current` changes while the selections are read, where `chooses` says so."""

    def __init__(self, chooses: bool) -> None:
        self.current = Seen()
        self.facts = None
        self.registry = type("Registry", (), {"reachable": True})()
        self.polled: list[list[Selection] | None] = []
        self._chooses = chooses

    def selections(self) -> list[Selection]:
        return []

    def start_from_cache(self, selections: Sequence[Selection]) -> None:
        assert list(selections) == OLDER

    async def call(self, _read: object, *, limit_s: float) -> list[Selection]:
        assert limit_s > 0
        if self._chooses:
            self.current = Seen()
        return OLDER

    def is_behind(self) -> bool:
        return False

    def poll(self, selections: list[Selection] | None) -> None:
        self.polled.append(selections)


async def one_poll(played: Played) -> None:
    poller = Poller(cast("Any", played), cast("Any", played), cast("Any", played), poll_s=60.0)
    running = asyncio.create_task(poller.run())
    while not played.polled:
        await asyncio.sleep(0.01)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    poller.close()


@pytest.mark.parametrize(("chooses", "polled"), [(True, None), (False, OLDER)])
def test_a_poll_forgets_what_it_read_before_a_choice_was_made(chooses: bool, polled: list[Selection] | None) -> None:
    played = Played(chooses)
    asyncio.run(asyncio.wait_for(one_poll(played), 20))
    assert played.polled == [polled]
