"""A browser on the built dashboard: over the platform as a demo left it (`platform`), and over one where nothing happened (`nothing_yet`).

All tests of this folder run in one worker, beside those of the demo, and share its one run. They leave the platform as they find it;
who must change it takes a version or a person of its own. SENTIMENT_TEST_DEMO_STATE names the state folder of a finished demo to take
instead, SENTIMENT_TEST_PICTURES a folder that `screenshot` fills.
"""

import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from sentiment_platform.github_server import GithubServer
from sentiment_platform.settings import Settings
from sentiment_platform_tests.chromium import SWITCHES, chromium
from sentiment_platform_tests.dashboard.page_table import DASHBOARD
from sentiment_platform_tests.dashboard.platform_in_use import given_demo, platform_after
from sentiment_platform_tests.e2e.demo_run import LIMIT_S
from sentiment_platform_tests.serving.running import ServingProcess
from serving.dashboard.built_pages import BUILT, PAGE

STEP_LIMIT_MS = 15_000
AXE = DASHBOARD / "node_modules" / "axe-core" / "axe.min.js"
OpenPage = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever comes first waits for the demo."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.timeout(LIMIT_S + 300))


@pytest.fixture(scope="package")
def built() -> Path:
    """The folder of the build; the test is skipped where there is none."""
    if not (BUILT / PAGE).exists():
        pytest.skip("the dashboard is not built: make dashboard")
    return BUILT


@pytest.fixture(scope="package")
def platform(built: Path, browser: Browser, servers_dir: Path, request: pytest.FixtureRequest) -> Iterator[ServingProcess]:
    """Serving over what a finished demo left; `stop` and `start` take it from under a page and bring it back at the same address."""
    demo_state = given_demo()
    if demo_state is None:
        request.getfixturevalue("demo")
        demo_state = request.getfixturevalue("demo_state")
    with platform_after(demo_state, servers_dir / "dashboard") as serving:
        yield serving


@pytest.fixture(scope="package")
def nothing_yet(
    built: Path,
    tmp_path_factory: pytest.TempPathFactory,
    new_database: Callable[..., str],
    _migrated_database: str,
    _redis_server_url: str,
    signing_keys: dict[str, str],
) -> Iterator[ServingProcess]:
    """Serving over a database without rows and a registry without releases."""
    folder = tmp_path_factory.mktemp("nothing-yet")
    with own_platform(folder, new_database(_migrated_database), _redis_server_url, signing_keys) as settings:
        serving = ServingProcess(settings)
        try:
            yield serving.start(ready=False)
        finally:
            serving.stop()


@contextmanager
def own_platform(folder: Path, database_url: str, redis_url: str, signing_keys: dict[str, str]) -> Iterator[Settings]:
    """Settings over that database and a registry without releases; Redis may be shared, for nothing of it is asked for here."""
    with GithubServer(folder / "github", "local/registry", "token") as github:
        yield Settings.from_environment(
            {
                "SENTIMENT_STATE_DIR": str(folder / "state"),
                "DATABASE_URL": database_url,
                "REDIS_URL": urlsplit(redis_url)._replace(path="/2").geturl(),
                "SENTIMENT_REGISTRY_REPOSITORY": "local/registry",
                "SENTIMENT_REGISTRY_URL": github.url,
                "SENTIMENT_REGISTRY_TOKEN": "token",
                **signing_keys,
            }
        )


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=SWITCHES)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[OpenPage]:
    """Call it with a path (`/app/models`) for a page that shows what it has; `width` in px, `theme` light or dark.

    Each call is a browser of its own (`beside=page` opens another tab in the same one), on `serving` (default: `platform`). The test fails
    on any line in a console; `said` takes what may be said where a test takes something away. `clock`: `page.clock` can set it forward.
    """
    contexts: list[BrowserContext] = []
    lines: list[str] = []

    def show(
        path: str,
        *,
        width: int = 1280,
        height: int = 900,
        theme: str = "light",
        serving: ServingProcess | None = None,
        beside: Page | None = None,
        said: list[str] | None = None,
        clock: bool = False,
    ) -> Page:
        serving = serving or request.getfixturevalue("platform")
        if beside is None:
            context = browser.new_context(
                viewport={"width": width, "height": height}, color_scheme=theme, reduced_motion="reduce"
            )  # type: ignore[arg-type]
            contexts.append(context)
        else:
            context = beside.context
        page = context.new_page()
        page.set_default_timeout(STEP_LIMIT_MS)
        if clock:
            page.clock.install()
        told = lines if said is None else said
        page.on("console", lambda message: told.append(f"{path}: {message.type}: {message.text}"))
        page.on("pageerror", lambda error: told.append(f"{path}: {error}"))
        page.goto(serving.url + path)
        settled(page)
        return page

    yield show
    for context in contexts:
        context.close()
    assert lines == []


def settled(page: Page) -> None:
    """Wait until the page has its heading and waits for no answer any more."""
    page.locator("main h1").first.wait_for()
    # Not by `wait_for_function`: what it polls is a string, and the page's policy evaluates none.
    expect(page.locator("main .waiting")).to_have_count(0, timeout=STEP_LIMIT_MS)


def axe(page: Page) -> list[str]:
    """What axe-core calls serious or critical: rule, what it says, the first element."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed: make dashboard")
    page.evaluate(AXE.read_text())
    faults = page.evaluate("axe.run({ resultTypes: ['violations'] }).then((found) => found.violations)")
    return [
        f"{fault['id']}: {fault['help']}: {fault['nodes'][0]['html'][:200]} ({len(fault['nodes'])} elements)"
        for fault in faults
        if fault["impact"] in ("serious", "critical")
    ]


def screenshot(page: Page, name: str, *, whole: bool = False) -> None:
    """`dashboard-<name>.png` into the folder of SENTIMENT_TEST_PICTURES; nothing without one. `whole`: all of the page, not what is seen."""
    folder = os.environ.get("SENTIMENT_TEST_PICTURES")
    if not folder:
        return
    from PIL import Image

    Path(folder).mkdir(parents=True, exist_ok=True)
    with Image.open(io.BytesIO(page.screenshot(full_page=whole))) as picture:
        picture.convert("RGB").quantize(128).save(Path(folder) / f"dashboard-{name}.png", optimize=True)
