"""Scripted faults: which request goes wrong, and how.

A plan is a list; the first fault that a request matches is the one it gets. Nothing here knows HTTP beyond bytes.
"""

import re
import threading
from typing import Literal

import msgspec

FaultKind = Literal[
    "status",  # answer `status`, `headers` and `body`; nothing is done
    "cut_before",  # close the connection; nothing is done
    "cut_upload",  # read `after_bytes` of the upload, close; a starter asset is left
    "starter_then_502",  # read the upload, keep only the starter asset, answer 502
    "stored_then_502",  # do what was asked, answer 502
    "cut_connection",  # do what was asked, close after `after_bytes` of the body (0: not even a status line)
    "truncate_body",  # a well-formed reply with only the first `keep_bytes` of the body
    "flip_bit",  # the bit number `bit` of the body is inverted (counted modulo its length)
    "replace_body",  # `body` and `content_type` in place of the real ones
    "slow_body",  # the body in pieces of `chunk_bytes`, each `delay_s` seconds late
    "inflate",  # the body repeated until it is `factor` times as long
]


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One scripted fault.

    It strikes requests whose method is `method` (`*`: any) and whose unquoted path and query match the regular
    expression `path`, from the `nth` such request on, `count` times (0: for ever).
    """

    kind: FaultKind
    path: str
    method: str = "*"
    nth: int = 1
    count: int = 1
    status: int = 502
    headers: dict[str, str] = {}
    body: bytes = b'{"message":"Server Error"}'
    content_type: str = "application/json; charset=utf-8"
    after_bytes: int = 0
    keep_bytes: int = 0
    bit: int = 0
    chunk_bytes: int = 1024
    delay_s: float = 0.1
    factor: int = 10


def secondary_rate_limit(
    path: str,
    *,
    method: str = "*",
    status: Literal[403, 429] = 403,
    retry_after_s: int = 60,
    nth: int = 1,
    count: int = 1,
) -> Fault:
    """GitHub's answer to too many requests at once, with `Retry-After` in seconds.

    Source: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
    """
    message = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
    return Fault(
        kind="status",
        path=path,
        method=method,
        nth=nth,
        count=count,
        status=status,
        headers={"Retry-After": str(retry_after_s)},
        body=msgspec.json.encode({"message": message, "documentation_url": "https://docs.github.com/rest"}),
    )


class FaultPlan:
    """The faults that are still to strike; safe to change while requests run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[tuple[Fault, re.Pattern[str]]] = []
        self._seen: list[int] = []

    def add(self, fault: Fault) -> None:
        """Append a fault; raises `re.error` when its path is no regular expression."""
        pattern = re.compile(fault.path)
        with self._lock:
            self._entries.append((fault, pattern))
            self._seen.append(0)

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
            self._seen.clear()

    def all(self) -> list[Fault]:
        with self._lock:
            return [fault for fault, _ in self._entries]

    def strike(self, method: str, target: str) -> Fault | None:
        """The fault for this request, if any; counts the request for every fault that it matches."""
        struck = None
        with self._lock:
            for index, (fault, pattern) in enumerate(self._entries):
                if fault.method not in ("*", method) or not pattern.search(target):
                    continue
                self._seen[index] += 1
                turn = self._seen[index] - fault.nth
                if struck is None and turn >= 0 and (fault.count == 0 or turn < fault.count):
                    struck = fault
        return struck


def spoil(fault: Fault, body: bytes) -> bytes:
    """The body that a body fault makes of a whole body; other kinds leave it as it is."""
    if fault.kind == "truncate_body":
        return body[: fault.keep_bytes]
    if fault.kind == "flip_bit" and body:
        byte, bit = divmod(fault.bit % (8 * len(body)), 8)
        return body[:byte] + bytes([body[byte] ^ (1 << bit)]) + body[byte + 1 :]
    return fault.body if fault.kind == "replace_body" else body
