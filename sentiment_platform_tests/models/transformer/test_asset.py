"""The asset of the transformer on real parts: searched, trained, published, and what it shows."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from sentiment_platform.models.assets import model_asset
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.settings import Settings, documentation
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform.store.resources import PlatformResource
from sentiment_platform.store.training_sets import write_training_set
from sentiment_platform_tests.models.conftest import TINY_PARAMETERS
from sentiment_platform_tests.models.tiny_transformer import stored, tiny_data
from sentiment_platform_tests.models.versions.vader_versions import EVERY_FAMILY

pytestmark = pytest.mark.slow

CONFIG = {"seed": 7, "threads": 1, "parameters": {**TINY_PARAMETERS, "epochs": 5, "n_trials": 5, "trial_texts": 120}}


@pytest.fixture
def environment(settings: Settings, tiny_base: Path) -> dict[str, str]:
    """The variables that say what `settings` says, with the tiny base."""
    described = {
        item.metadata["variable"]: str(getattr(settings, name)) for name, item in type(settings).__dataclass_fields__.items()
    }
    assert set(described) == {variable for variable, _, _ in documentation()}
    return described | {"TRANSFORMER_BASE": str(tiny_base)}


def materialize(environment: dict[str, str], instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    platform = PlatformResource(overrides=environment, fixed_now=datetime(2026, 3, 2, tzinfo=UTC).isoformat())
    config: Any = {"ops": {"finbert_model": {"config": CONFIG}}}
    return dg.materialize([model_asset("finbert")], instance=instance, resources={"platform": platform}, run_config=config)


def test_the_asset_shows_search_and_training_while_and_after_they_run_and_trains_nothing_twice(
    environment: dict[str, str], settings: Settings
) -> None:
    engine = create_platform_engine(settings.database_url)
    with engine.begin() as connection:
        write_training_set(connection, "af" * 32, "v1", {}, stored(tiny_data(400)))
    engine.dispose()
    with dg.DagsterInstance.ephemeral() as instance:
        result = materialize(environment, instance)
        (materialization,) = result.asset_materializations_for_node("finbert_model")
        observed = [event.asset_observation_data.asset_observation for event in result.get_asset_observation_events()]
        again = materialize(environment, instance).asset_materializations_for_node("finbert_model")[0]
    shown = materialization.metadata
    assert shown["unchanged"].value is False
    assert "data:image/png;base64," in str(shown["picture"].value)
    figures: Any = shown["figures"].value
    assert set(figures) >= EVERY_FAMILY | {"training", "parity", "search", "lineage", "distillation"}
    assert "| scorer alone |" in str(shown["card"].value)
    assert "terms_moved" not in shown, "only a family whose figures have terms shows them"
    assert figures["search"]["n_trials"] == 5
    assert figures["lineage"] == {"start": "base"}
    assert [fold["predicted"] for fold in figures["distillation"]["teachers"]] == [200, 200]
    assert "of the training texts" in str(shown["doubted_labels"].value)
    assert figures["training"]["parameters"]["label_smoothing"] == figures["search"]["best_parameters"]["label_smoothing"]
    stages = {str(observation.metadata["stage"].value) for observation in observed}
    assert {"search", "fine-tuning, fold 1 of 2", "fine-tuning", "export"} <= stages
    assert again.metadata["unchanged"].value is True
    assert again.metadata["version"].value == shown["version"].value
    version, digest = str(shown["version"].value), str(shown["manifest_digest"].value)
    served, manifest = RegistryAccess(settings).fetch(version, digest)
    assert set(manifest.training_files or {}) == {"weights.safetensors"}
    assert not (served / "weights.safetensors").exists()
