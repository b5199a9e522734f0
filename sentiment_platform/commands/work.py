"""More than one machine: `worker`, which does steps that a run elsewhere hands out, and what `run` asks of workers."""

from typing import TYPE_CHECKING

import click

from sentiment_platform.clock import utc_now
from sentiment_platform.commands.console import note, say, styled
from sentiment_platform.commands.parameters import COUNT
from sentiment_platform.errors import PermanentError
from sentiment_platform.queues.work_queues import CELERY, QUEUES, on_workers, queue_of

if TYPE_CHECKING:
    from dagster import DagsterInstance

    from sentiment_platform.queues.work_queues import WorkQueue
    from sentiment_platform.settings import Settings

RUNS_A_STEP = 2
"""Runs side by side for each step that workers do at once: while one ends and the next begins, a worker has another to do."""


@click.command()
@click.argument("queue", type=click.Choice(list(QUEUES)))
@click.option("--processes", type=COUNT, default=1, help="Steps at once, each in a process of its own.")
@click.option(
    "--grace", "grace_s", type=COUNT, default=60, help="Seconds that a step may take to end, once the worker is to end."
)
def worker(queue: str, processes: int, grace_s: int) -> None:
    """Do steps of score_job (QUEUE short) or of train_job (QUEUE gpu) for runs that were started elsewhere, until Ctrl-C.

    A worker only connects outwards: to the broker, PostgreSQL, Redis and the registry. So a laptop with a GPU can train for a graph that
    runs at a host. It needs the settings of that graph, the same version of the platform, and the extra celery; whoever starts
    runs needs SENTIMENT_EXECUTOR=celery. Start as many workers as you have cores for, on as many machines.

    A worker of gpu does all steps of a training, the deployment at its end included: it needs the extra train, TRANSFORMER_BASE, a token
    that may write into the registry, and both signing keys. Whatever is missing is said at its start.

    A worker that dies loses nothing: its step is given to another one, after 15 minutes (short) or 8 hours (gpu). On Ctrl-C or SIGTERM it
    finishes its step, or gives it back at once when that takes longer than --grace.

    \b
    Examples:
      sentiment-platform worker short --processes 4
      sentiment-platform worker gpu
      SENTIMENT_EXECUTOR=celery sentiment-platform run score_job --from 2026-01-01 --to 2026-03-31
    """
    from sentiment_platform.local.session import session, variables_of_commands
    from sentiment_platform.queues.broker import check_broker
    from sentiment_platform.running.headless import dagster_instance
    from sentiment_platform.running.pools import make_room
    from sentiment_platform.running.worker import listening, work
    from sentiment_platform.running.worker_needs import require_shared_servers, require_what_steps_need
    from sentiment_platform.settings import Settings

    chosen = QUEUES[queue]
    # Before servers are started for nothing.
    configured = Settings.from_environment(variables_of_commands())
    if not on_workers(configured):
        raise PermanentError(
            f"SENTIMENT_EXECUTOR is {configured.executor}: nobody would put a step into the queue.",
            remedy=f"Set SENTIMENT_EXECUTOR={CELERY}, and SENTIMENT_BROKER_URL, here and where runs are started.",
        )
    require_shared_servers(configured)
    with session(log=note) as settings:
        check_broker(settings, chosen)
        require_what_steps_need(settings, chosen, utc_now)
        with dagster_instance() as instance:
            make_room(instance, chosen, RUNS_A_STEP * (processes + listening(settings, chosen)))
        _say_where_to(settings, chosen)
        work(
            settings,
            chosen,
            processes=processes,
            grace_s=grace_s,
            ready=lambda: say(styled(f"Waiting for steps of {chosen.job} ({processes} at once).", "green")),
        )
    say("The worker has ended.")


def ready_workers(settings: "Settings", instance: "DagsterInstance", job: str) -> int:
    """How many runs of a job may stand side by side: 1 unless workers do its steps.

    Raises:
        PlatformError: its queue has no worker, or its broker is none.
    """
    from sentiment_platform.running.pools import make_room
    from sentiment_platform.running.worker import require_workers

    queue = queue_of(job, settings)
    if queue is None:
        return 1
    steps = require_workers(settings, queue)
    make_room(instance, queue, RUNS_A_STEP * steps)
    say(f"Queue {queue.name}: workers do {steps} step{'s' if steps > 1 else ''} at once.")
    return RUNS_A_STEP * steps


def _say_where_to(settings: "Settings", queue: "WorkQueue") -> None:
    from sentiment_platform.queues.work_queues import queue_url
    from sentiment_platform.setting_values.addresses import without_credentials

    say(f"Queue {queue.name}. Listens on no port; connects to:")
    for what, url in (
        ("broker", queue_url(settings, queue)),
        ("PostgreSQL", settings.database_url),
        ("Redis", settings.redis_url),
        ("registry", settings.registry_url),
    ):
        say(f"  {what}: {without_credentials(url)}")
