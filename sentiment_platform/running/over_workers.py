"""A run whose steps workers do; this process only hands them out, and waits no longer than the run may take."""

import os
import signal
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sentiment_platform.queues.work_queues import MAX_RUNTIME
from sentiment_platform.running.worker import own_job

if TYPE_CHECKING:
    from dagster import DagsterInstance, JobDefinition


def execute_over_workers(
    instance: "DagsterInstance", job: "JobDefinition", run_id: str, tags: Mapping[str, str], config: Mapping[str, Any]
) -> Any:
    """Execute `job` by its own executor, as Dagster's daemon would; the result of the run, failed steps included.

    A run that takes longer than its tag `dagster/max_runtime` says is ended like by SIGTERM: a queue that nobody reads waits for ever.
    """
    from dagster._core.execution.api import execute_run

    reconstructable = own_job(job.name)
    run = instance.create_run_for_job(
        job, run_id=run_id, run_config=config, tags={**job.run_tags, **tags}, job_code_origin=reconstructable.get_python_origin()
    )
    limit = threading.Timer(float(run.tags[MAX_RUNTIME]), os.kill, (os.getpid(), signal.SIGTERM))
    limit.daemon = True
    limit.start()
    try:
        return execute_run(reconstructable, run, instance, raise_on_error=False)
    finally:
        limit.cancel()
