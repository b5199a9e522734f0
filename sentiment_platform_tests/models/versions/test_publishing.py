from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from sentiment_platform.errors import ConflictError
from sentiment_platform.features.schema import V1
from sentiment_platform.labels.examples import LabelledExample
from sentiment_platform.labels.importing import import_labels
from sentiment_platform.labels.training_set import build_and_store
from sentiment_platform.models.evaluation.golden import GOLDEN_TEXTS, require_golden
from sentiment_platform.models.evaluation.holdout import evaluate_latest, evaluate_version
from sentiment_platform.models.families import load_model
from sentiment_platform.models.family import LABELS, Progress
from sentiment_platform.models.model_card import model_card
from sentiment_platform.models.vader.diff import moved_summary
from sentiment_platform.models.vader.family import STOCK_SCORER, read_scorer
from sentiment_platform.models.versions.training_inputs import deployed_champion
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.registry.signing import generate_private_key
from sentiment_platform.settings import Settings
from sentiment_platform.store import leases
from sentiment_platform.store.versions import all_versions
from sentiment_platform_tests.labels.stored_labels import many
from sentiment_platform_tests.models.versions.vader_versions import EVERY_FAMILY, NOW, drafts, label, registered, released, train
from sentiment_platform_tests.promotion.stepping import Died, SteppedAccess, dies_after
from sentiment_platform_tests.registry.examples import manifest_of, write_files
from sentiment_platform_tests.versions import deploy

pytestmark = pytest.mark.slow


@pytest.fixture
def engine(engine: Engine) -> Engine:
    """With a training set."""
    label(engine)
    return engine


def test_a_version_is_published_with_what_it_was_made_of_and_can_be_served(engine: Engine, settings: Settings) -> None:
    access = RegistryAccess(settings)
    made = train(engine, access)
    assert (made.version, made.new) == ("v1.0.0-vader", True)
    directory, manifest = access.fetch(made.version, made.manifest_digest)
    assert manifest == made.manifest
    assert (manifest.feature_schema.digest, manifest.feature_schema.features) == (V1.hash, V1.names)
    assert [golden.text for golden in manifest.golden] == list(GOLDEN_TEXTS)
    model = load_model("vader", directory)
    assert require_golden(model, [(golden.text, golden.probabilities) for golden in manifest.golden]) < 1e-9
    with engine.connect() as connection:
        (row,) = all_versions(connection)
    assert (row.version, row.manifest_digest, row.training_set) == (made.version, made.manifest_digest, manifest.training_set)
    assert row.manifest == manifest
    assert set(manifest.figures) >= EVERY_FAMILY | {"fitted_macro_f1", "thresholds", "terms", "terms_moved", "search"}
    assert set(manifest.figures["ablation"]["comparison"]) >= {"a", "b", "log_loss_difference", "macro_f1_difference"}
    shown = model_card(manifest)
    for row in ("| scorer alone |", "| with the features |", "| difference (95 % interval) |"):
        assert row in shown
    # The card is the text of the release, and says what stands in the training set.
    with access.writer(lambda: NOW) as registry:
        (release,) = registry._connection.repository.get_releases()  # pyright: ignore[reportPrivateUsage]
        assert release.body.startswith(shown)
    parts = manifest.figures["data"]
    assert sum(part["texts"] for part in parts.values()) == len(many())
    assert f"| train | {parts['train']['texts']} | " in shown
    assert {f"always {name}" for name in LABELS} & manifest.figures["baselines"].keys()
    # The figures of the manifest are those of the published files, fetched and loaded.
    found = evaluate_latest(engine, access, "vader")
    assert found.evaluation.report.accuracy.value == manifest.metrics["accuracy"].value
    assert evaluate_version(engine, access, made.version).digest() == found.digest()


def test_a_manifest_says_what_the_licences_of_the_labels_allow(engine: Engine, settings: Settings) -> None:
    bank = LabelledExample(
        label_set="bank",
        external_id="1",
        text="Dam of Aare is inspected",
        label="neutral",
        annotator="bob",
        licence="CC-BY-NC-SA-3.0",
    )
    import_labels(engine, [bank])
    build_and_store(engine, V1)
    licences = train(engine, RegistryAccess(settings)).manifest.licences
    assert "label set bank: CC-BY-NC-SA-3.0 (NON-COMMERCIAL USE ONLY)" in licences
    assert "label set made: CC0-1.0 (commercial use allowed)" in licences


def test_the_same_inputs_are_not_trained_again(engine: Engine, settings: Settings) -> None:
    first = train(engine, RegistryAccess(settings), run="first")
    seen: list[Progress] = []
    again = train(engine, RegistryAccess(settings), run="second", progress=seen.append)
    assert (again.new, again.version, again.manifest_digest, again.manifest) == (
        False,
        first.version,
        first.manifest_digest,
        first.manifest,
    )
    assert seen == []
    assert released(settings) == registered(engine) == ["v1.0.0-vader"]


def test_new_labels_raise_the_patch_and_new_options_the_minor_version(engine: Engine, settings: Settings) -> None:
    access = RegistryAccess(settings)
    versions = [train(engine, access).version]
    label(engine, extra=3)
    versions.append(train(engine, access).version)
    versions.append(train(engine, access, seed=2).version)
    label(engine, extra=6)
    versions.append(train(engine, access, seed=2).version)
    assert versions == ["v1.0.0-vader", "v1.0.1-vader", "v1.1.0-vader", "v1.1.1-vader"]
    # What was made before is found again, also when something else was made since.
    assert train(engine, access, seed=2).version == "v1.1.1-vader"
    assert registered(engine) == released(settings) == sorted(versions)


@pytest.mark.parametrize("step", ["draft created", "vader.json uploaded", "manifest.json uploaded", "published"])
def test_a_run_that_dies_anywhere_leaves_one_version_after_the_next(engine: Engine, settings: Settings, step: str) -> None:
    with pytest.raises(Died):
        train(engine, SteppedAccess(settings, dies_after(step)), run="dead")
    assert registered(engine) == []
    made = train(engine, RegistryAccess(settings), run="next")
    assert (made.version, made.new) == ("v1.0.0-vader", step != "published")
    assert released(settings) == registered(engine) == ["v1.0.0-vader"]
    assert drafts(settings) == []
    access = RegistryAccess(settings)
    assert access.fetch(made.version, made.manifest_digest)[1] == made.manifest
    assert train(engine, access, run="after").new is False


def test_a_released_version_that_was_not_registered_is_passed_over_by_other_inputs(engine: Engine, settings: Settings) -> None:
    with pytest.raises(Died):
        train(engine, SteppedAccess(settings, dies_after("published")))
    made = train(engine, RegistryAccess(settings), seed=2)
    assert made.new
    assert released(settings) == sorted(["v1.0.0-vader", made.version])
    assert registered(engine) == [made.version] != ["v1.0.0-vader"]


def test_whoever_lost_the_lease_while_training_publishes_nothing(engine: Engine, settings: Settings) -> None:
    def taken_over(progress: Progress) -> None:
        if progress.stage == "vader: fitted":
            leases.acquire(engine, "train:vader", "successor", 60, take_over=True)

    with pytest.raises(ConflictError, match="no longer holds train:vader"):
        train(engine, RegistryAccess(settings), progress=taken_over)
    assert (registered(engine), released(settings), drafts(settings)) == ([], [], [])


def test_whoever_lost_the_lease_while_publishing_registers_nothing(engine: Engine, settings: Settings) -> None:
    def taken_over(step: str) -> None:
        if step == "published":
            leases.acquire(engine, "train:vader", "successor", 60, take_over=True)

    with pytest.raises(ConflictError, match="no longer holds train:vader"):
        train(engine, SteppedAccess(settings, taken_over), run="zombie")
    assert (registered(engine), released(settings)) == ([], ["v1.0.0-vader"])


def test_a_release_that_our_key_did_not_sign_is_not_taken_up(engine: Engine, settings: Settings) -> None:
    stranger = replace(settings, signing_keys=f"model={generate_private_key()}")
    with pytest.raises(Died):
        train(engine, SteppedAccess(stranger, dies_after("published")))
    made = train(engine, RegistryAccess(settings))
    assert made.new
    assert registered(engine) == [made.version]
    assert released(settings) == sorted(["v1.0.0-vader", made.version])


def test_a_tag_that_somebody_takes_at_the_last_moment_costs_only_the_tag(
    engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    access = RegistryAccess(settings)
    attempts: list[str] = []

    def interfere(step: str) -> None:
        if step != "manifest.json uploaded":
            return
        attempts.append(step)
        if len(attempts) == 1:
            with access.writer(lambda: NOW) as other:
                other.publish_model(write_files(tmp_path / "other"), manifest_of("v1.0.0-vader"), access.private_keys)

    made = train(engine, SteppedAccess(settings, interfere))
    assert made.new
    assert len(attempts) == 2
    assert registered(engine) == [made.version]
    assert released(settings) == sorted(["v1.0.0-vader", made.version])
    assert drafts(settings) == []


def test_the_next_version_is_compared_with_the_deployed_one_term_by_term(engine: Engine, settings: Settings) -> None:
    access = RegistryAccess(settings)
    first = train(engine, access)
    with engine.connect() as connection:
        assert deployed_champion(connection, "vader") is None
    deploy(engine, first.manifest)
    label(engine, extra=30)
    second = train(engine, access)

    assert second.version == "v1.0.1-vader"
    before, after = (access.fetch(made.version, made.manifest_digest)[0] for made in (first, second))
    moved = second.manifest.figures["terms_moved"]
    assert moved == moved_summary(read_scorer(before), read_scorer(after)) != moved_summary(STOCK_SCORER, read_scorer(after))
