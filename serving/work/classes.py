"""The classes of work, first served first, and why work is not taken. Nothing here runs anything."""

from typing import Literal, get_args

from sentiment_platform.errors import TransientError

WorkClass = Literal["answer", "batch", "shadow", "explain"]
CLASSES: tuple[WorkClass, ...] = get_args(WorkClass)
NotTaken = Literal["queue", "deadline"]
"""`queue`: too much waits before it; `deadline`: it alone would take longer, or it did not come in time."""


class Overloaded(TransientError):
    """The answer would come too late, or did not come in time."""

    def __init__(self, reason: NotTaken = "queue") -> None:
        if reason == "queue":
            super().__init__("The model is busy beyond the deadline.", remedy="Try again in a moment, or use POST /predict.")
        else:
            super().__init__("The model cannot answer within the deadline.", remedy="Allow more time, or use POST /predict.")
        self.reason: NotTaken = reason
