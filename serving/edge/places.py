"""How many connections there may be, and who makes room when all places are taken: the connection that has rested longest.

A connection rests while no request is under way on it and nothing of a next one has come. Whoever is in the middle of one keeps its place.
"""

import asyncio
import fcntl
import resource
import sys
import termios
from itertools import islice

from serving.metrics import Metrics

MAX_CONNECTIONS = 2_000
LOOKS = 20
"""So many resting connections are looked at for one that comes: a crowd must not cost a look at everybody each time."""
_FILES_KEPT = 128
"""Descriptors for everything else: database, Redis, registry, journal."""


def largest_number_of_connections() -> int:
    """`MAX_CONNECTIONS`, or fewer where the process may not open as many files."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MAX_CONNECTIONS if files == resource.RLIM_INFINITY else max(1, min(MAX_CONNECTIONS, files - _FILES_KEPT))


class Places:
    """The places of all connections of a process. Used from one event loop."""

    def __init__(self, most: int, metrics: Metrics) -> None:
        self._most = most
        self._metrics = metrics
        self._taken = set[asyncio.Transport]()
        self._resting: dict[asyncio.Transport, None] = {}

    def __contains__(self, transport: asyncio.Transport) -> bool:
        return transport in self._taken

    def take(self, transport: asyncio.Transport) -> bool:
        """A place for a connection that begins, resting; False where every other one is in the middle of something."""
        if len(self._taken) >= self._most and not self._make_room():
            return False
        self._taken.add(transport)
        self.rest(transport)
        return True

    def give_up(self, transport: asyncio.Transport) -> None:
        """It is closed."""
        self._taken.discard(transport)
        self.wake(transport)

    def rest(self, transport: asyncio.Transport) -> None:
        """Its request is answered, and nothing of another one has come: last in the row from now on."""
        self.wake(transport)
        if transport in self._taken:
            self._resting[transport] = None

    def wake(self, transport: asyncio.Transport) -> None:
        """A request begins."""
        self._resting.pop(transport, None)

    def _make_room(self) -> bool:
        for transport in list(islice(self._resting, LOOKS)):
            if _is_done(transport):
                self.give_up(transport)
                # For its client this is the end of any connection that was kept alive: nothing is lost, nothing is reset.
                transport.close()
                self._metrics.connections_refused.labels("rested_longest").inc()
                return True
            self.rest(transport)
        return False


def _is_done(transport: asyncio.Transport) -> bool:
    """Whether its client took all it was sent, and sent nothing that lies in the kernel still."""
    if transport.is_closing():
        return not transport.get_write_buffer_size()
    unread = fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.FIONREAD, bytes(4))
    return not transport.get_write_buffer_size() and not int.from_bytes(unread, sys.byteorder)
