"""A TCP proxy on loopback that can be slow, refuse, or reset: the network between serving and what it talks to."""

import contextlib
import socket
import struct
import threading
import time
from typing import Self

CHUNK = 65_536
_RESET = struct.pack("ii", 1, 0)


class Proxy:
    """Forwards to `port`. `delay_s` is added to each reply; `refuse` and `reset` cut what is open as well, `mute` leaves it open."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._open: list[socket.socket] = []
        self._listener: socket.socket | None = None
        self.port = 0
        self.delay_s = 0.0
        self.resets = False
        self._mutings = 0
        self.listen()

    def listen(self) -> None:
        """Accept connections (again), on the same port."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(64)
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def refuse(self) -> None:
        """Close the port and every connection."""
        if self._listener is not None:
            # Shutting it down first wakes the thread that waits in accept.
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self.cut()

    def cut(self) -> None:
        """Reset every open connection."""
        for connection in self._open:
            # It may have been closed from the other side.
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                connection.shutdown(socket.SHUT_RD)
            connection.close()
        self._open.clear()

    def mute(self) -> None:
        """Read and confirm whatever comes over the connections that are open now, and pass none of it on; later ones are forwarded."""
        self._mutings += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.refuse()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            if self.resets:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                client.close()
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self._target), timeout=5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            self._open += [client, server]
            for pair, replies in (((client, server), False), ((server, client), True)):
                threading.Thread(target=self._forward, args=(*pair, replies, self._mutings), daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket, replies: bool, mutings: int) -> None:
        try:
            while content := source.recv(CHUNK):
                if mutings < self._mutings:
                    continue
                if replies and self.delay_s:
                    time.sleep(self.delay_s)
                target.sendall(content)
        except OSError:
            pass
        finally:
            for end in (source, target):
                # The other direction's thread may wait in `recv`, and until it is woken a closed socket stays open for the peer.
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()
