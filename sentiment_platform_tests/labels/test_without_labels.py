"""Nothing to learn from is no fault: the shipped training job says so and stays green, and fails over labels that it cannot use."""

import dagster as dg
import pytest

from sentiment_platform.definitions import defs
from sentiment_platform.labels.examples import LabelledExample
from sentiment_platform.labels.importing import import_labels
from sentiment_platform.labels.training_set import NO_LABELS
from sentiment_platform.settings import Settings
from sentiment_platform.store.resources import PlatformResource
from sentiment_platform_tests.serving.running import environment_of

ONE = LabelledExample(label_set="mine", external_id="1", text="Sales rose", label="positive", annotator="ada", licence="CC0-1.0")


@pytest.mark.slow
def test_training_without_any_label_says_so_and_is_green_and_with_one_label_it_is_red(settings: Settings) -> None:
    platform = PlatformResource(overrides=environment_of(settings))
    here = dg.Definitions(assets=defs.assets, asset_checks=defs.asset_checks, jobs=defs.jobs, resources={"platform": platform})
    with dg.DagsterInstance.ephemeral() as instance:

        def trained() -> tuple[bool, set[str], list[str]]:
            result = here.resolve_job_def("train_job").execute_in_process(instance=instance, raise_on_error=False)
            said = [entry.user_message for entry in instance.all_logs(result.run_id)]
            made = {event.asset_key.to_user_string() for event in result.get_asset_materialization_events() if event.asset_key}
            return result.success, made, said

        green, made, said = trained()
        assert (green, made) == (True, {"labels"})
        assert NO_LABELS in said
        import_labels(platform.engine(), [ONE])
        green, made, said = trained()
        assert (green, made) == (False, {"labels"})
        assert NO_LABELS not in said
    platform.engine().dispose()
