"""Claims about the asset and its check, as a run of Dagster materializes them."""

from datetime import datetime, timedelta
from typing import Any

import dagster as dg
import pytest
from sqlalchemy import Engine, text

from sentiment_platform.events import ArticleScored
from sentiment_platform.registry.own_questions import HEADER, sign_question
from sentiment_platform.registry.signing import PrivateKeys
from sentiment_platform.run_tags import ONLY_NEW, SCORES
from sentiment_platform.sentiment.assets import article_sentiment
from sentiment_platform.sentiment.checks import scores_are_what_the_models_answer
from sentiment_platform.sentiment.jobs import by_version
from sentiment_platform.settings import Settings
from sentiment_platform.store.resources import PlatformResource
from sentiment_platform_tests.features.articles import DAY, NOW
from sentiment_platform_tests.public_events import told
from sentiment_platform_tests.sentiment.rig import headline, store_articles
from sentiment_platform_tests.serving.publishing import Publisher
from sentiment_platform_tests.serving.running import ServingProcess, environment_of

pytestmark = pytest.mark.slow


def materialize(
    settings: Settings, *, collection: bool = True, now: datetime = NOW, **changed: Any
) -> tuple[dict[str, Any], dg.AssetCheckEvaluation]:
    """Metadata of the asset, and its check; a run of collection, or with `version` of that version."""
    version = changed.pop("version", None)
    overrides = environment_of(settings) | changed
    result = dg.materialize(
        [article_sentiment, scores_are_what_the_models_answer],
        partition_key=f"{DAY:%Y-%m-%d}",
        resources={"platform": PlatformResource(overrides=overrides, fixed_now=now.isoformat())},
        run_config=by_version(version) if version else None,
        tags={SCORES: ONLY_NEW} if collection else None,
    )
    (event,) = result.get_asset_materialization_events()
    (check,) = result.get_asset_check_evaluations()
    return {key: value.value for key, value in event.materialization.metadata.items()}, check


def recorded(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(text("SELECT text FROM platform.predictions")).scalars())


def test_before_the_first_deployment_the_run_is_green_and_says_so(settings: Settings, engine: Engine) -> None:
    store_articles(engine, range(3))
    made, check = materialize(settings)
    assert made["summary"].startswith("Nothing is deployed yet, so nothing was scored.")
    assert check.passed
    assert check.metadata["versions"].value == "nothing is scored yet"


def test_a_row_that_was_edited_turns_the_check_red_and_is_named(settings: Settings, engine: Engine, publisher: Publisher) -> None:
    publisher.deploy(publisher.model())
    store_articles(engine, range(10))
    made, check = materialize(settings)
    assert (made["summary"], made["scored"], made["dagster/partition_row_count"]) == ("v1.0.0-vader scored 10 articles.", 10, 10)
    assert check.passed
    assert check.metadata["rows_asked_of_models"].value == 10
    assert float(check.metadata["value"].value) <= float(check.metadata["bound"].value) == 1e-6  # type: ignore[arg-type]
    assert "no serving is configured" in str(check.metadata["versions"].value)

    edit = "UPDATE platform.article_sentiment SET positive = positive + 0.000002 WHERE article_id = :id"
    with engine.begin() as connection:
        connection.execute(text(edit), {"id": f"{7:032}"})
    again, check = materialize(settings)
    assert (again["scored"], again["kept"]) == (0, 10)
    assert again["summary"] == "Nothing is new: every article has its scores."
    assert not check.passed
    assert check.severity == dg.AssetCheckSeverity.ERROR
    assert f"{7:032}" in str(check.description)


def test_what_a_collection_scored_is_told_once_and_history_is_not_told(
    settings: Settings, engine: Engine, publisher: Publisher
) -> None:
    publisher.deploy(publisher.model())
    store_articles(engine, range(10))
    for _ in range(2):
        materialize(settings)
    publisher.model("v0.9.0-vader", steepness=2.0)
    materialize(settings, collection=False, version="v0.9.0-vader", now=NOW + timedelta(minutes=1))
    events = [event for event in told(settings.redis_url) if isinstance(event, ArticleScored)]
    with engine.connect() as connection:
        query = "SELECT article_id, label, positive - negative FROM platform.article_sentiment WHERE version = 'v1.0.0-vader' ORDER BY 1"
        stored = connection.execute(text(query)).all()
    assert len(stored) == 10
    assert sorted((event.article_id, event.label, event.sentiment) for event in events) == [tuple(row) for row in stored]
    assert {event.version for event in events} == {"v1.0.0-vader"}
    assert {event.headline for event in events} == {headline(number) for number in range(10)}


def test_a_version_that_is_named_scores_all_and_is_compared_too(settings: Settings, engine: Engine, publisher: Publisher) -> None:
    publisher.deploy(publisher.model())
    publisher.model("v0.9.0-vader", steepness=2.0)
    store_articles(engine, range(5))
    materialize(settings)
    made, check = materialize(settings, collection=False, version="v0.9.0-vader", now=NOW + timedelta(minutes=1))
    assert made["summary"] == "v0.9.0-vader scored 5 articles."
    assert check.metadata["rows_asked_of_models"].value == 10


def test_serving_is_asked_where_it_runs_the_version_and_records_only_the_questions_of_others(
    settings: Settings, engine: Engine, publisher: Publisher
) -> None:
    publisher.deploy(publisher.model())
    store_articles(engine, range(10))
    process = ServingProcess(settings).start()
    try:
        _, check = materialize(settings, SENTIMENT_SERVING_URL=process.url)
        assert check.passed
        assert check.metadata["rows_asked_of_serving"].value == 5
        # Drift and accuracy are measured on what people ask, and this was no person.
        signature = sign_question(PrivateKeys.parse(settings.signing_keys), "Profit rose")
        for header in ({HEADER: signature}, {HEADER: "{}"}, {}):
            process.client.post("/predict/vader", json={"text": "Profit fell"}, headers=header)
        process.wait_until(lambda: recorded(engine) == ["Profit fell"] * 3)
        edit = "UPDATE platform.article_sentiment SET positive = positive + 0.1, neutral = neutral - 0.1"
        with engine.begin() as connection:
            connection.execute(text(edit))
        _, check = materialize(settings, SENTIMENT_SERVING_URL=process.url)
        assert not check.passed
        assert "v1.0.0-vader (serving): article" in str(check.description)
    finally:
        process.stop()
