"""`python -m sentiment_platform.running.worker_health QUEUE`: does the worker of this machine answer? Asked over the broker, in a moment.

For health checks of containers. One that is busy answers too: its steps have processes of their own.
"""

import socket
import sys

from sentiment_platform.errors import PlatformError, TransientError
from sentiment_platform.queues.work_queues import QUEUES, WorkQueue, queue_url
from sentiment_platform.settings import Settings

ANSWER_S = 3.0


def require_worker(settings: Settings, queue: WorkQueue) -> None:
    """Return when a worker of this machine that reads `queue` answers.

    Raises:
        TransientError: none does, or the broker does not.
    """
    from celery import Celery
    from celery.exceptions import OperationalError

    remedy = "The worker's log says why."
    try:
        with Celery(broker=queue_url(settings, queue)) as app:
            answers = app.control.inspect(timeout=ANSWER_S).ping() or {}
    except (OperationalError, OSError) as error:
        raise TransientError(f"The broker does not answer: {type(error).__name__}.", remedy=remedy) from error
    first, last = f"{queue.name}-", f"@{socket.gethostname()}"
    if not any(name.startswith(first) and name.endswith(last) for name in answers):
        raise TransientError(f"No worker of this machine reads queue {queue.name}.", remedy=remedy)


def main(queue: str) -> str | None:
    """What is wrong, None where all is well: as `sys.exit` takes it."""
    try:
        require_worker(Settings.from_environment(), QUEUES[queue])
    except PlatformError as error:
        return str(error)
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
