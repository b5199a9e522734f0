"""Dagster's web server and daemon over the graph, as the demo and `up` start them."""

from collections.abc import Callable, Mapping
from functools import partial

from sentiment_platform.local.processes.children import DAGSTER_STOP_TIMEOUT_S, Children
from sentiment_platform.local.processes.ports import LOOPBACK, still_free
from sentiment_platform.local.ticking import DAEMON, daemon_command
from sentiment_platform.running.dagster_files import WORKSPACE, dagster_file
from sentiment_platform.running.dead_runs import end_runs_of_the_daemon
from sentiment_platform.settings import Settings


def start_dagster(
    children: Children,
    environment: Mapping[str, str],
    settings: Settings,
    *,
    port: int,
    say: Callable[[str], None],
    host: str = LOOPBACK,
) -> None:
    """Start both with `environment` over this process's own; `say` is told of runs that an ended daemon has left."""
    webserver = ("dagster-webserver", "-w", str(dagster_file(WORKSPACE)), "-h", host, "-p", str(port))
    name = webserver[0]
    children.start(
        name, webserver, environment, before_restart=partial(still_free, port, name), stop_timeout_s=DAGSTER_STOP_TIMEOUT_S
    )
    tidy = partial(end_runs_of_the_daemon, settings.direct_database_url(), say)
    children.start(DAEMON, daemon_command(), environment, before_restart=tidy, stop_timeout_s=DAGSTER_STOP_TIMEOUT_S)
