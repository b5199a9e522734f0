"""The pages at a host of their own: they ask the API of another origin, which must list theirs."""

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from sentiment_platform.local.processes.ports import free_port
from sentiment_platform_tests.dashboard.alone import VITE, build_for, static_server
from sentiment_platform_tests.dashboard.conftest import settled
from sentiment_platform_tests.dashboard.page_table import in_use
from sentiment_platform_tests.serving.running import ServingProcess

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not VITE.exists(), reason="no npm packages: make dashboard"),
]


def heard(page: Page) -> list[str]:
    lines: list[str] = []
    page.on("console", lambda message: lines.append(message.text))
    page.on("pageerror", lambda error: lines.append(str(error)))
    return lines


def test_three_pages_at_a_host_of_their_own_work_where_the_api_lists_their_origin(
    browser: Browser, platform: ServingProcess, tmp_path: Path
) -> None:
    port = free_port()
    api = f"http://127.0.0.1:{port}"
    build_for(api, tmp_path / "dist")
    with static_server(tmp_path / "dist", api) as site:
        changed = {"PORT": str(port), "SENTIMENT_CORS_ORIGINS": site, "SENTIMENT_DEADLINE_MS": "2000"}
        serving = ServingProcess(replace(platform.settings, state_dir=tmp_path / "state"), **changed)
        serving.client.base_url = api
        try:
            serving.start()
            page = browser.new_page()
            said = heard(page)
            page.goto(site)
            settled(page)
            expect(page.get_by_text("live: events come as they happen")).to_be_visible()
            expect(page.locator("main")).to_contain_text("v1.1.0-finbert")
            page.goto(site + in_use("/app/models/compare"))
            settled(page)
            expect(page.locator("main")).to_contain_text("is better than v1.0.0-finbert")
            page.goto(site + in_use("/app/try"))
            settled(page)
            expect(page.locator("main")).to_contain_text("Both models say")
            assert said == []

            serving.stop()
            serving = ServingProcess(serving.settings, PORT=str(port), SENTIMENT_CORS_ORIGINS="https://elsewhere.example")
            serving.client.base_url = api
            serving.start()
            page.goto(site)
            expect(page.locator("main")).to_contain_text("The API cannot be reached")
            assert any("CORS policy" in line for line in said)
            page.close()
        finally:
            serving.stop()
