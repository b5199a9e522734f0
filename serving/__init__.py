"""The HTTP process that answers with the deployed models. It knows nothing of the graph; nothing imports it.

`serving.app:create_app` makes the application, `python -m serving` runs it.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sentiment_platform.settings import Settings


def run(settings: "Settings | None" = None) -> None:
    """Serve until SIGTERM or SIGINT; see `serving.server.run`."""
    from serving.server import run

    run(settings)
