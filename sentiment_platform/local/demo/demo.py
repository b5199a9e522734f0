"""The whole loop once, on the local stack and the sample: each stage is a method that runs the same jobs as production.

What is printed comes from what the stages measured; a stage that does not do its part fails the demo.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

import httpx
from sqlalchemy import Engine

from sentiment_platform.clock import utc_now
from sentiment_platform.entities import unknown_keys
from sentiment_platform.errors import PermanentError
from sentiment_platform.features.connection import connect
from sentiment_platform.labels.importers import plain
from sentiment_platform.labels.importing import import_labels
from sentiment_platform.local.demo.load import LightLoad, LoadReport
from sentiment_platform.local.demo.sample_data import read_headlines, sample_directory, second_wave
from sentiment_platform.local.processes.children import Children, wait_for
from sentiment_platform.local.processes.ports import free_port, is_free
from sentiment_platform.local.processes.process import SupervisedProcess
from sentiment_platform.news.archive import import_archive, parse_mapping
from sentiment_platform.run_tags import TRIGGER
from sentiment_platform.running.headless import RunOutcome, dagster_instance, run_job
from sentiment_platform.settings import Settings
from sentiment_platform.store.articles import news_counts
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform.store.figures import StoredFigure, newest_figures

if TYPE_CHECKING:
    from dagster import DagsterInstance

COLUMNS = "title=title,published_at=published_at,tickers=tickers,summary=summary,url=url,outlet=outlet"
FEEDBACK_PREDICTIONS = 60
TRIES = 5


@dataclass(kw_only=True)
class DemoReport:
    """What the summary shows; every value was measured in this run."""

    articles: int = 0
    stories: int = 0
    quarantined: int = 0
    feature_vectors: int = 0
    runs: dict[str, RunOutcome] = field(default_factory=dict[str, RunOutcome])
    figures: list[StoredFigure] = field(default_factory=list[StoredFigure])
    load: LoadReport = field(default_factory=LoadReport)
    swapped_after_s: float = 0.0
    answers: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    first_answer_after_s: float = 0.0
    feedback: int = 0


class Demo:
    """Runs the stages; close it to stop what it started.

    Args:
        started: when the person started it, on the clock of `time.monotonic`; all times that are told count from there.
    """

    def __init__(self, settings: Settings, say: Callable[[str], None], *, started: float, dagster_port: int = 3000) -> None:
        self.settings = settings
        self.report = DemoReport()
        self.started = started
        self._say = say
        self._open = ExitStack()
        self._engine: Engine = create_platform_engine(settings.require("database_url"))
        self._open.callback(self._engine.dispose)
        self._instance: DagsterInstance = self._open.enter_context(dagster_instance())
        self.children = self._open.enter_context(Children(settings.state_dir))
        self._serving: SupervisedProcess | None = None
        self.serving_url = f"http://127.0.0.1:{settings.port if is_free(settings.port) else free_port()}"
        self.dagster_url = f"http://127.0.0.1:{dagster_port if is_free(dagster_port) else free_port()}"

    def __enter__(self) -> "Demo":
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def collect(self) -> None:
        """The sample as an archive, the sample's feeds over HTTP, stories, features."""
        archive = sample_directory() / "headlines.csv"
        import_archive(archive, parse_mapping(COLUMNS), source="sample", engine=self._engine, run_id="demo", now=utc_now())
        today = f"{utc_now():%Y-%m-%d}"
        self._run("collect_job", partition=today)
        days = sorted(headline.published_at.astimezone(UTC) for headline in read_headlines())
        outcome = self._run("collect_job", partition_range=(f"{days[0]:%Y-%m-%d}", f"{days[-1]:%Y-%m-%d}"))
        with self._engine.connect() as connection:
            counts = news_counts(connection)
        self.report.articles, self.report.stories, self.report.quarantined = counts.articles, counts.stories, counts.quarantined
        self.report.feature_vectors = int(outcome.metadata["article_features"]["dagster/row_count"])
        self._say(f"{counts.articles} articles in {counts.stories} stories, {counts.quarantined} refused rows in quarantine")

    def first_deployment(self) -> None:
        """Labels, training set, the cheapest family, evidence, first deployment by the bootstrap rule; serving starts and answers."""
        labels = plain(sample_directory() / "headlines.csv", "sample", "Apache-2.0")
        import_labels(self._engine, labels.examples)
        outcome = self._run("baseline_job")
        self._say(f"{outcome.metadata['deployment']['deployment']}: {outcome.metadata['deployment']['reason']}")
        port = self.serving_url.rpartition(":")[2]
        self._serving = self.children.start("serving", ["python", "-m", "serving"], {"PORT": port, "SENTIMENT_POLL_S": "1"})
        wait_for(f"{self.serving_url}/health", self._serving, 60)
        self.ask("Quarterly profit fell 12% on weak demand")
        self.report.first_answer_after_s = time.monotonic() - self.started

    def show_dagster(self) -> None:
        """Start the Dagster UI; it loads while the transformer trains."""
        port = self.dagster_url.rpartition(":")[2]
        self.children.start("dagster-webserver", ["dagster-webserver", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", port])

    def second_deployment(self) -> None:
        """Train every family while requests are answered; the new deployment is swapped in live."""
        before = self._live_revision()
        with LightLoad(self.serving_url, [headline.title for headline in read_headlines()[:200]]) as load:
            outcome = self._run("train_job")
            published = time.monotonic()
            wanted = int(str(outcome.metadata["deployment"]["deployment"]).removeprefix("deploy-"))
            while self._live_revision() < wanted:
                if time.monotonic() - published > 60:
                    raise PermanentError(
                        f"Serving did not load revision {wanted} within 60 s.", remedy=f"See {self.serving_url}/models/status."
                    )
                time.sleep(0.2)
            self.report.swapped_after_s = time.monotonic() - published
            time.sleep(3)
        self.report.load = load.report
        what = outcome_of_training(outcome.metadata["deployment"], self.report.swapped_after_s, before)
        self._say(f"{what}; {load.report.requests} requests meanwhile, {load.report.failures.total()} failed")

    def give_feedback(self) -> None:
        """Ask with headlines of another mix, say what people thought of them, wait until it has all arrived."""
        wave = second_wave()[:FEEDBACK_PREDICTIONS]
        with httpx.Client(timeout=10.0, trust_env=False) as client:
            for headline in wave:
                body = {"text": headline.title, "source": headline.outlet} | (
                    {"ticker": headline.tickers[0]} if headline.tickers else {}
                )
                answer = client.post(f"{self.serving_url}/predict", json=body).raise_for_status().json()
                feedback = {"prediction_id": answer["prediction_id"], "label": headline.label}
                client.post(f"{self.serving_url}/feedback", json=feedback).raise_for_status()
                self.report.feedback += 1
        self._wait_for_feedback()

    def look_back(self) -> None:
        """Drift, live accuracy and the decision that follows from them."""
        outcome = self._run("monitor_job")
        decision = outcome.metadata["retrain_decision"]
        self._say(f"retrain {decision['retrain']}: {decision['reason']}")

    def live_answers(self) -> None:
        """Five answers for the summary, each by the version that the deployment names.

        Raises:
            PermanentError: another version answered, or a cheaper family stood in each time.
        """
        deployed = champion_of(self.report.runs["train_job"].metadata["deployment"])
        for text in (
            "Net loss narrowed",
            "Profit warning lifted after record orders",
            "Regulator fines the bank over money laundering controls",
            "The board will meet on 12 March",
            "Costs rise more slowly than feared",
        ):
            self.report.answers.append({"text": text, **answer_of(deployed, lambda text=text: self.ask(text))})
        with self._engine.connect() as connection:
            self.report.figures = newest_figures(connection)

    def unknown_keys(self) -> list[str]:
        """Redis keys outside the documented spaces; there should be none."""
        with closing(connect(self.settings.require("redis_url"))) as client:
            return unknown_keys(client)

    def ask(self, text: str) -> dict[str, Any]:
        """One live answer."""
        answer = httpx.post(f"{self.serving_url}/predict", json={"text": text}, timeout=10.0, trust_env=False)
        return dict(answer.raise_for_status().json())

    def _run(self, job: str, **more: Any) -> RunOutcome:
        started = time.monotonic()
        outcome = run_job(self._instance, job, tags={TRIGGER: "demo"}, log_level="ERROR", **more)
        self.report.runs[job] = outcome
        if not outcome.success:
            raise PermanentError(f"{job} failed: {', '.join(outcome.failures)}.", remedy="The run's log is in the Dagster UI.")
        notes = f", warnings: {', '.join(outcome.warnings)}" if outcome.warnings else ""
        self._say(f"{job} succeeded in {time.monotonic() - started:.1f} s{notes}")
        return outcome

    def _live_revision(self) -> int:
        status = httpx.get(f"{self.serving_url}/models/status", timeout=5.0, trust_env=False).raise_for_status().json()
        return int(status["deployment"]["revision"]) if status.get("deployment") else 0

    def _wait_for_feedback(self) -> None:
        from sentiment_platform.store.labels import labelled_feedback

        deadline = utc_now() + timedelta(seconds=60)
        while utc_now() < deadline:
            with self._engine.connect() as connection:
                if len(labelled_feedback(connection)) >= self.report.feedback:
                    return
            time.sleep(0.3)
        raise PermanentError(
            "The journal did not arrive in PostgreSQL within 60 s.", remedy="See serving's log in the state folder."
        )


def outcome_of_training(deployment: Mapping[str, Any], swapped_after_s: float, before: int) -> str:
    """What became of a training, in words: a second demo on one folder may find nothing better than what runs, and that is fine."""
    if deployment["published_now"]:
        return f"{deployment['deployment']} went live {swapped_after_s:.1f} s after training ended (before: revision {before})"
    return f"{deployment['deployment']} stays, nothing new was published: {deployment['reason']}"


def champion_of(deployment: Mapping[str, Any]) -> str:
    """The version that a deployment gives the unified route."""
    return str(deployment["champions"][deployment["default_family"]])


def answer_of(version: str, ask: Callable[[], dict[str, Any]], sleep: Callable[[float], object] = time.sleep) -> dict[str, Any]:
    """An answer of `version`. A busy machine may miss the deadline, and a cheaper family then stands in: that is asked again.

    Raises:
        PermanentError: it is another version's answer, or a stand-in's each time.
    """
    for attempt in range(TRIES):
        answer = ask()
        if not answer["degraded"]:
            break
        sleep(attempt)
    else:
        raise PermanentError(
            f"{TRIES} answers in turn missed the deadline of {version}, and a cheaper family stood in.",
            remedy="Leave the machine more room, or raise SENTIMENT_DEADLINE_MS.",
        )
    answered_by = answer["performance"]["model_version"]
    if answered_by != version:
        raise PermanentError(
            f"{answered_by} answered, but the deployment names {version}.", remedy="See /models/status and the log of serving."
        )
    return answer
