"""The pages at a host of their own: they ask the API of another origin, which must list theirs."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from sentiment_platform.local.processes.ports import free_port
from sentiment_platform_tests.dashboard.alone import VITE, build_for, static_server
from sentiment_platform_tests.dashboard.conftest import settled
from sentiment_platform_tests.dashboard.page_table import ROOT, in_use
from sentiment_platform_tests.serving.running import ServingProcess

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not VITE.exists(), reason="no npm packages: make dashboard"),
]


ASK = "(address) => fetch(address).then((answer) => answer.status, (fault) => fault.message)"
"""The status of an answer, or why there is none."""


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
    with static_server(tmp_path / "dist") as site:
        changed = {"PORT": str(port), "SENTIMENT_CORS_ORIGINS": site, "SENTIMENT_DEADLINE_MS": "2000"}
        serving = ServingProcess(replace(platform.settings, state_dir=tmp_path / "state"), **changed)
        serving.client.base_url = api
        try:
            serving.start()
            assert build_for(api, tmp_path / "dist") == ""
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
            # Anybody else is not asked, although the host's header allows it.
            assert page.evaluate(ASK, api + "/about") == 200
            for other in (platform.url, site):
                assert page.evaluate(ASK, other + "/about") == "Failed to fetch"
                assert any(f'directive: "connect-src {api}"' in line for line in said)
                said.clear()

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


def test_pages_are_not_built_for_an_api_that_is_older_or_away_or_no_origin(tmp_path: Path) -> None:
    document = json.loads((ROOT / "serving" / "openapi.json").read_text())
    del document["paths"]["/tickers"]
    del document["components"]["schemas"]["NewsItem"]["properties"]["outlet"]
    (tmp_path / "older" / "schema").mkdir(parents=True)
    (tmp_path / "older" / "schema" / "openapi.json").write_text(json.dumps(document))
    with static_server(tmp_path / "older") as older:
        refused = build_for(older, tmp_path / "dist")
        assert "lacks GET /tickers, NewsItem.outlet. Release serving first" in refused
        shutil.copy(ROOT / "serving" / "openapi.json", tmp_path / "older" / "schema")
        assert build_for(older, tmp_path / "dist") == "", "the control"
    assert "gives no answer. Serving is released before its dashboard" in build_for(older, tmp_path / "dist")
    assert "such as https://api.example.com" in build_for("https://api.example.com/v1", tmp_path / "dist")
    assert "set the variable VITE_API_BASE" in build_for("", tmp_path / "dist", VERCEL="1")
