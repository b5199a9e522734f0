"""The error tree of the house.

An error is permanent (the same call fails again until somebody changes something) or transient (a later call may succeed).
Only transient errors are retried, at one layer. Every message ends with the remedy. Errors of a single subject live beside
that subject and derive from one of the two.
"""


class PlatformError(Exception):
    """Base of everything this platform raises on purpose.

    Args:
        message: what happened, with the value that caused it.
        remedy: what the reader can do about it; appended to the message.
    """

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(f"{message} {remedy}".strip())
        self.message = message
        self.remedy = remedy


class PermanentError(PlatformError):
    """Will fail again unchanged: bad input, bad configuration, a refused signature."""


class TransientError(PlatformError):
    """May succeed later: a time-out, a busy server, a lost connection."""


class SettingsError(PermanentError):
    """A setting is missing, malformed, or unsafe for the environment."""


class ConflictError(PermanentError):
    """Somebody else was first: a taken revision, a stale fencing token, a stale expected version."""
