"""`python -m sentiment_platform.running.daemon_health URL`: is every part of the Dagster daemon well? Asked of its web server, in a moment.

For health checks of containers: `dagster-daemon liveness-check` loads all of Dagster and needs the database's address each time.
"""

import json
import sys
import urllib.error
import urllib.request

from sentiment_platform.errors import TransientError

TIME_OUT_S = 10
_QUERY = "{ instance { daemonHealth { allDaemonStatuses { daemonType required healthy } } } }"


def require_healthy_daemon(url: str) -> None:
    """Return when the web server at `url` answers, and every part of the daemon that it needs is well.

    Raises:
        TransientError: otherwise; names the parts.
    """
    remedy = "The end of logs/dagster-webserver.log or logs/dagster-daemon.log in the state folder says why."
    body = json.dumps({"query": _QUERY}).encode()
    asked = urllib.request.Request(f"{url.rstrip('/')}/graphql", body, {"Content-Type": "application/json"})  # noqa: S310
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=TIME_OUT_S) as answer:
            statuses = json.load(answer)["data"]["instance"]["daemonHealth"]["allDaemonStatuses"]
    except (OSError, urllib.error.URLError, ValueError, KeyError, TypeError) as error:
        raise TransientError(f"The Dagster UI does not answer: {type(error).__name__}.", remedy=remedy) from error
    unwell = [status["daemonType"] for status in statuses if status["required"] and not status["healthy"]]
    if unwell:
        raise TransientError(f"The Dagster daemon is not well: {', '.join(unwell)}.", remedy=remedy)


if __name__ == "__main__":
    try:
        require_healthy_daemon(sys.argv[1])
    except TransientError as error:
        sys.exit(str(error))
