"""How long a connection rests after a refusal before it is read again: else clients that ask again at once fill the loop with refusals.

A client that comes back when `Retry-After` says so never notices. One that does not waits in the kernel, at no cost to others.
"""

REFUSAL_S = 0.00007
"""What reading and refusing one request costs, most of it in the kernel."""
SHARE = 0.1
"""Of the event loop, that refusals may take."""
AT_ONCE = 50
"""Refusals that cost nobody a rest: a moment's crowd."""
LONGEST_S = 0.1
"""Behind a proxy another client's request may come over the connection that rests."""


class Rests:
    """The places of refusals in time, one behind the other. Used from one event loop."""

    def __init__(self) -> None:
        self._free_at = 0.0

    def after_refusal(self, now: float) -> float:
        """Seconds that the connection of a request refused `now` rests; 0 where refusals are few."""
        apart_s = REFUSAL_S / SHARE
        self._free_at = min(max(self._free_at, now - AT_ONCE * apart_s) + apart_s, now + LONGEST_S)
        return max(0.0, self._free_at - now)
