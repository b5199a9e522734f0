"""What counts as the same inputs, above all where training goes on from whatever is deployed."""

import dataclasses
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Engine

from sentiment_platform.features.schema import V1
from sentiment_platform.models.family import TrainingData, TrainingOptions
from sentiment_platform.models.versions.publishing import TrainedVersion, train_and_publish
from sentiment_platform.models.versions.training_inputs import CHAMPION, change_since, inputs_digest, start_digest
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.registry.deployment import Champion
from sentiment_platform.registry.documents import digest
from sentiment_platform.registry.manifest import FeatureSchema
from sentiment_platform.settings import Settings
from sentiment_platform.store.versions import find_version, get_version
from sentiment_platform_tests.models.conftest import TINY_PARAMETERS
from sentiment_platform_tests.models.tiny_transformer import earlier, stored, tiny_data
from sentiment_platform_tests.registry.examples import manifest_of
from sentiment_platform_tests.versions import deploy, register, store_training_set

NOW = datetime(2026, 3, 2, tzinfo=UTC)
INPUTS = {"base": "tiny", "digest": "ab" * 32}
OPTIONS = TrainingOptions(seed=7, threads=1, parameters={"start": CHAMPION, "epochs": 2})
DATA = tiny_data()


def registered(engine: Engine, version: str, options: TrainingOptions, training_set: str, start: str | None = None) -> Champion:
    """A version that was made with these options from that training set, going on from `start`, as a champion."""
    manifest = msgspec.structs.replace(
        manifest_of(version),
        training_set=training_set,
        feature_schema=FeatureSchema("v1", V1.hash, V1.names),
        figures={CHAMPION: start} if start else {},
    )
    register(engine, manifest, options_digest=inputs_digest(INPUTS, options, DATA, start))
    return Champion(version, digest(manifest))


def start(engine: Engine, champion: Champion | None, options: TrainingOptions = OPTIONS) -> str | None:
    with engine.connect() as connection:
        return start_digest(connection, INPUTS, options, DATA, champion)


def test_the_champion_is_an_input_where_training_goes_on_from_it_and_only_there(engine: Engine) -> None:
    first, second = (registered(engine, version, OPTIONS, "older data") for version in ("v1.0.0-finbert", "v1.0.1-finbert"))
    assert start(engine, None) is None
    assert start(engine, first, TrainingOptions(seed=7, threads=1, parameters={"epochs": 2})) is None
    starts = [start(engine, champion) for champion in (first, second)]
    assert starts == [first.manifest_digest, second.manifest_digest]
    assert len({inputs_digest(INPUTS, OPTIONS, DATA, one) for one in [None, *starts]}) == 3


def test_a_champion_that_these_inputs_made_is_found_again_and_not_gone_on_from(engine: Engine) -> None:
    from_base = registered(engine, "v1.0.0-finbert", OPTIONS, DATA.digest)
    went_on = registered(engine, "v1.0.1-finbert", OPTIONS, DATA.digest, start="cd" * 32)
    assert (start(engine, from_base), start(engine, went_on)) == (None, "cd" * 32)
    for champion in (from_base, went_on):
        with engine.connect() as connection:
            wanted = inputs_digest(INPUTS, OPTIONS, DATA, start(engine, champion))
            found = find_version(connection, "finbert", DATA.digest, wanted)
        assert found is not None
        assert found.version == champion.version
    # The control: the same data with another seed made another champion, which is something to go on from.
    other = registered(engine, "v1.1.0-finbert", dataclasses.replace(OPTIONS, seed=8), DATA.digest)
    assert start(engine, other) == other.manifest_digest


def test_another_champion_is_no_other_recipe(engine: Engine) -> None:
    registered(engine, "v1.0.1-finbert", OPTIONS, "older data", start="cd" * 32)
    with engine.connect() as connection:
        previous = get_version(connection, "v1.0.1-finbert")
    assert change_since(previous, INPUTS, OPTIONS, DATA) == "patch"
    assert change_since(previous, INPUTS, dataclasses.replace(OPTIONS, seed=8), DATA) == "minor"
    assert change_since(None, INPUTS, OPTIONS, DATA) == "major"


@pytest.mark.slow
def test_the_default_training_is_unchanged_by_its_own_deployment_and_goes_on_from_it_with_new_data(
    engine: Engine, settings: Settings, tiny_base: Path
) -> None:
    settings = dataclasses.replace(settings, transformer_base=str(tiny_base))
    options = TrainingOptions(seed=7, threads=1, parameters={**TINY_PARAMETERS, "epochs": 2, "start": CHAMPION})

    def train() -> TrainedVersion:
        access = RegistryAccess(settings)
        return train_and_publish(engine, access, "finbert", options, run_id="r", now=lambda: NOW, progress=lambda _: None)

    def trained_and_deployed(data: TrainingData, name: str) -> TrainedVersion:
        store_training_set(engine, name, stored(data))
        made = train()
        assert made.new
        deploy(engine, made.manifest)
        again = train()
        assert (again.new, again.version) == (False, made.version)
        return made

    first = trained_and_deployed(earlier(DATA), "be" * 32)
    made = trained_and_deployed(DATA, "af" * 32)
    assert (first.version, made.version) == ("v1.0.0-finbert", "v1.0.1-finbert")
    assert CHAMPION not in first.manifest.figures
    assert made.manifest.figures[CHAMPION] == made.manifest.figures["lineage"]["from_manifest"] == first.manifest_digest
    deploy(engine, first.manifest)
    back = train()
    assert (back.new, back.version) == (False, made.version), "going on from the first again would give the same"
