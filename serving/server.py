"""The process: one uvicorn worker, and a shutdown that fails nobody.

On SIGTERM or SIGINT readiness turns 503 and answers close their connections, while requests are still served for SENTIMENT_DRAIN_S seconds; then the
socket closes, whoever got through is answered, the journal is shipped, and the process exits 0: by `LEFT_S` after that, whatever hangs.
"""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Generator, Iterator
from typing import Any

import uvicorn

from sentiment_platform.env_file import load_env_file
from sentiment_platform.settings import Settings
from serving.app import create_app
from serving.edge.admission import admitting_connections
from serving.services import Services
from serving.watch.logs import configure_logs

LAST_REQUEST_S = 0.3
LONGEST_REQUEST_S = 10
SWITCH_S = 0.0005
"""How long a thread keeps the interpreter while the event loop waits for it; by default ten times as long."""
KEEP_ALIVE_S = 65
"""Longer than the usual 60 s of a load balancer in front, so that it is never us who closes first, unless all places are taken (`edge.places`)."""
BACKLOG = 2048
"""Connections that may wait to be taken."""
LEFT_S = 13.5
"""So long after it stopped taking requests the process is gone; a host waits 20 or 30 s, then it kills."""
TOLD_S = 0.5
logger = logging.getLogger(__name__)


class _Server(uvicorn.Server):
    """Leaves the signals to `run` (uvicorn would raise them again at the end and exit with their number), and drops nobody."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and take all that come: libuv takes one a turn of the loop, and of a hundred at a busy process the last waited half a second."""
        self._listening = list[socket.socket]()
        self._begun = set[asyncio.Task[None]]()
        await super().startup(sockets)
        if self.started:
            # Under descriptors of our own, since libuv watches its own; they keep the kernel's queue when uvicorn's are closed, too.
            self._listening = [socket.socket(fileno=os.dup(each.fileno())) for server in self.servers for each in server.sockets]
        for listening in self._listening:
            listening.setblocking(False)
            asyncio.get_running_loop().add_reader(listening, self._take_queued, listening)

    def _take_queued(self, listening: socket.socket) -> None:
        for connection in _accepted(listening):
            task = asyncio.get_running_loop().create_task(self._connect(connection))
            self._begun.add(task)
            task.add_done_callback(self._begun.discard)

    async def _connect(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        await asyncio.get_running_loop().connect_accepted_socket(self._protocol, connection)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, but answer whoever got through: uvicorn alone resets what is queued or has not sent its request yet."""
        for server in self.servers:
            server.close()
        for listening in self._listening:
            asyncio.get_running_loop().remove_reader(listening)
            for connection in _accepted(listening):
                await self._connect(connection)
            listening.close()
        await asyncio.sleep(LAST_REQUEST_S)
        await super().shutdown(sockets)

    def _protocol(self) -> asyncio.Protocol:
        protocol: Any = self.config.http_protocol_class
        return protocol(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)


def run(settings: Settings | None = None) -> None:
    """Serve until a signal; returns after a clean shutdown.

    Raises:
        SettingsError: a setting cannot be used.
        SystemExit: the address is taken, or starting failed.
    """
    if settings is None:
        load_env_file()
        settings = Settings.from_environment()
    configure_logs(settings.log_format)
    sys.setswitchinterval(SWITCH_S)
    app = create_app(settings)
    services: Services = app.state.services
    server = _Server(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            loop="uvloop",
            http=admitting_connections(app.state.door, services.metrics),  # type: ignore[arg-type]
            log_config=None,
            access_log=False,
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=LONGEST_REQUEST_S,
            server_header=False,
            date_header=False,
            # `edge.client_address` judges whom to believe; uvicorn would believe whoever connects from this machine.
            proxy_headers=False,
            ws="none",
        )
    )

    async def serve() -> None:
        loop = asyncio.get_running_loop()

        def leave() -> None:
            if services.draining:
                server.force_exit = True
            else:
                _leave_within(settings.drain_s + LEFT_S)
            services.draining = True
            loop.call_later(settings.drain_s, setattr, server, "should_exit", True)

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, leave)
        await server.serve()
        if server.force_exit and server.started:
            # What still runs would be cancelled, and each tell so at length. The journal is with the operating system.
            logger.warning("left at once at the second signal")
            os._exit(0)

    with asyncio.Runner(loop_factory=_new_loop) as runner:
        runner.run(serve())
    if not server.started:
        raise SystemExit(3)


def _accepted(listening: socket.socket) -> Iterator[socket.socket]:
    """The connections that wait, the oldest first; none where the process may open no more files."""
    with contextlib.suppress(OSError):
        for _ in range(BACKLOG):
            yield listening.accept()[0]


def _leave_within(limit_s: float) -> None:
    """End the process with status 0 by then, whatever still hangs: Python would wait for each of its threads without end.

    Nothing that was acknowledged is lost: the journal is with the operating system, and the next start ships it.
    """

    def tell() -> None:
        hung = sorted(thread.name for thread in threading.enumerate() if not thread.daemon)
        logger.error("left %g s after the signal although these did not end: %s", limit_s, ", ".join(hung))

    def end() -> None:
        time.sleep(limit_s)
        # Whoever reads the log may hang too.
        telling = threading.Thread(target=tell, daemon=True)
        telling.start()
        telling.join(TOLD_S)
        os._exit(0)

    threading.Thread(target=end, name="exit", daemon=True).start()


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
