"""An empty fork, from nothing to a green pipeline: with what `setup` prints and nothing else, over real servers.

Then what Actions has to make up for: passes that GitHub dropped, a version that somebody selected, a decision to train again.
"""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import dagster as dg
import pytest
from dagster._utils.schedules import cron_string_iterator
from sqlalchemy import Engine, text

from sentiment_platform.definitions import defs
from sentiment_platform.labels.importers import plain
from sentiment_platform.labels.importing import import_labels
from sentiment_platform.local.demo.sample_data import sample_directory
from sentiment_platform.local.parts.feeds import FeedServer, feeds_setting
from sentiment_platform.store.dagster_storage import DAGSTER_POSTGRES_URL, dagster_storage_url
from sentiment_platform.store.deployments import latest_deployment
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform.store.selections import RequestedSelection, open_selection_requests, request_selection
from sentiment_platform_tests.conftest import TEST_REPOSITORY, TEST_TOKEN
from sentiment_platform_tests.daemon.passing_time import rests, time_passes
from sentiment_platform_tests.github_server.scripted import ScriptedServer
from sentiment_platform_tests.models.tiny_transformer import write_tiny_checkpoint
from sentiment_platform_tests.monitoring.seeding import seed_decision
from sentiment_platform_tests.workflows.runner import Outcome, Workflow, run_workflow

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

ROOT = Path(__file__).parents[2]
WRITTEN = (ROOT / ".github" / "workflows" / "pipeline.yml").read_text()
# Feeds on loopback are refused in production; the other tests of the pipeline run as production.
WRITTEN = WRITTEN.replace("SENTIMENT_ENV: production", "SENTIMENT_ENV: development")
# Sooner than the test's own limit, so that a pass which hangs can say what it waits for.
PIPELINE = Workflow.parse("pipeline.yml", WRITTEN.replace("--timeout 1800", "--timeout 390"))
PATH = f"{Path(sys.executable).parent}:{os.defpath}"
DROPPED = timedelta(hours=3)
ITEM = "<item><title>{title}</title><link>https://wire.example/{n}</link><guid>wire-{n}</guid><pubDate>{at}</pubDate></item>"
TITLES = ("Alder raises its outlook after a strong quarter", "Brookvale warns on margins", "Cormorant names an auditor")


class Fork:
    """What GitHub keeps of a repository, and its Actions."""

    def __init__(self, folder: Path, api_url: str) -> None:
        self.api_url = api_url
        self.kept, self.checkout, programs = folder / "github", folder / "checkout", folder / "programs"
        for made in (self.kept / "secrets", self.kept / "vars", self.checkout, programs):
            made.mkdir(parents=True)
        for name in ("pyproject.toml", "constraints.txt", "dagster.yaml", "workspace.yaml", "sentiment_platform", "serving"):
            (self.checkout / name).symlink_to(ROOT / name)
        (programs / "gh").symlink_to(Path(__file__).with_name("gh.sh"))
        self.environment = {"PATH": f"{programs}:{PATH}", "HOME": str(folder), "GH_KEEPS": str(self.kept)}

    def kept_in(self, kind: str) -> dict[str, str]:
        return {path.name: path.read_text() for path in (self.kept / kind).iterdir()}

    def happens(self, event: str, job: str = "") -> dict[str, list[Outcome]]:
        contexts = {
            "secrets": {**self.kept_in("secrets"), "GITHUB_TOKEN": TEST_TOKEN},
            "vars": self.kept_in("vars"),
            "github": {"repository": TEST_REPOSITORY, "api_url": self.api_url, "event_name": event},
            "inputs": {"job": job} if job else {},
        }
        # The feeds of the test are on loopback, which collection refuses to fetch from otherwise. Cores are shared with other tests.
        machine = {"SENTIMENT_ALLOW_PRIVATE_HOSTS": "yes", "OMP_WAIT_POLICY": "PASSIVE"}
        jobs = run_workflow(PIPELINE, contexts, checkout=self.checkout, path=PATH, timeout_s=420.0, machine=machine)
        said = [outcome for outcomes in jobs.values() for outcome in outcomes]
        assert [outcome.output for outcome in said if outcome.status] == []
        shown = "\n".join(outcome.output for outcome in said)
        assert [name for name, value in contexts["secrets"].items() if value in shown] == []
        return jobs


def test_an_empty_fork_comes_to_a_green_pipeline_by_the_printed_steps_which_then_does_all_that_a_daemon_does(
    tmp_path: Path, empty_database_url: str, redis_url: str, github_server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    fork = Fork(tmp_path, github_server.url)
    feeds, laptop = news_of_this_minute(tmp_path / "feeds"), tmp_path / "laptop"
    laptop.mkdir()
    with FeedServer(feeds) as server:
        configured = {
            "DATABASE_URL": empty_database_url,
            "REDIS_URL": redis_url,
            "SENTIMENT_REGISTRY_REPOSITORY": TEST_REPOSITORY,
            "SENTIMENT_REGISTRY_URL": github_server.url,
            "SENTIMENT_REGISTRY_TOKEN": TEST_TOKEN,
            "SENTIMENT_FEEDS": feeds_setting(feeds, server.port),
            "SENTIMENT_ALLOW_PRIVATE_HOSTS": "yes",
            "TRANSFORMER_BASE": str(write_tiny_checkpoint(tmp_path / "base")),
        }
        (laptop / ".env").write_text("".join(f"{name}={value}\n" for name, value in configured.items()))
        printed = shell("sentiment-platform setup", laptop, fork)
        shell("\n".join(line for line in printed.splitlines() if line.startswith("gh ")), laptop, fork)
        assert fork.kept_in("secrets")["DATABASE_URL"] == empty_database_url
        assert [value for value in fork.kept_in("secrets").values() if value in printed] == []
        assert (fork.kept / "enabled").read_text().split() == ["pipeline.yml", "keep-alive.yml"]
        began = datetime.now(UTC)
        for job in (fork.kept / "runs").read_text().split():
            assert fork.happens("workflow_dispatch", job)

        engine = create_platform_engine(empty_database_url)
        with monkeypatch.context() as patch:
            patch.setenv("DAGSTER_HOME", str(ROOT))
            patch.setenv(DAGSTER_POSTGRES_URL, dagster_storage_url(empty_database_url))
            with dg.DagsterInstance.get() as instance:
                # Nobody is told of what nobody asked for, but a time of a schedule may have come round meanwhile.
                wanted = {"bootstrap_job", "train_job"}
                assert {run.job_name for run in instance.get_runs()} - (came_round(began) - wanted) == wanted
                # What the last pass stored is older by that, and no tick of GitHub's came meanwhile.
                time_passes(instance, DROPPED)
                rests(instance, "weekly")
                decision = "decision-of-the-fork"
                ask(engine, decision)
                jobs = fork.happens("schedule")
                runs = instance.get_runs()
    (pass_made,) = jobs["run"]
    assert pass_made.values == {"waiting": "train_job"}
    assert [outcome.step for outcome in jobs["train"]][-1].endswith("have asked for")
    done = {run.job_name for run in runs if run.status == dg.DagsterRunStatus.SUCCESS}
    assert done >= {"collect_job", "alert_job", "monitor_job", "feature_store_job", "deploy_job", "train_job"}
    # The run that waited gave way to one, with its tags; no pass asks for another.
    waited, trained = sorted((run for run in runs if run.tags.get("decision") == decision), key=lambda run: run.status.value)
    assert (waited.status, trained.status) == (dg.DagsterRunStatus.CANCELED, dg.DagsterRunStatus.SUCCESS)
    assert trained.tags["trigger"] == waited.tags["trigger"] == "data_drift"
    with engine.connect() as connection:
        assert open_selection_requests(connection) == []
        scored = connection.execute(text("SELECT count(DISTINCT article_id) FROM platform.article_sentiment")).scalar_one()
        assert scored == len(TITLES)
    engine.dispose()


def came_round(began: datetime) -> set[str]:
    """Jobs of the schedules that had a time since then."""
    return {
        schedule.job_name
        for schedule in defs.schedules or ()
        if isinstance(schedule, dg.ScheduleDefinition)
        and next(cron_string_iterator(began.timestamp(), str(schedule.cron_schedule), "UTC")) <= datetime.now(UTC)
    }


def news_of_this_minute(folder: Path) -> Path:
    """A folder with one feed, without old days that would have to be made again."""
    folder.mkdir()
    at = format_datetime(datetime.now(UTC))
    items = "".join(ITEM.format(title=title, n=n, at=at) for n, title in enumerate(TITLES))
    (folder / "wire.xml").write_text(
        f'<?xml version="1.0"?><rss version="2.0"><channel><title>Wire</title>{items}</channel></rss>'
    )
    return folder


def shell(script: str, folder: Path, fork: Fork) -> str:
    """What a person's shell says to these lines."""
    command = ["bash", "-euo", "pipefail", "-c", script]
    done = subprocess.run(command, cwd=folder, env=fork.environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def ask(engine: Engine, decision: str) -> None:
    """A person selects what is deployed of VADER; monitoring has decided to train again; and there is something to train on."""
    import_labels(engine, plain(sample_directory() / "headlines.csv", "sample", "Apache-2.0").examples)
    with engine.begin() as connection:
        deployed = latest_deployment(connection)
        assert deployed is not None
        selection = RequestedSelection(
            request_id="r-1",
            family="vader",
            version=str(deployed.champions["vader"].version),
            actor="dana",
            reason="the fast one",
            requested_at=datetime.now(UTC),
        )
        request_selection(connection, selection)
    seed_decision(engine, decision, datetime.now(UTC))
