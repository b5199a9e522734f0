"""The sensor that makes a person's selection in serving the next revision."""

import dagster as dg

from sentiment_platform.promotion.jobs import deploy_job
from sentiment_platform.run_tags import ACTOR, TRIGGER
from sentiment_platform.store.resources import PlatformResource
from sentiment_platform.store.selections import open_selection_requests


@dg.sensor(
    job=deploy_job,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Somebody selected a version, or rolled back, in serving: publish it, once.",
)
def a_version_was_selected(platform: PlatformResource) -> dg.SensorResult | dg.SkipReason:
    with platform.engine().connect() as connection:
        requests = open_selection_requests(connection)
    if not requests:
        return dg.SkipReason("no open selection request")
    newest = requests[-1]
    # The run key is the newest request: the run settles all of them, and a failed run is not repeated until somebody asks again.
    return dg.SensorResult(
        run_requests=[dg.RunRequest(run_key=f"selection-{newest.id}", tags={TRIGGER: "selection", ACTOR: newest.actor})]
    )
