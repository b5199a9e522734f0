"""The process: one uvicorn worker, and a shutdown that fails nobody.

On SIGTERM or SIGINT readiness turns 503 and answers close their connections, while requests are still served for `DRAIN_S`; then the
socket closes, running requests end, the journal is shipped, and the process exits 0.
"""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Generator

import uvicorn

from sentiment_platform.settings import Settings
from serving.app import create_app
from serving.services import Services

DRAIN_S = 0.5
LONGEST_REQUEST_S = 10
KEEP_ALIVE_S = 65
"""Longer than the usual 60 s of a load balancer in front, so that it is never us who closes first."""


class _Server(uvicorn.Server):
    """Leaves the signals to `run`: uvicorn would raise them again at the end and exit with their number."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def run(settings: Settings | None = None) -> None:
    """Serve until a signal; returns after a clean shutdown.

    Raises:
        SettingsError: a setting cannot be used.
        SystemExit: the address is taken, or starting failed.
    """
    settings = settings or Settings.from_environment()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    app = create_app(settings)
    services: Services = app.state.services
    server = _Server(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            loop="uvloop",
            http="httptools",
            log_config=None,
            access_log=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=LONGEST_REQUEST_S,
            server_header=False,
            date_header=False,
            ws="none",
        )
    )

    async def serve() -> None:
        loop = asyncio.get_running_loop()

        def leave() -> None:
            if services.draining:
                server.force_exit = True
            services.draining = True
            loop.call_later(DRAIN_S, setattr, server, "should_exit", True)

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, leave)
        await server.serve()

    with asyncio.Runner(loop_factory=_new_loop) as runner:
        runner.run(serve())
    if not server.started:
        raise SystemExit(3)


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
