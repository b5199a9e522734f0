"""Going on from the deployed version: fewer steps, nothing forgotten; and the full training where that does not hold."""

import dataclasses
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
import pytest
from sqlalchemy import Engine

from sentiment_platform.models.family import TrainingData, TrainingOptions
from sentiment_platform.models.training_data import read_training_data
from sentiment_platform.models.transformer.training.base import resolve_base
from sentiment_platform.models.transformer.training.fine_tuning import TrainedTransformer, train_transformer
from sentiment_platform.models.transformer.training.incremental import (
    MAX_FORGETTING_POINTS,
    ChampionState,
    new_rows,
    replay_rows,
    train_on,
)
from sentiment_platform.models.transformer.training.recipe import train_by_recipe
from sentiment_platform.models.transformer.training.stages import taken
from sentiment_platform.models.transformer.training.weights import WEIGHTS_FILE, write_weights
from sentiment_platform.models.versions.training_world import CHECKPOINTS, training_world
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.registry.documents import digest
from sentiment_platform.registry.manifest import FileEntry, Manifest
from sentiment_platform.settings import Settings
from sentiment_platform.store.training_sets import write_training_set
from sentiment_platform_tests.models.conftest import TINY_PARAMETERS
from sentiment_platform_tests.models.tiny_transformer import KNOWN, earlier, stored, tiny_data
from sentiment_platform_tests.registry.examples import manifest_of, write_files

pytestmark = pytest.mark.slow

OPTIONS = TrainingOptions(seed=7, threads=1, parameters={**TINY_PARAMETERS, "epochs": 6, "start": "champion"})
NOW = datetime(2026, 3, 2, tzinfo=UTC)


def manifest_for(base: Path, training_set: str) -> Manifest:
    named = msgspec.structs.replace(manifest_of("v1.0.0-finbert"), base_digest=resolve_base(str(base)).digest)
    return msgspec.structs.replace(named, training_set=training_set)


@pytest.fixture(scope="module")
def champion_run(tiny_base: Path) -> TrainedTransformer:
    options = TrainingOptions(seed=7, threads=1, parameters={**OPTIONS.parameters, "start": "base"})
    return train_transformer(resolve_base(str(tiny_base)), earlier(tiny_data()), options, lambda _: None)


@pytest.fixture
def champion(champion_run: TrainedTransformer, tiny_base: Path) -> ChampionState:
    manifest = manifest_for(tiny_base, "earlier")
    return ChampionState(manifest, digest(manifest), champion_run.network.state_dict(), earlier(tiny_data()))


def go_on(base: Path, data: TrainingData, champion: ChampionState | str) -> TrainedTransformer:
    return train_on(resolve_base(str(base)), data, OPTIONS, lambda _: None, champion)


def test_what_is_new_is_learnt_in_fewer_steps_and_the_old_test_part_is_not_forgotten(
    tiny_base: Path, champion: ChampionState
) -> None:
    trained = go_on(tiny_base, tiny_data(), champion)
    lineage = trained.lineage
    assert (lineage["start"], lineage["from_version"]) == ("champion", "v1.0.0-finbert")
    assert (lineage["new_texts"], lineage["replayed_texts"]) == (40, 40)
    assert lineage["steps"] == trained.steps < lineage["steps_of_full_training"] == 6 * 15
    assert lineage["forgetting"]["n"] == 60
    assert lineage["forgetting"]["points"] <= MAX_FORGETTING_POINTS
    assert lineage["forgetting"]["after"] > 0.85


def test_who_forgets_too_much_is_trained_in_full_and_the_attempt_stays_on_record(
    tiny_base: Path, champion: ChampionState
) -> None:
    """Negative control: new labels that say the opposite make the check strike."""
    data = tiny_data()
    inverted = np.where(np.arange(len(data.train)) < 40, data.train.labels, 2 - data.train.labels)
    turned = dataclasses.replace(
        data,
        train=dataclasses.replace(data.train, labels=inverted),
        validation=dataclasses.replace(data.validation, labels=2 - data.validation.labels),
    )
    known = dataclasses.replace(champion, seen=dataclasses.replace(champion.seen, train=taken(turned.train, np.arange(150))))
    trained = go_on(tiny_base, turned, known)
    assert trained.lineage["start"] == "base"
    assert "forgot" in trained.lineage["note"]
    assert trained.lineage["rejected"]["forgetting"]["points"] > MAX_FORGETTING_POINTS
    assert trained.steps > trained.lineage["rejected"]["steps"]


def test_full_training_says_why_it_was_full(tiny_base: Path, champion: ChampionState) -> None:
    def note(data: TrainingData, state: ChampionState | str) -> str:
        short = dataclasses.replace(OPTIONS, parameters={**OPTIONS.parameters, "epochs": 1})
        trained = train_on(resolve_base(str(tiny_base)), data, short, lambda _: None, state)
        assert trained.lineage["start"] == "base"
        return trained.lineage["note"]

    assert note(tiny_data(), "no version is deployed yet") == "no version is deployed yet"
    assert "no training text is new" in note(earlier(tiny_data()), champion)
    elsewhere = dataclasses.replace(champion, manifest=msgspec.structs.replace(champion.manifest, base_digest="ab" * 32))
    assert "another base" in note(tiny_data(), elsewhere)
    few = dataclasses.replace(champion.seen, train=taken(champion.seen.train, np.arange(30)))
    assert "as many steps as full training" in note(tiny_data(), dataclasses.replace(champion, seen=few))


def test_a_corrected_label_is_new_and_replay_keeps_the_shares_of_the_classes() -> None:
    data = tiny_data()
    labels = data.train.labels.copy()
    labels[3] = (labels[3] + 1) % 3
    corrected = dataclasses.replace(data, train=dataclasses.replace(data.train, labels=labels))
    new = new_rows(corrected, earlier(data))
    assert new.tolist() == [3, *range(KNOWN, len(labels))]
    replayed = replay_rows(data, new, 2.0, seed=1)
    assert set(replayed) & set(new) == set()
    assert abs(len(replayed) - 2 * len(new)) <= 2
    known = np.setdiff1d(np.arange(len(labels)), new)
    shares = [np.bincount(data.train.labels[rows], minlength=3) / len(rows) for rows in (known, replayed)]
    assert np.abs(shares[0] - shares[1]).max() < 0.03
    assert replay_rows(data, new, 2.0, seed=1).tolist() == replayed.tolist() != replay_rows(data, new, 2.0, seed=2).tolist()
    assert len(replay_rows(data, new, 0.0, seed=1)) == 0


def test_the_champions_weights_come_from_its_release_and_its_training_set_from_the_database(
    engine: Engine, settings: Settings, champion_run: TrainedTransformer, tiny_base: Path, tmp_path: Path
) -> None:
    before = earlier(tiny_data(), digest="be" * 32)
    with engine.begin() as connection:
        write_training_set(connection, before.digest, "v1", {}, stored(before))
        write_training_set(connection, "af" * 32, "v1", {}, stored(tiny_data()))
    access = RegistryAccess(settings)
    world = training_world(engine, access)
    folder = write_files(tmp_path / "model")
    write_weights(champion_run.network, folder / WEIGHTS_FILE)
    content = (folder / WEIGHTS_FILE).read_bytes()
    manifest = msgspec.structs.replace(
        manifest_for(tiny_base, before.digest), training_files={WEIGHTS_FILE: FileEntry(digest(content), len(content))}
    )
    with access.writer(lambda: NOW) as registry:
        registry.publish_model(folder, manifest, access.private_keys)
    served, _ = access.fetch(manifest.version, digest(manifest))
    assert not (served / WEIGHTS_FILE).exists()
    data = read_training_data(engine, "af" * 32)
    options = dataclasses.replace(OPTIONS, champion=served)
    trained = train_by_recipe(resolve_base(str(tiny_base)), data, options, lambda _: None, world)
    assert trained.lineage["start"] == "champion"
    assert trained.lineage["from_manifest"] == digest(manifest)
    assert list((settings.state_dir / CHECKPOINTS).glob("*")) == [], "checkpoints are gone after success"
    # A version without weights is no start.
    bare = msgspec.structs.replace(manifest, version="v1.0.1-finbert", training_files=msgspec.UNSET)
    with access.writer(lambda: NOW) as registry:
        registry.publish_model(write_files(tmp_path / "bare"), bare, access.private_keys)
    short = TrainingOptions(
        seed=7, threads=1, parameters={**OPTIONS.parameters, "epochs": 1}, champion=access.fetch(bare.version, digest(bare))[0]
    )
    full = train_by_recipe(resolve_base(str(tiny_base)), data, short, lambda _: None, world)
    assert (full.lineage["start"], "gives no weights" in full.lineage["note"]) == ("base", True)
