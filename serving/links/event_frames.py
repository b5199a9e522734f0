"""Events as they go over the wire: server-sent events, named as Redis' stream names them."""

import msgspec

from sentiment_platform.events import kind_of
from serving.contract.event_bodies import PublicEvent

EventId = tuple[int, int]
"""Milliseconds since 1970 and a number among those of one millisecond, as Redis gives them to the entries of a stream."""


def frame(event: PublicEvent, identity: EventId | None = None) -> bytes:
    """An event as it goes over the wire (HTML Living Standard, "Server-sent events")."""
    name = f"id: {written(identity)}\n" if identity else ""
    return f"{name}event: {kind_of(event)}\ndata: ".encode() + msgspec.json.encode(event) + b"\n\n"


def written(identity: EventId) -> str:
    return f"{identity[0]}-{identity[1]}"


def parse_event_id(written: str | None) -> EventId | None:
    """The two numbers of an id of Redis' streams; None for anything else."""
    milliseconds, dash, number = (written or "").partition("-")
    if not dash or not all(part.isascii() and part.isdigit() and len(part) <= 20 for part in (milliseconds, number)):
        return None
    return int(milliseconds), int(number)
