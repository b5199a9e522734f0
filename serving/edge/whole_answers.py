"""The head of an answer leaves with its body: one write for both, which wakes the client once."""

import asyncio


class WholeAnswers:
    """What uvicorn's cycle of one request writes to. `flush` is to be called when an answer is complete.

    A head whose body is made later (a stream of events) leaves in the next turn of the loop. Once the connection is closing nothing is
    written: its client left, or was cut.
    """

    __slots__ = ("_head", "_loop", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head = b""

    def write(self, data: bytes) -> None:
        """Write it, or keep it where it is a head."""
        if self._transport.is_closing():
            return
        if self._head:
            data, self._head = self._head + data, b""
        elif data.startswith(b"HTTP/1.") and data[9:10] != b"1":
            self._head = data
            self._loop.call_soon(self.flush)
            return
        self._transport.write(data)

    def flush(self) -> None:
        """Write what is kept."""
        data, self._head = self._head, b""
        if data and not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """Write what is kept, and close."""
        self.flush()
        self._transport.close()

    def is_closing(self) -> bool:
        """As the transport's."""
        return self._transport.is_closing()
