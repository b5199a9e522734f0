"""Who does the steps of a job: the process that runs it, or workers on other machines. Settings say so when a run starts.

The broker's address is read here and not from the run's configuration: it holds a password, and Dagster's UI shows that.
"""

import os
import warnings
from typing import Any

import dagster as dg

from sentiment_platform.env_file import env_file_variables
from sentiment_platform.queues.work_queues import WorkQueue, celery_settings, on_workers, queue_url
from sentiment_platform.settings import Settings


def here_or_on_workers(here: dg.ExecutorDefinition, queue: WorkQueue) -> dg.ExecutorDefinition:
    """`here` as it is, unless SENTIMENT_EXECUTOR says `celery`."""

    @dg.executor(
        name=f"{here.name}_or_workers_of_{queue.name}",
        # Dagster takes the schema of another executor, which its annotation does not say.
        config_schema=here.config_schema,  # pyright: ignore[reportArgumentType]
        requirements=dg.multiple_process_executor_requirements(),
    )
    def chosen(context: dg.InitExecutorContext) -> dg.Executor:
        settings = Settings.from_environment({**env_file_variables(), **os.environ})
        if on_workers(settings):
            return celery_executor(settings, queue)
        make = here.executor_creation_fn
        assert make is not None  # noqa: S101
        return make(context)

    return chosen


def celery_executor(settings: Settings, queue: WorkQueue) -> Any:
    """Hands each step to the workers of `queue`, and waits for what they say."""
    from celery.exceptions import DuplicateTaskNameWarning
    from dagster._core.execution.retries import RetryMode
    from dagster_celery.executor import CeleryExecutor

    # dagster-celery defines its one task anew for every step of a run; each definition is the same.
    warnings.filterwarnings("ignore", category=DuplicateTaskNameWarning)
    url = queue_url(settings, queue)
    return CeleryExecutor(retries=RetryMode.ENABLED, broker=url, backend=url, config_source=celery_settings(settings, queue))
