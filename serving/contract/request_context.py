"""What belongs to the request in progress: its id, when it began, its body, what its caller may still ask.

Set by `guard` and `access`, read by anything below them and by `envelope`.
"""

import math
import re
import secrets
import time
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

request_id: ContextVar[str] = ContextVar("request_id", default="-")
request_started: ContextVar[float] = ContextVar("request_started", default=0.0)
"""`time.perf_counter()` when the last byte of the request was read from the socket: a client's slow body is not our delay."""
request_may_wait: ContextVar[bool] = ContextVar("request_may_wait", default=False)
"""Whether it asked for something that takes longer than an answer, such as an explanation."""
answer_headers: ContextVar[Mapping[str, str] | None] = ContextVar("answer_headers", default=None)
"""What the answer says of itself beside its body, such as the arm of an experiment."""
request_deadline_s: ContextVar[float] = ContextVar("request_deadline_s", default=math.inf)
"""What its client asked for; only what is shorter than the setting counts."""
request_parts: ContextVar[dict[str, float] | None] = ContextVar("request_parts", default=None)
"""Named parts of the time that its answer takes, in milliseconds."""
request_body: ContextVar[bytes] = ContextVar("request_body", default=b"")
"""As it came; to say what is wrong with it."""
rate_headers: ContextVar[tuple[tuple[bytes, bytes], ...]] = ContextVar("rate_headers", default=())
"""What limits say of the caller, for the answer whatever it is."""

RECEIVED = "received_at"
"""In the state of a scope: when its first byte was read, and from then on when its last one was."""
_PLAIN = re.compile(rb"[A-Za-z0-9._-]{1,64}\Z")


def received_at(scope: Mapping[str, Any]) -> float:
    """What the connection noted so far of when the request came; now, where there is no such note."""
    noted: float | None = scope.get("state", {}).get(RECEIVED)
    return time.perf_counter() if noted is None else noted


def took(part: str, seconds: float) -> None:
    """Note how long a part of the answer took; of texts side by side the longest counts."""
    parts = request_parts.get()
    if parts is not None:
        parts[part] = max(parts.get(part, 0.0), seconds * 1000)


def server_timing(parts: Mapping[str, float], total_s: float) -> bytes:
    """As the header `Server-Timing` (W3C): `features;dur=0.21, total;dur=3.4`, in milliseconds."""
    return ", ".join(f"{name};dur={ms:.2f}" for name, ms in {**parts, "total": total_s * 1000}.items()).encode()


def choose_request_id(given: bytes | None) -> str:
    """The client's own id when it is plain, otherwise a new one; what it names must be safe in a log line."""
    return given.decode("ascii") if given and _PLAIN.match(given) else secrets.token_hex(8)
