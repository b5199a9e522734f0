"""Whose feedback it is: a key's, a client's of that key, or nobody's; and how much of nobody's is taken."""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from litestar import Request

from sentiment_platform.store.key_form import read_key
from serving.contract.feedback_bodies import Voice
from serving.contract.problems import Problem
from serving.edge.security import Caller, presented_key, wrong_key
from serving.journal.journal_records import ClaimedVoice, voice_of

WITHOUT_VOICE_A_MINUTE = 600
"""Feedback of nobody known that one process takes in a minute: it fills the disk of the journal and teaches nothing."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who speaks, in the fields of a `FeedbackRecord`."""

    kind: Voice
    voice: str | None = None
    claimed: ClaimedVoice | None = None

    @property
    def name(self) -> str:
        """Who speaks, whether the key could be checked or not; "" for nobody known."""
        return self.voice or (voice_of(self.claimed.key_id, self.claimed.client_id) if self.claimed else "")


class Allowance:
    """Counts what is taken in the minute that runs, on this process's own clock."""

    def __init__(self, a_minute: int = WITHOUT_VOICE_A_MINUTE) -> None:
        self.a_minute = a_minute
        self._taken = 0
        self._since = time.monotonic()

    def take(self) -> None:
        """Count one.

        Raises:
            Problem: 429, the minute's share is used up.
        """
        now = time.monotonic()
        if now - self._since >= 60:
            self._since, self._taken = now, 0
        if self._taken >= self.a_minute:
            seconds = str(max(1, round(self._since + 60 - now)))
            raise Problem(
                429,
                "too_much_anonymous_feedback",
                f"{self.a_minute} pieces of feedback without a checked key were taken in this minute; try again in {seconds} s, "
                "or send an API key of any role.",
                headers={"Retry-After": seconds},
            )
        self._taken += 1


def speaker_of(request: Request[Any, Any, Any], client_id: str | None, now: datetime) -> Speaker:
    """Who sends a request that `access` has let in; `client_id` counts with a key alone.

    Raises:
        Problem: 401, the key is none.
    """
    caller: Caller | None = request.state.caller
    if caller is not None:
        return Speaker("known", voice_of(caller.key_id, client_id))
    presented = presented_key(request.scope["headers"])
    if not presented:
        return Speaker("anonymous")
    # It could not be checked: the shipper will.
    key = read_key(presented)
    if key is None:
        raise wrong_key()
    return Speaker("unchecked", claimed=ClaimedVoice(key.key_id, key.secret_hash, client_id, now))
