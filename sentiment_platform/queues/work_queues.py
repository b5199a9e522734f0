"""The queues that workers on other machines take steps from: which job waits in which, where, and under which settings of Celery.

One database of the broker a queue: kombu lets the smallest visibility time-out among the readers of a database rule all queues in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from sentiment_platform.errors import PermanentError, SettingsError
from sentiment_platform.settings import Settings

HERE, CELERY = "here", "celery"
SWEEP_S = 5
"""How often a worker looks for steps whose time of visibility is over."""
RESULTS_KEPT_S = 86_400
MAX_RUNTIME = "dagster/max_runtime"
"""Tag of a run: seconds until Dagster's daemon, or whoever runs it without one, ends it. A queue without workers waits for ever."""


@dataclass(frozen=True, kw_only=True)
class WorkQueue:
    """One queue.

    Attributes:
        job: whose steps wait in it.
        database: number of the broker's database, counted from the one in SENTIMENT_BROKER_URL.
        visibility_s: a step that takes longer is given to a second worker as well; so late is the step of a dead worker taken over.
        max_runtime_s: limit of a whole run, waiting included.
        pools: pools of the job that would keep its runs apart; they get room for all workers.
        trains: its steps train, sign and publish; `running/worker_needs.py` says what a worker needs for that.
    """

    name: str
    job: str
    database: int
    visibility_s: int
    max_runtime_s: int
    pools: tuple[str, ...] = ()
    trains: bool = False

    @property
    def tags(self) -> dict[str, str]:
        """Tags that the job carries wherever it runs."""
        return {MAX_RUNTIME: str(self.max_runtime_s)}


SHORT = WorkQueue(name="short", job="score_job", database=0, visibility_s=15 * 60, max_runtime_s=6 * 3600, pools=("sentiment",))
GPU = WorkQueue(name="gpu", job="train_job", database=1, visibility_s=8 * 3600, max_runtime_s=12 * 3600, trains=True)
QUEUES: Mapping[str, WorkQueue] = {queue.name: queue for queue in (SHORT, GPU)}


def on_workers(settings: Settings) -> bool:
    """Whether workers do what has a queue.

    Raises:
        SettingsError: SENTIMENT_EXECUTOR is neither of its values.
    """
    if settings.executor not in (HERE, CELERY):
        raise SettingsError(f"SENTIMENT_EXECUTOR={settings.executor} is unknown.", remedy=f"Use `{HERE}` or `{CELERY}`.")
    return settings.executor == CELERY


def queue_of(job: str, settings: Settings) -> WorkQueue | None:
    """The queue in which the steps of `job` wait; None: it runs where it was started."""
    return next((queue for queue in QUEUES.values() if queue.job == job and on_workers(settings)), None)


def queue_url(settings: Settings, queue: WorkQueue) -> str:
    """The broker's URL with the queue's database.

    Raises:
        PermanentError: the path of SENTIMENT_BROKER_URL is no number of a database.
    """
    parts = urlsplit(settings.require("broker_url"))
    first = parts.path.strip("/") or "0"
    if not first.isdigit():
        raise PermanentError("SENTIMENT_BROKER_URL names no database by its number.", remedy="End it with `/0`.")
    return urlunsplit(parts._replace(path=f"/{int(first) + queue.database}"))


def celery_settings(settings: Settings, queue: WorkQueue) -> dict[str, Any]:
    """What the worker's and the executor's Celery must both be told: where only one knows it, a killed worker's step is lost."""
    return {
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_default_queue": "dagster",
        "task_default_priority": 5,
        "result_expires": RESULTS_KEPT_S,
        "broker_transport_options": {
            "visibility_timeout": settings.visibility_s or queue.visibility_s,
            "unacked_restore_interval": SWEEP_S,
            "unacked_restore_throttle": 1,
            "max_retries": 3,
            "interval_start": 0,
            "interval_step": 0.2,
            "interval_max": 0.5,
        },
        "broker_connection_retry_on_startup": True,
        "worker_prefetch_multiplier": 1,
        # A step has a process of its own, which gives its memory back.
        "worker_max_tasks_per_child": 1,
        # A short outage of the broker must not end hours of training; that a step may then run twice is harmless.
        "worker_cancel_long_running_tasks_on_connection_loss": False,
    }
