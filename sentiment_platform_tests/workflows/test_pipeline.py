"""Steps of the workflows, executed as GitHub would, over a real database, Redis and registry. The whole of the pipeline: test_fork.py."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from sentiment_platform.labels.importers import plain
from sentiment_platform.labels.importing import import_labels
from sentiment_platform.local.demo.sample_data import sample_directory
from sentiment_platform.settings import Settings
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform_tests.workflows.runner import Outcome, Workflow, run_workflow

if TYPE_CHECKING:
    from psycopg.abc import QueryNoTemplate

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PIPELINE, KEEP_ALIVE = (
    Workflow.parse(name, (ROOT / ".github" / "workflows" / name).read_text()) for name in ("pipeline.yml", "keep-alive.yml")
)
LIMIT_S = 240.0
RunJob = Callable[..., list[Outcome]]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What actions/checkout leaves, in a folder of its own, so that nothing is written into the working tree."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    for name in ("pyproject.toml", "constraints.txt", "dagster.yaml", "workspace.yaml", "sentiment_platform", "serving"):
        (folder / name).symlink_to(ROOT / name)
    return folder


@pytest.fixture
def secrets(settings: Settings) -> dict[str, str]:
    return {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "SENTIMENT_SIGNING_KEYS": settings.signing_keys,
        "GITHUB_TOKEN": settings.registry_token,
    }


@pytest.fixture
def dispatch(settings: Settings, secrets: dict[str, str], checkout: Path) -> RunJob:
    """Run what `workflow_dispatch` with this job starts; keywords are repository variables."""

    def run(job: str, **variables: str) -> list[Outcome]:
        contexts = {
            "secrets": secrets,
            "vars": {"SENTIMENT_PUBLIC_KEYS": settings.public_keys, **variables},
            "github": {
                "repository": settings.registry_repository,
                "api_url": settings.registry_url,
                "event_name": "workflow_dispatch",
            },
            "inputs": {"job": job},
        }
        (outcomes,) = run_workflow(
            PIPELINE,
            contexts,
            checkout=checkout,
            path=f"{Path(sys.executable).parent}:{os.defpath}",
            timeout_s=LIMIT_S,
            # Cores are shared with other tests.
            machine={"OMP_WAIT_POLICY": "PASSIVE"},
        ).values()
        return outcomes

    return run


def _count(url: str, query: "QueryNoTemplate") -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()
        assert row is not None
        return int(row[0])


def test_without_symbols_the_step_of_prices_is_green_and_fetches_nothing(dispatch: RunJob, settings: Settings) -> None:
    (outcome,) = dispatch("market_job")
    assert outcome.status == 0, outcome.output
    assert "15 of 15 days" in outcome.output
    assert _count(settings.database_url, "SELECT count(*) FROM dagster.runs WHERE status = 'SUCCESS'") == 1
    assert _count(settings.database_url, "SELECT count(*) FROM platform.market_prices") == 0


def test_a_failing_step_of_a_run_fails_the_step_of_the_workflow(dispatch: RunJob, settings: Settings) -> None:
    """With a single label there is nothing to train on."""
    engine = create_platform_engine(settings.database_url)
    import_labels(engine, plain(sample_directory() / "headlines.csv", "sample", "Apache-2.0").examples[:1])
    engine.dispose()
    bootstrapped, outcome = dispatch("train_job")
    assert (bootstrapped.status, outcome.status) == (0, 1), outcome.output
    assert "train_job failed" in outcome.output
    assert _count(settings.database_url, "SELECT count(*) FROM dagster.runs WHERE status = 'FAILURE'") == 1
    assert _count(settings.database_url, "SELECT count(*) FROM platform.deployments") == 1


def test_a_missing_secret_is_named_before_anything_runs(dispatch: RunJob, secrets: dict[str, str]) -> None:
    secrets["REDIS_URL"] = ""
    (outcome,) = dispatch("monitor_job")
    assert outcome.status == 1
    assert "REDIS_URL: it is not set" in outcome.output


def test_the_schedules_are_enabled_again(tmp_path: Path) -> None:
    programs, checkout = tmp_path / "programs", tmp_path / "checkout"
    programs.mkdir()
    checkout.mkdir()
    (programs / "gh").symlink_to(Path(__file__).with_name("gh.sh"))
    contexts = {
        "vars": {"SENTIMENT_PUBLIC_KEYS": "model=...,operator=..."},
        "secrets": {"GITHUB_TOKEN": "token"},
        "github": {"repository": "owner/name"},
    }
    path, machine = f"{programs}:{os.defpath}", {"GH_KEEPS": str(tmp_path)}
    jobs = run_workflow(KEEP_ALIVE, contexts, checkout=checkout, path=path, timeout_s=20.0, machine=machine)
    assert [outcome.status for outcomes in jobs.values() for outcome in outcomes] == [0]
    assert (tmp_path / "enabled").read_text().split() == ["pipeline.yml", "keep-alive.yml"]
