"""From a base that has seen the holdout to the gate: every figure on the way says so, and without such a base none does."""

import dataclasses
import shutil
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import text

from sentiment_platform.experiments.assets import ab_evaluation
from sentiment_platform.experiments.checks import the_verdict_rests_on_evidence
from sentiment_platform.models.assets import evaluation_asset
from sentiment_platform.models.family import TrainingOptions
from sentiment_platform.models.versions.publishing import train_and_publish
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.settings import Settings
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform.store.resources import PlatformResource
from sentiment_platform.store.training_sets import write_training_set
from sentiment_platform_tests.models.conftest import TINY_PARAMETERS
from sentiment_platform_tests.models.tiny_transformer import stored, tiny_data
from sentiment_platform_tests.serving.running import environment_of

pytestmark = pytest.mark.slow

NOW = datetime(2026, 3, 2, tzinfo=UTC)
PARAMETERS = {"vader": {"trials": 0}, "finbert": {**TINY_PARAMETERS, "epochs": 1}}


@pytest.mark.parametrize(("directory", "in_sample"), [("finbert", True), ("encoder", False)])
def test_a_base_that_was_trained_on_the_phrasebank_marks_every_figure_on_it_and_every_comparison(
    settings: Settings, tiny_base: Path, tmp_path: Path, directory: str, in_sample: bool
) -> None:
    base = shutil.copytree(tiny_base, tmp_path / directory)
    settings = dataclasses.replace(settings, transformer_base=str(base))
    engine, access = create_platform_engine(settings.database_url), RegistryAccess(settings)
    with engine.begin() as connection:
        bank = [dataclasses.replace(example, label_set="phrasebank-50") for example in stored(tiny_data())]
        write_training_set(connection, "af" * 32, "v1", {}, bank)
    for family, parameters in PARAMETERS.items():
        options = TrainingOptions(seed=7, threads=1, parameters=parameters)
        made = train_and_publish(engine, access, family, options, run_id="r", now=lambda: NOW, progress=lambda _: None)
        expected = in_sample and family == "finbert"
        assert {metric.in_sample for metric in made.manifest.metrics.values()} == {expected}
        assert made.manifest.figures["in_sample"] is expected
    assets = [evaluation_asset("vader"), evaluation_asset("finbert"), ab_evaluation, the_verdict_rests_on_evidence]
    platform = PlatformResource(overrides=environment_of(settings), fixed_now=NOW.isoformat())
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(assets, instance=instance, resources={"platform": platform})
    shown = {name: result.asset_materializations_for_node(name)[0].metadata for name in ("finbert_evaluation", "ab_evaluation")}
    assert all(metadata["in_sample"].value is in_sample for metadata in shown.values())
    assert ("In-sample, so no evidence" in str(shown["ab_evaluation"]["verdict"].value)) is in_sample
    (check,) = result.get_asset_check_evaluations()
    assert check.metadata["in_sample"].value is in_sample
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT DISTINCT version, in_sample FROM platform.model_performance ORDER BY 1")).all()
    engine.dispose()
    assert [tuple(row) for row in rows] == [("v1.0.0-finbert", in_sample), ("v1.0.0-vader", False)]
