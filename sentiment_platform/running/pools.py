"""The pools in which steps wait for one another: known before the first run, and with room for workers where those share a job."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sentiment_platform.queues.work_queues import WorkQueue

if TYPE_CHECKING:
    from dagster import DagsterInstance, JobDefinition


def know_pools(instance: "DagsterInstance", jobs: "Iterable[JobDefinition]") -> None:
    """Enter the pools of `jobs` with the limit that dagster.yaml gives a new one; those that are known stay as they are.

    Dagster does it at the first step, and fails one of two runs that are the first to use a pool at the same moment.
    """
    import dagster as dg
    from sqlalchemy.exc import DBAPIError

    storage = instance.event_log_storage
    nodes = (node for job in jobs for node in job.all_node_defs)
    pools = {node.pool for node in nodes if isinstance(node, dg.OpDefinition) and node.pool}
    for pool in sorted(pools - _known(instance)):
        try:
            storage.initialize_concurrency_limit_to_default(pool)
        except DBAPIError:
            # On PostgreSQL it fails where another process has entered the pool at this very moment.
            if pool not in _known(instance):
                raise


def know_every_pool(instance: "DagsterInstance") -> None:
    """The same for the whole graph: before a daemon starts."""
    from sentiment_platform.definitions import defs

    know_pools(instance, defs.resolve_all_job_defs())


def make_room(instance: "DagsterInstance", queue: WorkQueue, steps: int) -> None:
    """Let so many steps of the queue's pools run at once; a pool that has room already is left."""
    from sqlalchemy.exc import IntegrityError

    storage = instance.event_log_storage
    limits = {limit.name: limit.limit for limit in storage.get_pool_limits()}
    for pool in queue.pools:
        if limits.get(pool, 1) < steps:
            try:
                storage.set_concurrency_slots(pool, steps)
            except IntegrityError:
                # Another process made the pool known at this very moment; now it is there to be changed.
                storage.set_concurrency_slots(pool, steps)


def _known(instance: "DagsterInstance") -> set[str]:
    return {limit.name for limit in instance.event_log_storage.get_pool_limits()}
