"""The whole loop once, on the local stack and the sample: each stage is a method that runs the same jobs as production.

What is printed comes from what the stages measured; a stage that does not do its part fails the demo.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
from sqlalchemy import Engine

from sentiment_platform.clock import utc_now
from sentiment_platform.entities import unknown_keys
from sentiment_platform.errors import PermanentError
from sentiment_platform.features.connection import connect
from sentiment_platform.labels.importers import plain
from sentiment_platform.labels.importing import import_labels
from sentiment_platform.local.dagster_processes import start_dagster
from sentiment_platform.local.demo.deployed import answer_of, champion_of, outcome_of_training
from sentiment_platform.local.demo.feedback import ask_ordinarily, give_feedback, label_sample
from sentiment_platform.local.demo.load import LightLoad
from sentiment_platform.local.demo.report import DemoReport
from sentiment_platform.local.demo.sample_data import (
    days_of_the_sample,
    ordinary_questions,
    read_headlines,
    sample_directory,
    second_wave,
)
from sentiment_platform.local.first_day import first_day_shown
from sentiment_platform.local.processes.children import Children, wait_for
from sentiment_platform.local.processes.ports import LOOPBACK
from sentiment_platform.local.processes.process import SupervisedProcess
from sentiment_platform.news.archive import import_archive, parse_mapping
from sentiment_platform.run_tags import TRIGGER
from sentiment_platform.running.automation import switch
from sentiment_platform.running.headless import RunOutcome, dagster_instance, run_job
from sentiment_platform.settings import Settings
from sentiment_platform.store.articles import news_counts
from sentiment_platform.store.company_news import CompanyWindow, companies
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform.store.figures import newest_figures
from sentiment_platform.store.scored_news import ScoredStory, news_page
from sentiment_platform.text.example import EXAMPLE_TEXT

if TYPE_CHECKING:
    from dagster import DagsterInstance

COLUMNS = "title=title,published_at=published_at,tickers=tickers,summary=summary,url=url,outlet=outlet"
FEEDBACK_PREDICTIONS = 60
ORDINARY_QUESTIONS = 150
TEXTS_PER_WINDOW = 25
"""A week is too long for a demo: drift is measured over windows of so many stories, and the second wave fills two of them."""
NEWS_DAYS = 7
COMPANIES_SHOWN, HEADLINES_SHOWN = 6, 8
QUESTIONS = (
    EXAMPLE_TEXT,
    "Profit up 8% despite higher costs",
    "Regulator fines the bank over money laundering controls",
    "The board will meet on 12 March",
    "Strike called off, shares jump",
)


class Demo:
    """Runs the stages; close it to stop what it started.

    Args:
        started: when the person started it, on the clock of `time.monotonic`; all times that are told count from there.
        step: told what is done from now on, before everything that takes a while.
    """

    def __init__(
        self,
        settings: Settings,
        say: Callable[[str], None],
        *,
        started: float,
        serving_port: int,
        dagster_port: int,
        step: Callable[[str], object] = lambda _: None,
    ) -> None:
        self.settings = settings
        self.report = DemoReport()
        self.started = started
        self._say = say
        self._step = step
        self._open = ExitStack()
        self._engine: Engine = create_platform_engine(settings.require("database_url"))
        self._open.callback(self._engine.dispose)
        self._instance: DagsterInstance = self._open.enter_context(dagster_instance())
        self.children = self._open.enter_context(Children(settings.state_dir, say))
        self._serving: SupervisedProcess | None = None
        self.serving_url = f"http://{LOOPBACK}:{serving_port}"
        self.dagster_url = f"http://{LOOPBACK}:{dagster_port}"

    def __enter__(self) -> "Demo":
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def answer_at_once(self) -> dict[str, Any]:
        """Deploy the starters that the platform ships, start serving, ask the first question."""
        self._step("starting the API")
        port = self.serving_url.rpartition(":")[2]
        # While it starts, what it is to load is published.
        environment = {"PORT": port, "SENTIMENT_POLL_S": "1", "SENTIMENT_DAGSTER_URL": self.dagster_url}
        self._serving = self.children.start("serving", ["python", "-m", "serving"], environment)
        outcome = self._run("bootstrap_job")
        self._say(f"{outcome.metadata['starters']['deployment']}: {outcome.metadata['starters']['reason']}")
        self._step("waiting until the API has loaded the deployment")
        wait_for(f"{self.serving_url}/health", self._serving, 60)
        answer = self.ask(EXAMPLE_TEXT)
        self.report.first_answer_after_s = time.monotonic() - self.started
        return answer

    def collect(self) -> None:
        """The sample as an archive, the sample's feeds over HTTP, stories, features, scores."""
        self._step("importing the sample's archive")
        archive = sample_directory() / "headlines.csv"
        import_archive(archive, parse_mapping(COLUMNS), source="sample", engine=self._engine, run_id="demo", now=utc_now())
        today = f"{utc_now():%Y-%m-%d}"
        self._run("collect_job", partition=today)
        outcome = self._run("collect_job", partition_range=days_of_the_sample())
        with self._engine.connect() as connection:
            counts = news_counts(connection)
        self.report.articles, self.report.stories, self.report.quarantined = counts.articles, counts.stories, counts.quarantined
        self.report.feature_vectors = int(outcome.metadata["article_features"]["dagster/row_count"])
        self._say(f"{counts.articles} articles in {counts.stories} stories, {counts.quarantined} refused rows in quarantine")
        self._say(str(outcome.metadata["article_sentiment"]["summary"]))

    def show_dagster(self) -> None:
        """Start the Dagster UI, and the daemon that executes what is asked for there; they load while the transformer trains.

        Schedules and sensors are turned off first, and stay off on this state folder until somebody turns them on: the daemon would
        collect, and train on the decision that this demo ends with, although nobody asked.
        """
        self._step("starting the Dagster UI and its daemon")
        switch(self._instance, on=False)
        environment = first_day_shown(self._engine, utc_now())
        port = int(self.dagster_url.rpartition(":")[2])
        start_dagster(self.children, environment, self.settings, port=port, say=self._say)
        self._say(f"Dagster UI: {self.dagster_url}. What is materialized there is executed; schedules and sensors are off")

    def train_challengers(self) -> None:
        """Train every family on the sample's labels while requests are answered; what the gate finds better is swapped in live."""
        self._step("importing the sample's labels")
        labels = plain(sample_directory() / "headlines.csv", "sample", "Apache-2.0")
        import_labels(self._engine, labels.examples)
        before = self._live_revision()
        with LightLoad(self.serving_url, [headline.title for headline in read_headlines()[:200]]) as load:
            outcome = self._run("train_job")
            self._step("waiting until the API has loaded the new deployment")
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
        """Ask as users do; then with a second wave of another mix, say what people thought of that, wait until it has all arrived."""
        self._step("asking what users ask")
        ask_ordinarily(self.serving_url, ordinary_questions(ORDINARY_QUESTIONS))
        self._step("asking, and saying what people thought of the answers")
        self.report.feedback = give_feedback(self.serving_url, self._engine, second_wave()[:FEEDBACK_PREDICTIONS])

    def label_sample(self) -> None:
        """People label a random sample of what was asked: that alone is live accuracy."""
        self._step("labelling a random sample of what was asked")
        self.report.audited = label_sample(self._engine, [*read_headlines(), *second_wave()])

    def look_back(self) -> None:
        """Drift, live accuracy and the decision that follows from them."""
        windows = {"ops": {"drift_report": {"config": {"texts_per_window": TEXTS_PER_WINDOW}}}}
        outcome = self._run("monitor_job", run_config=windows)
        self._say(str(outcome.metadata["drift_report"]["summary"]))
        self._say(str(outcome.metadata["performance_report"]["summary"]))
        decision = outcome.metadata["retrain_decision"]
        self._say(f"retrain {decision['retrain']}: {decision['reason']}")

    def score_last_week(self) -> None:
        """The newest week of the sample by the versions that are deployed by now; scores of those before stay beside them."""
        outcome = self._run("score_job", partition_range=days_of_the_sample(NEWS_DAYS))
        self._say(str(outcome.metadata["article_sentiment"]["summary"]))

    def mood(self) -> CompanyWindow:
        """What the news says of the companies, as `GET /tickers` and `news show` tell it."""
        with self._engine.connect() as connection:
            return companies(connection, utc_now(), timedelta(days=NEWS_DAYS), limit=COMPANIES_SHOWN)

    def news(self) -> Sequence[ScoredStory]:
        """The newest stories with their scores, as `GET /news` tells them."""
        with self._engine.connect() as connection:
            return news_page(connection, symbol=None, since=None, after=None, limit=HEADLINES_SHOWN)

    def live_answers(self) -> None:
        """Five answers for the summary, each by the version that the deployment names.

        Raises:
            PermanentError: another version answered, or a cheaper family stood in each time.
        """
        self._step("asking for the summary")
        deployed = champion_of(self.report.runs["train_job"].metadata["deployment"])
        for text in QUESTIONS:
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
        self._step(job)

        def show(step: str) -> None:
            self._step(f"{job}: {step}")

        outcome = run_job(self._instance, job, tags={TRIGGER: "demo"}, log_level="ERROR", on_step=show, **more)
        self.report.runs[job] = outcome
        if not outcome.success:
            raise PermanentError(f"{job} failed: {', '.join(outcome.failures)}.", remedy="The run's log is in the Dagster UI.")
        notes = f", warnings: {', '.join(outcome.warnings)}" if outcome.warnings else ""
        self._say(f"{job} succeeded in {time.monotonic() - started:.1f} s{notes}")
        return outcome

    def _live_revision(self) -> int:
        status = httpx.get(f"{self.serving_url}/models/status", timeout=5.0, trust_env=False).raise_for_status().json()
        return int(status["deployment"]["revision"]) if status.get("deployment") else 0
