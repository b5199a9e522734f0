"""What belongs to the request in progress: its id, when it began, its body, what its caller may still ask.

Set by `guard` and `access`, read by anything below them and by `envelope`.
"""

import re
import secrets
from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="-")
request_started: ContextVar[float] = ContextVar("request_started", default=0.0)
"""`time.perf_counter()` when the first byte was handed to us, before the body was read."""
request_body: ContextVar[bytes] = ContextVar("request_body", default=b"")
"""As it came; to say what is wrong with it."""
rate_headers: ContextVar[tuple[tuple[bytes, bytes], ...]] = ContextVar("rate_headers", default=())
"""What limits say of the caller, for the answer whatever it is."""

_PLAIN = re.compile(rb"[A-Za-z0-9._-]{1,64}\Z")


def choose_request_id(given: bytes | None) -> str:
    """The client's own id when it is plain, otherwise a new one; what it names must be safe in a log line."""
    return given.decode("ascii") if given and _PLAIN.match(given) else secrets.token_hex(8)
