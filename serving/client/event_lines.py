"""Server-sent events, read back from their lines (HTML Living Standard, "Server-sent events")."""

from typing import NamedTuple

import msgspec

from serving.contract.event_bodies import PublicEvent

LONGEST_SILENCE_S = 45.0
"""Three of the stream's heartbeats: a stream that says less than that is dead."""
_DECODER: msgspec.json.Decoder[PublicEvent] = msgspec.json.Decoder(PublicEvent)  # pyright: ignore[reportArgumentType]


class Told(NamedTuple):
    """An event; `id` is what `events(after=...)` goes on from, "" for what the stream says of itself."""

    id: str
    event: PublicEvent


class EventLines:
    """Puts the lines of a stream together; feed it one at a time."""

    def __init__(self) -> None:
        self._id = ""

    def told(self, line: str) -> Told | None:
        """The event that ends with this line.

        Raises:
            msgspec.MsgspecError: it is no event that this client knows.
        """
        name, _, value = line.partition(": ")
        if name == "id":
            self._id = value
        elif name == "data":
            identity, self._id = self._id, ""
            return Told(identity, _DECODER.decode(value))
        return None
