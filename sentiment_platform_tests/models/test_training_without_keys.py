"""Who could not sign what he makes is told before anything is trained, and how to get the keys."""

from dataclasses import replace

import dagster as dg
import pytest
from sqlalchemy import Engine

from sentiment_platform.definitions import defs
from sentiment_platform.labels.importers import plain
from sentiment_platform.labels.importing import import_labels
from sentiment_platform.local.demo.sample_data import sample_directory
from sentiment_platform.registry.signing import generate_private_key
from sentiment_platform.settings import Settings
from sentiment_platform.store.resources import PlatformResource
from sentiment_platform.store.versions import all_versions
from sentiment_platform_tests.serving.running import environment_of

WHOLE_JOBS = ("train_job", "baseline_job")
MODEL_ALONE = "__ASSET_JOB"


def run(job: str, settings: Settings) -> tuple[set[str], str]:
    """Names of the steps that failed, and what their errors say together."""
    platform = PlatformResource(overrides=environment_of(settings))
    here = dg.Definitions(assets=defs.assets, asset_checks=defs.asset_checks, jobs=defs.jobs, resources={"platform": platform})
    steps = ["labels", "training_set", "vader_model"]
    with dg.DagsterInstance.ephemeral() as instance:
        result = here.resolve_job_def(job).execute_in_process(
            instance=instance, asset_selection=[dg.AssetKey(step) for step in steps], raise_on_error=False
        )
    platform.engine().dispose()
    failed = [event for event in result.all_events if event.is_step_failure]
    return {str(event.step_key) for event in failed}, " ".join(str(event.event_specific_data) for event in failed)


@pytest.mark.slow
def test_a_missing_or_untrusted_key_stops_training_before_it_begins(engine: Engine, settings: Settings) -> None:
    import_labels(engine, plain(sample_directory() / "headlines.csv", "sample", "Apache-2.0").examples)
    model, _, _ = settings.signing_keys.partition(",")
    unable = {
        "holds no model key": replace(settings, signing_keys=""),
        "holds no operator key": replace(settings, signing_keys=model),
        "is not the one that SENTIMENT_PUBLIC_KEYS trusts": replace(settings, signing_keys=f"model={generate_private_key()}"),
        "SENTIMENT_REGISTRY_TOKEN is not set": replace(settings, registry_token=""),
    }
    for job, (words, without) in zip(WHOLE_JOBS * 2, unable.items(), strict=True):
        failed, said = run(job, without)
        assert failed == {"vader_model"}
        assert words in said
        assert "sentiment-platform setup" in said or not without.registry_token
    with engine.connect() as connection:
        assert all_versions(connection) == []
    # A machine that only trains has no operator key: what does not go on to a deployment needs none.
    assert run(MODEL_ALONE, replace(settings, signing_keys=model)) == (set(), "")
    with engine.connect() as connection:
        assert [version.family for version in all_versions(connection)] == ["vader"]
