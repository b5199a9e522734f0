"""Pages and the stream of events: all tabs of a browser share one, and none holds up a process that leaves."""

import time

import pytest
from playwright.sync_api import expect

from sentiment_platform_tests.dashboard.conftest import OpenPage
from sentiment_platform_tests.serving.running import ServingProcess, metric

pytestmark = [pytest.mark.browser, pytest.mark.slow]
TABS = 7
"""A browser opens six connections to a host; a stream in each tab would leave none for the seventh."""


def streams(serving: ServingProcess) -> float:
    return metric(serving.client.get("/metrics").text, "serving_event_streams")


def test_seven_tabs_share_one_stream_and_each_of_them_works(open_page: OpenPage, platform: ServingProcess) -> None:
    first = open_page("/")
    tabs = [first, *(open_page("/", beside=first) for _ in range(TABS - 1))]
    platform.wait_until(lambda: streams(platform) == 1)
    for tab in tabs:
        expect(tab.get_by_text("live: events come as they happen")).to_be_visible()
    first.close()
    platform.wait_until(lambda: streams(platform) == 1)
    expect(tabs[-1].get_by_text("live: events come as they happen")).to_be_visible()


def test_a_process_that_leaves_is_not_held_up_by_a_page(open_page: OpenPage, platform: ServingProcess) -> None:
    said: list[str] = []
    page = open_page("/", said=said)
    platform.wait_until(lambda: streams(platform) == 1)
    began = time.monotonic()
    platform.terminate()
    left_s = time.monotonic() - began
    try:
        assert left_s < 5, "the stream and the idle connections would otherwise take the whole grace of ten seconds"
    finally:
        platform.start()
    expect(page.get_by_text("live: events come as they happen")).to_be_visible()
