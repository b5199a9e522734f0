"""Claims about the jobs: what a run of collection scores, and what one of history does, as they are run without a daemon."""

from collections.abc import Iterator

import dagster as dg
import pytest
from sqlalchemy import Engine

from sentiment_platform.news.jobs import WITHOUT_ASKING
from sentiment_platform.running.backfill import run_range
from sentiment_platform.running.headless import RunOutcome, run_job
from sentiment_platform.sentiment.jobs import by_version
from sentiment_platform.settings import Settings
from sentiment_platform_tests.features.articles import DAY
from sentiment_platform_tests.sentiment.rig import Scoring, store_articles
from sentiment_platform_tests.serving.publishing import Publisher
from sentiment_platform_tests.serving.running import environment_of

pytestmark = pytest.mark.slow
KEY = f"{DAY:%Y-%m-%d}"


@pytest.fixture
def instance(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """A Dagster instance, in an environment that names this test's own servers."""
    for variable, value in environment_of(settings).items():
        monkeypatch.setenv(variable, value)
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def told(outcome: RunOutcome) -> str:
    assert outcome.success, outcome.failures
    return str(outcome.metadata["article_sentiment"]["summary"])


def test_a_collection_scores_what_is_new_and_a_run_of_history_the_whole_day(
    settings: Settings, engine: Engine, publisher: Publisher, scoring: Scoring, instance: dg.DagsterInstance
) -> None:
    store_articles(engine, range(4))

    def collected() -> str:
        return told(run_job(instance, "collect_job", partition=KEY, run_config=WITHOUT_ASKING, log_level="ERROR"))

    def history(version: str = "") -> str:
        config = by_version(version) if version else None
        (outcome,) = run_range(instance, "score_job", KEY, KEY, run_config=config).values()
        return told(outcome)

    assert collected().startswith("Nothing is deployed yet, so nothing was scored.")
    publisher.deploy(publisher.model())
    assert collected() == "v1.0.0-vader scored 4 articles."
    publisher.deploy(publisher.model("v1.1.0-vader", steepness=2.0))
    assert collected() == "Nothing is new: every article has its scores."
    assert history() == "v1.1.0-vader scored 4 articles."
    publisher.model("v0.9.0-vader", steepness=1.0)
    assert history("v0.9.0-vader") == "v0.9.0-vader scored 4 articles."
    assert history() == history("v0.9.0-vader") == "Nothing is new: every article has its scores."
    assert [row.version for row in scoring.rows()] == ["v0.9.0-vader", "v1.0.0-vader", "v1.1.0-vader"] * 4
