"""A worker: takes steps from a queue, does them with its own code and settings, and gives back what it cannot finish.

It only connects outwards. Of a message it takes which run, which step and which job; code and Dagster instance are its own, so that
the machine that started the run may have other paths, and whoever can write to the broker cannot name a program.
"""

import os
import signal
import socket
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

from sentiment_platform.errors import PermanentError, TransientError
from sentiment_platform.queues.broker import check_broker
from sentiment_platform.queues.work_queues import QUEUES, WorkQueue, celery_settings, queue_url
from sentiment_platform.settings import Settings

DEFINITIONS = "sentiment_platform.definitions"
ANSWER_S = 2.0
"""How long workers may take to say that they are there."""


def celery_app(settings: Settings, queue: WorkQueue) -> Any:
    """The Celery application of a queue, as dagster-celery makes it for its executor."""
    from dagster_celery.executor import CeleryExecutor
    from dagster_celery.make_app import make_app

    url = queue_url(settings, queue)
    executor = CeleryExecutor.for_cli(broker=url, backend=url, config_source=celery_settings(settings, queue))
    return make_app(executor.app_args())


def listening(settings: Settings, queue: WorkQueue) -> int:
    """How many steps the workers of a queue do at once; 0 where none answers within 2 s."""
    with celery_app(settings, queue) as app:
        answers = app.control.inspect(timeout=ANSWER_S).stats() or {}
    return sum(int(stats["pool"]["max-concurrency"]) for stats in answers.values())


def require_workers(settings: Settings, queue: WorkQueue) -> int:
    """As `listening`, after a look at the broker.

    Raises:
        PermanentError: the broker evicts.
        TransientError: the broker does not answer, or no worker does.
    """
    check_broker(settings, queue)
    if steps := listening(settings, queue):
        return steps
    raise TransientError(
        f"No worker reads queue {queue.name}, in which the steps of {queue.job} would wait.",
        remedy=f"Start one, here or elsewhere: sentiment-platform worker {queue.name}",
    )


def own_job(name: str) -> Any:
    """A job of this machine's own code, as Dagster hands it to another process.

    Raises:
        PermanentError: it has no queue.
    """
    from dagster._core.definitions.reconstruct import ReconstructableRepository

    if name not in {queue.job for queue in QUEUES.values()}:
        raise PermanentError(f"Workers do not take steps of {name!r}.", remedy="Bring both machines to the same version.")
    return ReconstructableRepository.for_module(DEFINITIONS, "defs", working_directory=None).get_reconstructable_job(name)


def work(settings: Settings, queue: WorkQueue, *, processes: int, grace_s: float, ready: Callable[[], object]) -> None:
    """Do steps until SIGINT, SIGTERM or SIGHUP; then finish those at hand within `grace_s` seconds, or give them back.

    Args:
        processes: steps at once, each in a process of its own.
        ready: called once the worker takes steps.
    """
    import psutil
    from celery import signals
    from dagster_celery.tasks import create_task

    app = celery_app(settings, queue)
    create_task(app, base=_own_step(app))
    # Before the processes are forked, which then share it.
    own_job(queue.job).get_definition()

    def ending(how: str, **_: object) -> None:
        # Celery would wait for ever. SIGQUIT is its word for the other way, which puts the steps at hand back into the queue.
        if how == "Warm":
            timer = threading.Timer(grace_s, os.kill, (os.getpid(), signal.SIGQUIT))
            timer.daemon = True
            timer.start()

    def started(**_: object) -> None:
        # A closed terminal ends a worker, which Celery would start again; a second Ctrl-C changes nothing.
        for number in (signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.getsignal(signal.SIGTERM))
        give_back = signal.getsignal(signal.SIGQUIT)
        assert callable(give_back)  # noqa: S101

        def kill_and_give_back(number: int, frame: FrameType | None) -> None:
            # Celery would ask its processes with SIGTERM to end, and Dagster would call the steps failed, for good.
            for process in psutil.Process().children(recursive=True):
                process.kill()
            give_back(number, frame)

        signal.signal(signal.SIGQUIT, kill_and_give_back)
        ready()

    # A terminal's Ctrl-C is for the worker, which lets its steps finish.
    signals.worker_process_init.connect(_leave_the_terminal, weak=False)
    signals.worker_shutting_down.connect(ending, weak=False)
    signals.worker_ready.connect(started, weak=False)
    name = f"{queue.name}-{os.getpid()}@{socket.gethostname()}"
    app.Worker(hostname=name, concurrency=processes, loglevel="INFO", quiet=True, optimization="fair").start()


def _leave_the_terminal(**_: object) -> None:
    os.setpgid(0, 0)


def _own_step(app: Any) -> Any:
    class OwnStep(app.Task):
        """dagster-celery's task, over this machine's code and instance."""

        def __call__(self, execute_step_args_packed: dict[str, Any], executable_dict: dict[str, Any]) -> Any:
            import dagster as dg
            from dagster._core.definitions.reconstruct import ReconstructableJob
            from dagster._serdes import pack_value

            with dg.DagsterInstance.get() as instance:
                packed = {**execute_step_args_packed, "instance_ref": pack_value(instance.get_ref())}
            own = own_job(ReconstructableJob.from_dict(executable_dict).job_name).to_dict()
            return super().__call__(packed, {**executable_dict, "repository": own["repository"]})

    return OwnStep
