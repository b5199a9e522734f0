"""From headlines to a signed deployment through the assets and checks of the graph, with the rule-based family alone."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pytest
from sqlalchemy import Engine, text

from sentiment_platform.entities import unknown_keys
from sentiment_platform.experiments import assets as experiment_assets
from sentiment_platform.experiments import checks as experiment_checks
from sentiment_platform.features import assets as feature_assets
from sentiment_platform.features import checks as feature_checks
from sentiment_platform.features.connection import connect
from sentiment_platform.features.online import read
from sentiment_platform.labels import assets as label_assets
from sentiment_platform.labels import checks as label_checks
from sentiment_platform.labels.examples import LabelledExample
from sentiment_platform.labels.importers import plain
from sentiment_platform.labels.importing import import_labels
from sentiment_platform.local.demo.sample_data import sample_directory
from sentiment_platform.models import assets as model_assets
from sentiment_platform.models import checks as model_checks
from sentiment_platform.models.versions import checks as version_checks
from sentiment_platform.news import assets as news_assets
from sentiment_platform.news.archive import import_archive, parse_mapping
from sentiment_platform.promotion import assets as promotion_assets
from sentiment_platform.promotion import checks as promotion_checks
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.run_tags import range_tags
from sentiment_platform.settings import Settings
from sentiment_platform.store.resources import PlatformResource
from sentiment_platform_tests.labels.stored_labels import many

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 21, 6, tzinfo=UTC)
COLUMNS = "title=title,published_at=published_at,tickers=tickers,summary=summary,url=url,outlet=outlet"
COLLECTION = [
    news_assets.raw_news,
    news_assets.articles,
    feature_assets.article_features,
    feature_checks.offline_and_online_agree,
]
TRAINING = [
    label_assets.labels,
    label_assets.training_set,
    label_checks.what_training_takes_in_is_sound,
    label_checks.nothing_leaks_between_parts,
    label_checks.every_label_is_present,
    model_assets.model_asset("vader"),
    version_checks.learning_check("vader"),
    model_assets.evaluation_asset("vader"),
    model_checks.answers_check("vader"),
    experiment_assets.ab_evaluation,
    experiment_checks.the_verdict_rests_on_evidence,
    promotion_assets.deployment,
    promotion_checks.the_registry_offers_what_was_decided,
]


class Loop:
    """Runs assets on the test's own servers and remembers what the last run said."""

    def __init__(self, platform: PlatformResource, instance: dg.DagsterInstance) -> None:
        self.platform = platform
        self.engine: Engine = platform.engine()
        self._instance = instance

    def run(self, assets: Sequence[Any], tags: dict[str, str] | None = None) -> dg.ExecuteInProcessResult:
        self.last = dg.materialize(
            assets, instance=self._instance, resources={"platform": self.platform}, tags=tags, raise_on_error=False
        )
        return self.last

    def made(self) -> dict[str, dict[str, Any]]:
        events = self.last.get_asset_materialization_events()
        return {
            event.asset_key.to_user_string(): {key: value.value for key, value in event.materialization.metadata.items()}
            for event in events
            if event.asset_key is not None
        }

    def checked(self) -> dict[str, bool]:
        return {evaluation.check_name: evaluation.passed for evaluation in self.last.get_asset_check_evaluations()}

    def one(self, query: str) -> Any:
        with self.engine.connect() as connection:
            return connection.execute(text(query)).scalar_one()

    def released(self) -> list[str]:
        with RegistryAccess(self.platform.settings()).writer(self.platform.now) as registry:
            return [model.version for model in registry.list_models()]


@pytest.fixture
def loop(settings: Settings) -> Iterator[Loop]:
    overrides = {item.metadata["variable"]: str(getattr(settings, item.name)) for item in fields(settings)}
    platform = PlatformResource(overrides=overrides, fixed_now=NOW.isoformat())
    with dg.DagsterInstance.ephemeral() as instance:
        yield Loop(platform, instance)
    platform.engine().dispose()


def people_say(loop: Loop, eighths: int = 8) -> None:
    """Undated labels, or so many eighths of them."""
    rows = [row for number, row in enumerate(many()) if number % 8 < eighths]
    examples = [
        LabelledExample(label_set="made", external_id=row.id, text=row.text, label=row.label, annotator="ada", licence="CC0-1.0")
        for row in rows
    ]  # type: ignore[arg-type]
    import_labels(loop.engine, examples)


def test_headlines_become_a_signed_deployment_and_the_second_pass_changes_nothing(loop: Loop, redis_url: str) -> None:
    path = sample_directory() / "headlines.csv"
    import_archive(path, parse_mapping(COLUMNS), source="sample", engine=loop.engine, run_id="test", now=NOW)
    window = range_tags("2026-10-21", "2026-11-20")
    assert loop.run(COLLECTION, window).success
    assert loop.checked() == {"offline_and_online_agree": True}
    in_window = loop.one("SELECT count(*) FROM platform.raw_data WHERE published_at >= '2026-10-21T00:00Z'")
    assert loop.one("SELECT count(*) FROM platform.processed_features WHERE entity LIKE 'article:%'") == in_window > 50
    entity = loop.one("SELECT entity FROM platform.processed_features ORDER BY as_of DESC, entity LIMIT 1")
    with closing(connect(redis_url)) as client:
        assert read(client, "v1", [entity], NOW)[0].status == "PRESENT"

    labels = plain(path, "sample", "Apache-2.0")
    assert import_labels(loop.engine, labels.examples) == len(labels.examples) == 855
    # From the sample alone a first version is not shown to beat the commonest label, and is not taken.
    people_say(loop)
    assert loop.run(TRAINING).success
    made = loop.made()
    assert loop.checked() == {
        "what_training_takes_in_is_sound": True,
        "nothing_leaks_between_parts": True,
        "every_label_is_present": True,
        "vader_learning_succeeded": True,
        "every_holdout_text_was_answered": True,
        "the_verdict_rests_on_evidence": True,
        "the_registry_offers_what_was_decided": True,
    }
    assert made["labels"]["dagster/row_count"] == 855 + len(many())
    assert made["vader_model"]["version"] == made["vader_evaluation"]["version"] == "v1.0.0-vader"
    assert made["deployment"]["deployment"] == "deploy-000001"
    assert made["deployment"]["champions"] == {"vader": "v1.0.0-vader"}
    assert loop.released() == ["v1.0.0-vader"]
    # What the graph shows is what the database holds and what was published.
    manifest = loop.one("SELECT manifest FROM platform.model_versions")
    assert manifest["training_set"] == made["training_set"]["digest"]
    for metric in ("accuracy", "macro_f1"):
        stored = loop.one(
            f"SELECT value FROM platform.model_performance WHERE metric = '{metric}' AND NOT starts_with(model_performance.window, 'folds:')"
        )
        assert stored == made["vader_evaluation"][metric] == manifest["metrics"][metric]["value"]
    for asset in ("vader_evaluation", "vader_model"):
        assert "data:image/png;base64," in made[asset]["picture"]
    assert "| term |" in made["vader_model"]["terms_moved"]
    assert "| both sentences right |" in made["vader_evaluation"]["contrast_pairs"]
    # The articles' context is in the training set: the features are not of the text alone.
    assert loop.one("SELECT count(*) FROM platform.training_examples WHERE features[11] IS NOT NULL") > 50

    before = {name: loop.one(f"SELECT count(*) FROM platform.{name}") for name in TABLES}
    assert loop.run(TRAINING).success
    again = loop.made()
    assert (again["training_set"]["unchanged"], again["vader_model"]["unchanged"]) == (True, True)
    assert again["deployment"]["published_now"] is False
    assert {name: loop.one(f"SELECT count(*) FROM platform.{name}") for name in TABLES} == before

    wave = plain(sample_directory() / "second_wave.csv", "sample", "Apache-2.0")
    assert import_labels(loop.engine, wave.examples) == 81
    assert loop.run(TRAINING).success
    third = loop.made()
    assert third["vader_model"]["version"] == "v1.0.1-vader"
    assert third["ab_evaluation"]["versions"] == "v1.0.0-vader, v1.0.1-vader"
    assert loop.one("SELECT count(*) FROM platform.experiments") == 1
    assert loop.checked()["the_registry_offers_what_was_decided"]
    # After all of it nothing stands in Redis under a name that nobody answers for.
    with closing(connect(redis_url)) as client:
        assert client.dbsize() > 0
        assert unknown_keys(client) == []


TABLES = (
    "labels",
    "training_sets",
    "training_examples",
    "model_versions",
    "model_performance",
    "holdout_predictions",
    "experiments",
    "deployments",
    "audit_log",
)


def test_a_leak_stops_the_run_before_anything_is_trained(loop: Loop) -> None:
    people_say(loop)
    # A writer that files every sixteenth text under one story, whatever its part.
    with loop.engine.begin() as connection:
        connection.execute(
            text(
                """
                CREATE FUNCTION platform.leak() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN NEW.story_id := 'leak'; RETURN NEW; END $$;
                CREATE TRIGGER leak BEFORE INSERT ON platform.training_examples FOR EACH ROW
                    WHEN (NEW.example_id LIKE '0%') EXECUTE FUNCTION platform.leak();
                """
            )
        )
    assert not loop.run(TRAINING).success
    assert loop.checked()["nothing_leaks_between_parts"] is False
    assert set(loop.made()) == {"labels", "training_set"}
    assert loop.released() == []
    # The same run without the leak goes through; another label makes another training set.
    with loop.engine.begin() as connection:
        connection.execute(text("DROP TRIGGER leak ON platform.training_examples"))
    import_labels(
        loop.engine,
        [
            LabelledExample(
                label_set="made",
                external_id="one more",
                text="Dam of Aare is inspected",
                label="neutral",
                annotator="ada",
                licence="CC0-1.0",
            )
        ],
    )
    assert loop.run(TRAINING).success
    assert loop.released() == ["v1.0.0-vader"]


def test_too_little_evidence_stops_the_run_before_anything_is_deployed(loop: Loop) -> None:
    people_say(loop, eighths=5)
    assert not loop.run(TRAINING).success
    checked = loop.checked()
    assert checked["nothing_leaks_between_parts"]
    assert checked["the_verdict_rests_on_evidence"] is False
    assert set(loop.made()) == {"labels", "training_set", "vader_model", "vader_evaluation", "ab_evaluation"}
    assert loop.one("SELECT count(*) FROM platform.deployments") == 0
    people_say(loop)
    assert loop.run(TRAINING).success
    assert loop.one("SELECT count(*) FROM platform.deployments") == 1


def test_without_labels_the_run_is_green_and_trains_nothing(loop: Loop) -> None:
    assert loop.run(TRAINING).success
    assert set(loop.made()) == {"labels"}
    assert loop.released() == []
