"""The page of deployments: a person's change of what is live, tried first, with a key, and followed."""

import pytest
from playwright.sync_api import Page, expect

from sentiment_platform.clock import utc_now
from sentiment_platform.promotion.deciding import decide_and_publish
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform_tests.dashboard.conftest import OpenPage, screenshot
from sentiment_platform_tests.dashboard.platform_in_use import ADMIN_KEY
from sentiment_platform_tests.serving.running import ServingProcess

pytestmark = [pytest.mark.browser, pytest.mark.slow]
REFUSED = "the server responded with a status of 401"


def try_first(page: Page, key: str, reason: str = "the desk asked for it") -> None:
    """Fill in the form, by keyboard alone, and press its button."""
    page.get_by_label("Why", exact=True).fill(reason)
    page.get_by_label("API key").fill(key)
    page.get_by_label("API key").press("Enter")


def test_without_a_key_the_button_rests_and_with_a_wrong_one_the_page_says_what_a_401_means(
    open_page: OpenPage, platform: ServingProcess
) -> None:
    said: list[str] = []
    page = open_page("/app/deployments", said=said)
    before = page.request.get(f"{platform.url}/models/status").json()["families"]
    button = page.get_by_role("button", name="Try it first, changing nothing")
    page.get_by_label("Why", exact=True).fill("no key at all")
    expect(button).to_be_disabled()
    try_first(page, "not-the-key")
    expect(page.get_by_role("alert")).to_contain_text("A key of this platform is needed")
    assert page.request.get(f"{platform.url}/models/status").json()["families"] == before
    # Chromium names each refused answer; nothing else is said.
    assert [line for line in said if REFUSED not in line] == []
    page.reload()
    expect(page.get_by_label("API key")).to_have_value("")


def test_a_selection_is_tried_first_then_done_then_followed_until_it_is_recorded(
    open_page: OpenPage, platform: ServingProcess
) -> None:
    page = open_page("/app/deployments")
    versions = {row["version"]: row for row in page.request.get(f"{platform.url}/models").json()["versions"]}
    families = page.request.get(f"{platform.url}/models/status").json()["families"]
    before = {family: told["version"] for family, told in families.items()}
    chosen = next(name for name, row in versions.items() if row["last_revision"] is not None and not row["live"])
    family = versions[chosen]["family"]

    page.get_by_label("What", exact=True).select_option(chosen)
    try_first(page, ADMIN_KEY, "the test of a person's choice")
    expect(page.get_by_text("It would work.")).to_be_visible()
    expect(page.locator("main")).to_contain_text(f"{before[family]} → {chosen}")
    screenshot(page, "deployments-tried")
    after_trial = page.request.get(f"{platform.url}/models/status").json()["families"]
    assert after_trial[family]["version"] == before[family], "a dry run changes nothing"

    page.get_by_role("button", name="Do it").click()
    expect(page.get_by_text("It is done here.")).to_be_visible()
    assert page.request.get(f"{platform.url}/models/status").json()["families"][family]["version"] == chosen
    steps = page.locator("ol.steps li")
    expect(steps.nth(1)).to_contain_text("done", timeout=30_000)
    for name in families:
        page.request.post(f"{platform.url}/predict/{name}", data={"text": "Harbour Mills raises its dividend"})
    expect(steps.nth(2)).to_contain_text("done", timeout=40_000)
    expect(steps.nth(3)).to_contain_text("waiting")
    expect(steps.nth(3)).to_contain_text("sentiment-platform run deploy_job")
    screenshot(page, "deployments-followed")
    said = "configured admin: the test of a person's choice, not published yet"
    expect(page.get_by_role("row").filter(has_text="the test of a person's choice").first).to_be_visible(timeout=30_000)
    drawn = page.locator("tr").filter(has_text=f"selected by {said}")
    expect(drawn).to_contain_text(chosen)
    expect(drawn).to_contain_text("goes on")

    # The page Live says the same of it: by whom, why, and since the same moment.
    first_page = open_page("/")
    moments = []
    for shown in (page.locator("ul.families li"), first_page.locator(".strip ul.versions li")):
        line = shown.filter(has_text=chosen)
        expect(line).to_contain_text(f"selected by {said}")
        expect(line).to_contain_text("selected by hand")
        moments.append(line.locator("time").get_attribute("datetime"))
    newest = page.request.get(f"{platform.url}/models/selections").json()["selections"][0]
    assert moments == [newest["requested_at"]] * 2
    expect(first_page.locator(".strip .why")).to_contain_text("The deployment that the selection overrides")

    # The tab has the key: the trail is shown without asking for it again.
    page.get_by_role("button", name="Show who changed what").click()
    trail = page.get_by_role("region", name="The newest hundred acts")
    expect(trail.get_by_role("row").nth(1)).to_contain_text("the test of a person's choice")
    expect(trail.get_by_role("row").nth(1)).to_contain_text("configured admin")
    screenshot(page, "deployments-audit", whole=True)

    # Back, so that whoever comes next finds what was there.
    page.get_by_role("button", name="Leave it to itself").click()
    page.get_by_label("What", exact=True).select_option(before[family])
    try_first(page, ADMIN_KEY, "back after the test")
    page.get_by_role("button", name="Do it").click()
    expect(page.get_by_text("It is done here.")).to_be_visible()
    assert page.request.get(f"{platform.url}/models/status").json()["families"][family]["version"] == before[family]


def published(platform: ServingProcess) -> None:
    """The graph does what its sensor starts: what people asked for becomes a deployment."""
    engine = create_platform_engine(platform.settings.require("database_url"))
    decide_and_publish(engine, RegistryAccess(platform.settings), run_id="a-run", now=utc_now)
    engine.dispose()


def test_a_promotion_and_a_rollback_are_tried_asked_for_and_followed_until_every_replica_has_them(
    open_page: OpenPage, platform: ServingProcess
) -> None:
    page = open_page("/app/deployments")
    versions = page.request.get(f"{platform.url}/models").json()["versions"]
    [(chosen, family)] = [(row["version"], row["family"]) for row in versions if row["last_revision"] is None][:1]

    def live() -> dict[str, str]:
        families = page.request.get(f"{platform.url}/models/status").json()["families"]
        return {name: told["version"] for name, told in families.items()}

    def answer() -> None:
        """Each family is asked, so that the replica is known by what it answered with last."""
        for name in before:
            page.request.post(f"{platform.url}/predict/{name}", data={"text": "Harbour Mills raises its dividend"})

    before = live()
    page.get_by_label("What", exact=True).select_option(chosen)
    try_first(page, ADMIN_KEY, "reads the desk's own words right")
    expect(page.get_by_text("It would work.")).to_be_visible(timeout=30_000)
    expect(page.locator("main")).to_contain_text("without asking the gate")
    expect(page.locator("main")).to_contain_text(f"{before[family]} → {chosen}")
    asked = page.request.get(f"{platform.url}/models/selections").json()["selections"]
    assert chosen not in [selection["version"] for selection in asked], "a dry run asks for nothing"
    page.get_by_role("button", name="Do it").click()
    expect(page.get_by_text("It is asked for.")).to_be_visible()
    steps = page.locator("ol.steps li")
    expect(steps.nth(0)).to_contain_text("done", timeout=30_000)
    expect(steps.nth(1)).to_contain_text("waiting")
    assert live() == before, "nothing answers that no signed deployment names"
    screenshot(page, "deployments-promoted")
    published(platform)
    platform.wait_until(lambda: live()[family] == chosen, 90)
    answer()
    for step in range(3):
        expect(steps.nth(step)).to_contain_text("done", timeout=40_000)

    # Back by the other way, as far as that goes: whoever comes next finds what was there.
    page.get_by_role("button", name="Close").click()
    page.get_by_label("What", exact=True).select_option("rollback")
    try_first(page, ADMIN_KEY, "calls too many layoffs neutral")
    expect(page.get_by_text("It would work.")).to_be_visible(timeout=30_000)
    assert live()[family] == chosen, "a dry run changes nothing"
    page.get_by_role("button", name="Do it").click()
    expect(page.get_by_text("It is done here.")).to_be_visible()
    assert live() == before
    elsewhere = open_page("/app/deployments")
    expect(elsewhere.locator("option[value=rollback]")).to_be_disabled()
    expect(elsewhere.locator("main")).to_contain_text("A rollback answers already, or nothing is there to go back to")
    published(platform)
    answer()
    for step in range(4):
        expect(steps.nth(step)).to_contain_text("done", timeout=40_000)
