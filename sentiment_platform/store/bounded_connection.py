"""A connection of psycopg that waits for no answer longer than it was told to.

PostgreSQL ends statements that run too long, and TCP notices a host that is gone. Neither helps where a process hangs behind a kernel or
a proxy that still confirms what it is sent: then only the client's own clock ends the wait.
"""

import time
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen

T = TypeVar("T")


class BoundedConnection(psycopg.Connection[Any]):
    """Ends a wait for the server after `limit_s` seconds with an `OperationalError`, and itself with it; None waits as psycopg does."""

    limit_s: float | None = None

    def wait(self, gen: PQGen[T], *args: Any, timeout: float | None = None, **named: Any) -> T:
        """As psycopg's, with `limit_s` where no `timeout` is given."""
        limit_s = self.limit_s if timeout is None else timeout
        began = time.monotonic()
        try:
            return super().wait(gen, *args, timeout=limit_s, **named)
        except psycopg.OperationalError as error:
            if timeout is not None or limit_s is None or time.monotonic() - began < limit_s:
                raise
            # What the server may still send belongs to this statement: the connection is of no further use.
            self.close()
            raise psycopg.OperationalError(f"the server has not answered for {limit_s:g} s") from error
