"""A real Dagster UI over a stack of its own, and a real browser on it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import pytest
from playwright.sync_api import Page, sync_playwright

from sentiment_platform.local.demo.sample_data import sample_directory
from sentiment_platform.local.processes.children import Children, wait_for
from sentiment_platform.local.processes.ports import free_port
from sentiment_platform.local.session import session
from sentiment_platform.models.assets import model_asset
from sentiment_platform.models.versions.checks import learning_check
from sentiment_platform.running.headless import dagster_instance
from sentiment_platform.store.resources import PlatformResource
from sentiment_platform.store.training_sets import write_training_set
from sentiment_platform_tests.chromium import SWITCHES, chromium
from sentiment_platform_tests.graph import SCHEDULES
from sentiment_platform_tests.models.conftest import TINY_PARAMETERS
from sentiment_platform_tests.models.tiny_transformer import stored, tiny_data, with_wrong_labels, write_tiny_checkpoint

ROOT = Path(__file__).parents[2]
STEP_LIMIT_MS = 45_000


@pytest.fixture(scope="module")
def dagster_url(servers_dir: Path) -> Iterator[str]:
    """Web server and daemon of a fresh instance, with the sample's feeds to collect."""
    state = servers_dir / "browser"
    state.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        patch.setenv("SENTIMENT_STATE_DIR", str(state))
        with session(feeds_directory=sample_directory() / "feeds", join=False), Children(state) as children:
            port = free_port()
            command = ["dagster-webserver", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port)]
            server = children.start("dagster-webserver", command)
            children.start("dagster-daemon", ["dagster-daemon", "run", "-w", "workspace.yaml"])
            url = f"http://127.0.0.1:{port}"
            wait_for(f"{url}/server_info", server, 120)
            stop_schedules(url)
            yield url


@pytest.fixture(scope="module")
def trained_models(dagster_url: str, servers_dir: Path) -> None:
    """Both families searched, trained and published by their assets, on a small training set and from a small base."""
    del dagster_url  # its instance, database and registry are those of the environment now
    base = write_tiny_checkpoint(servers_dir / "tiny-base")
    platform = PlatformResource(overrides={"TRANSFORMER_BASE": str(base)})
    with platform.engine().begin() as connection:
        write_training_set(connection, "af" * 32, "v1", {}, stored(with_wrong_labels(tiny_data(400))[0]))
    recipes: dict[str, dict[str, Any]] = {
        "vader_model": {"trials": 6},
        "finbert_model": {**TINY_PARAMETERS, "epochs": 3, "n_trials": 2, "trial_texts": 60},
    }
    config = {name: {"config": {"seed": 7, "threads": 1, "parameters": recipe}} for name, recipe in recipes.items()}
    with dagster_instance() as instance:
        made = dg.materialize(
            [model_asset("vader"), model_asset("finbert"), learning_check("vader")],
            instance=instance,
            resources={"platform": platform},
            run_config={"ops": config},
        )
    assert made.success
    platform.engine().dispose()


def stop_schedules(url: str) -> None:
    """What is collected here is collected by hand: no tick of a schedule comes first."""
    selector = '{repositoryName: "__repository__", repositoryLocationName: "sentiment_platform"}'
    query = f"{{ schedulesOrError(repositorySelector: {selector}) {{ ... on Schedules {{ results {{ scheduleState {{ id }} }} }} }} }}"
    found = graphql(url, query)["schedulesOrError"]["results"]
    for schedule in found:
        stop = (
            "mutation($id: String!) { stopRunningSchedule(id: $id) { ... on ScheduleStateResult { scheduleState { status } } } }"
        )
        answer = graphql(url, stop, {"id": schedule["scheduleState"]["id"]})
        assert answer["stopRunningSchedule"]["scheduleState"]["status"] == "STOPPED"
    assert len(found) == len(SCHEDULES)


def graphql(url: str, query: str, variables: dict[str, str] | None = None) -> dict[str, Any]:
    """The data that the web server answers."""
    body = {"query": query, "variables": variables or {}}
    answer = httpx.post(f"{url}/graphql", json=body, timeout=30, trust_env=False).raise_for_status().json()
    assert "errors" not in answer, answer
    return answer["data"]


@pytest.fixture
def page() -> Iterator[Page]:
    """An empty page in Debian's Chromium; the test is skipped where there is none."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=SWITCHES)
        page = browser.new_page(viewport={"width": 1600, "height": 760}, color_scheme="light")
        page.set_default_timeout(STEP_LIMIT_MS)
        yield page
        browser.close()
