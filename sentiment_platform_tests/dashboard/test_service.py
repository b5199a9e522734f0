"""The page of the service: what was not served as asked is told with its reason; a switch is tried, turned with a key, and followed."""

import contextlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import expect

from sentiment_platform.local.parts.postgres import LocalPostgres
from sentiment_platform.settings import Settings
from sentiment_platform_tests.dashboard.conftest import OpenPage, axe, own_platform, screenshot
from sentiment_platform_tests.dashboard.layout import too_wide
from sentiment_platform_tests.dashboard.platform_in_use import ADMIN_KEY
from sentiment_platform_tests.faults.postgres import own_server
from sentiment_platform_tests.serving.publishing import Publisher
from sentiment_platform_tests.serving.running import ServingProcess

pytestmark = [pytest.mark.browser, pytest.mark.slow]
REFUSED = "the server responded with a status of 401"


def test_a_switch_is_tried_turned_and_followed_and_the_page_tells_what_it_cost(
    open_page: OpenPage, platform: ServingProcess
) -> None:
    def flag() -> dict[str, object]:
        return next(flag for flag in platform.client.get("/flags").json()["flags"] if flag["name"] == "transformer")

    said: list[str] = []
    page = open_page("/app/service", said=said)
    load = page.locator("section").filter(has_text="Load of this process")
    assert platform.process
    expect(load).to_contain_text(f":{platform.process.pid}")
    for figure in ("Requests a second", "Saturation"):
        expect(load.locator(".stat").filter(has_text=figure)).to_contain_text(re.compile(r"\d"))
    expect(load).to_contain_text(re.compile(r"it could answer about [\d,]+ of this kind|too few to tell what it could answer"))
    switch = page.locator("#switches li").filter(has_text="transformer")
    expect(switch).to_contain_text("Nobody ever turned it.")
    try:
        switch.get_by_role("button", name="Turn off: transformer").press("Enter")
        expect(switch.get_by_label("Why")).to_be_focused()
        tried = switch.get_by_role("button", name="Try it first, changing nothing")
        expect(tried).to_be_disabled()
        page.keyboard.type("its answers are wrong since noon")
        page.keyboard.press("Tab")
        page.keyboard.type("not-the-key")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("A key of this platform is needed")
        assert [line for line in said if REFUSED not in line] == []
        said.clear()
        switch.get_by_label("API key").fill(ADMIN_KEY)
        tried.press("Enter")
        expect(switch).to_contain_text("transformer would be off")
        expect(switch).to_contain_text("The cheapest answers, degraded")
        assert flag()["revision"] == 0, "a dry run changes nothing"
        screenshot(page, "service-switch-tried", whole=True)
        done = switch.get_by_role("button", name="Do it")
        expect(done).to_be_focused()
        done.press("Enter")
        expect(switch).to_contain_text("transformer is off.")
        expect(switch.locator("ol.steps li").nth(2)).to_contain_text(re.compile(r"done: 1 of 1"), timeout=20_000)
        assert (flag()["enabled"], flag()["actor"]) == (False, "configured admin")
        switch.get_by_role("button", name="Close").press("Enter")
        band = page.locator("main .band.warning").filter(has_text="transformer is off.")
        expect(band).to_contain_text("by configured admin, ")
        expect(band).to_contain_text("its answers are wrong since noon")

        assert platform.predict("Harbour Mills raises its dividend")["degraded_reason"] == "kill_switch"
        again = open_page("/app/service")
        tile = again.locator(".stat").filter(has_text="a stand-in answered")
        expect(tile).to_contain_text(re.compile(r"\d switched off"), timeout=30_000)
        hour = again.locator(".card").filter(has=again.get_by_role("heading", name="The last hour"))
        expect(hour).to_contain_text(re.compile(r"given by a stand-in: .*\d switched off"), timeout=30_000)
        screenshot(again, "service-switched-off", whole=True)

        switch.get_by_role("button", name="Turn on: transformer").press("Enter")
        switch.get_by_label("Why").fill("right again")
        switch.get_by_label("API key").press("Enter")  # asked once: the tab has it
        switch.get_by_role("button", name="Do it").press("Enter")
        expect(switch).to_contain_text("transformer is on.")
        expect(band).to_have_count(0)
    finally:
        reason = {"enabled": True, "reason": "after the test"}
        platform.client.put("/flags/transformer", json=reason, headers={"X-API-Key": ADMIN_KEY})
    assert platform.predict("Harbour Mills lowers its dividend")["degraded"] is False


@pytest.fixture
def alone(
    built: Path,
    tmp_path: Path,
    new_database: Callable[..., str],
    _migrated_database: str,
    _redis_server_url: str,
    signing_keys: dict[str, str],
) -> Iterator[Settings]:
    """Of a platform of this test's own."""
    with own_platform(tmp_path, new_database(_migrated_database), _redis_server_url, signing_keys) as settings:
        yield settings


def test_a_canary_is_told_with_its_share_its_end_and_who_answers_the_rest(open_page: OpenPage, alone: Settings) -> None:
    first, second = "v1.0.0-vader", "v1.0.1-vader"
    publisher = Publisher(alone)
    publisher.deploy(publisher.model(first))
    serving = ServingProcess(alone, SENTIMENT_CANARY_SHARE="0.3")
    try:
        serving.start()
        page = open_page("/app/service", serving=serving)
        families = page.locator(".card").filter(has=page.get_by_role("heading", name="Families"))
        expect(families).to_contain_text("No canary runs")
        serving.predict()
        publisher.deploy(publisher.model(second, steepness=3.5))
        serving.wait_until(lambda: serving.status()["families"]["vader"]["canary"])
        page.reload()
        rest = f"Canary: {second} answers 30 % of the units of vader, and {first}, which answered before, the rest"
        expect(families).to_contain_text(rest)
        expect(families).to_contain_text("After 50 more texts in this process the watch looks at it")
        expect(families).to_contain_text(re.compile(r"It answers all at the latest in \d+ (s|min)"))
        screenshot(page, "service-canary", whole=True)
        page.set_viewport_size({"width": 390, "height": 900})
        assert (too_wide(page), axe(page)) == ([], [])
        screenshot(page, "service-canary-390", whole=True)
        page.close()  # before its stream of events is cut, which it would say
    finally:
        serving.stop()
        publisher.close()


@pytest.fixture
def own_postgres(servers_dir: Path) -> Iterator[LocalPostgres]:
    """That may be stopped: nobody else uses it."""
    with own_server(servers_dir / "page-postgres") as server:
        yield server


@contextlib.contextmanager
def stopped(server: LocalPostgres) -> Iterator[None]:
    """Every process of it by SIGSTOP, as a machine that hangs."""
    postmaster = psutil.Process(server.pid)
    every = [postmaster, *postmaster.children(recursive=True)]
    for process in every:
        process.suspend()
    try:
        yield
    finally:
        for process in every:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()


@pytest.fixture
def on_own_postgres(
    built: Path, tmp_path: Path, own_postgres: LocalPostgres, _redis_server_url: str, signing_keys: dict[str, str]
) -> Iterator[Settings]:
    """Of a platform whose database may be stopped."""
    with own_platform(tmp_path, own_postgres.url, _redis_server_url, signing_keys) as settings:
        yield settings


def test_without_the_database_the_page_says_first_what_is_wrong_and_shows_what_the_process_knows(
    open_page: OpenPage, own_postgres: LocalPostgres, on_own_postgres: Settings
) -> None:
    settings = on_own_postgres
    publisher = Publisher(settings)
    publisher.deploy(publisher.model("v1.0.0-vader"))
    serving = ServingProcess(settings)
    try:
        serving.start()
        for number in range(30):
            serving.predict(f"Harbour Mills raises its dividend by {number} cents")
        serving.wait_until(lambda: serving.health()["journal_backlog_records"] == 0)
        said: list[str] = []
        page = open_page("/app/service", serving=serving, said=said)
        verdict = page.locator(".verdict")
        expect(verdict).to_contain_text("It serves well.", timeout=20_000)
        expect(page.locator("#load")).to_contain_text(re.compile(r"Replica [0-9a-f]{8} in flags.*:\d+ in the metrics"))
        tops = {
            name: page.get_by_role("heading", name=name, exact=True).bounding_box() for name in ("What it uses", "Time to answer")
        }
        assert (tops["What it uses"] or {"y": 9e9})["y"] < (tops["Time to answer"] or {"y": 0})["y"], "before the charts"
        screenshot(page, "service-light", whole=True)
        dark = open_page("/app/service", serving=serving, theme="dark")
        screenshot(dark, "service-dark", whole=True)
        dark.close()
        with stopped(own_postgres):
            serving.predict()
            serving.wait_until(lambda: serving.health()["dependencies"]["postgresql"]["status"] == "down", 15)
            page.reload()
            expect(verdict).to_contain_text("postgresql does not answer", timeout=20_000)
            expect(page.locator("#load")).to_contain_text("Requests a second")
            expect(page.locator("#process")).to_contain_text(re.compile(r"Journal\s*1"))
            expect(page.locator("#switches")).to_contain_text("Only what this process goes by is known")
            expect(page.locator("#hour")).to_contain_text("The database does not tell it")
            for width in (1280, 390):
                page.set_viewport_size({"width": width, "height": 900})
                assert (too_wide(page), axe(page)) == ([], [])
                screenshot(page, f"service-no-database-{width}", whole=True)
        expect(verdict).to_contain_text("It serves well.", timeout=40_000)
        assert (too_wide(page), axe(page)) == ([], [])
        screenshot(page, "service-390", whole=True)
        assert [line for line in said if "503" not in line] == [], "only what the database alone knows is refused"
        page.close()
    finally:
        serving.stop()
        publisher.close()
