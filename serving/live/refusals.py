"""What was tried last, what was refused and why, and for how long a refused deployment is left alone.

GET /models/status shows it. Written by the registry thread alone; anybody reads `last_attempt`, one immutable value.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sentiment_platform.clock import Clock
from sentiment_platform.errors import PermanentError, TransientError
from sentiment_platform.registry.refusal import Refused
from serving.contract.model_bodies import RegistryStatus, Swap, SwapOutcome
from serving.live.model_refused import ModelRefused
from serving.metrics import Metrics

RETRY_REFUSED_S = 300.0
LARGEST_RETRY_S = 3600.0
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Rest:
    """`deployment` (a digest) is not tried again before `until`, in seconds of the monotonic clock."""

    deployment: str
    until: float
    pause_s: float


class Refusals:
    """The last attempt to bring something live, and the refused deployment that rests."""

    def __init__(self, metrics: Metrics, *, clock: Clock) -> None:
        self._metrics = metrics
        self._clock = clock
        self._rest: _Rest | None = None
        self.last_attempt: Swap | None = None

    def why_nothing_is_live(self, registry: RegistryStatus, *, is_followed: bool) -> str:
        """In words; `is_followed`: a registry is configured."""
        if self.candidate is not None:
            return f"Nothing is live: {self.candidate.message}"
        if registry.reachable is None and is_followed:
            return "Nothing is live yet: the first look at the registry is under way."
        return f"Nothing is live: {registry.message or 'no registry is configured (SENTIMENT_REGISTRY_REPOSITORY).'}"

    @property
    def candidate(self) -> Swap | None:
        """What was offered last and is not live."""
        last = self.last_attempt
        return None if last is None or last.outcome == "swapped" else last

    def attempt(self, revision: int, versions: Sequence[str], work: Callable[[], object]) -> SwapOutcome:
        """Run `work`, which brings `versions` live or raises, and keep how it ended; a defect of ours passes through."""
        started = time.monotonic()
        outcome: SwapOutcome = "swapped"
        reason = message = None
        try:
            work()
        except (Refused, ModelRefused) as error:
            outcome, reason, message = "refused", error.reason, str(error)
        except PermanentError as error:
            outcome, reason, message = "refused", "permanent", str(error)
        except (TransientError, OSError) as error:
            outcome, reason, message = "failed", "unavailable", str(error)
        self._keep(outcome, revision, versions, reason, message, time.monotonic() - started)
        return outcome

    def refuse(self, revision: int | None, versions: Sequence[str], reason: str, message: str) -> None:
        """Keep a refusal that needed no attempt."""
        self._keep("refused", revision, versions, reason, message, 0.0)

    def let_rest(self, deployment: str) -> None:
        """Do not try this deployment (a digest) again for a while: five minutes, twice as long each time, an hour at most."""
        rest = self._rest
        again = rest is not None and rest.deployment == deployment
        pause_s = min(2 * rest.pause_s, LARGEST_RETRY_S) if rest is not None and again else RETRY_REFUSED_S
        self._rest = _Rest(deployment, time.monotonic() + pause_s, pause_s)

    def forget_rest(self) -> None:
        """Whatever is offered next may be tried at once."""
        self._rest = None

    def rests(self, deployment: str) -> bool:
        """Whether this deployment (a digest) was refused a short while ago."""
        rest = self._rest
        return rest is not None and rest.deployment == deployment and time.monotonic() < rest.until

    def retry_is_due(self) -> bool:
        """Whether a refused deployment has rested long enough."""
        return self._rest is not None and time.monotonic() >= self._rest.until

    def _keep(
        self,
        outcome: SwapOutcome,
        revision: int | None,
        versions: Sequence[str],
        reason: str | None,
        message: str | None,
        took_s: float,
    ) -> None:
        self._metrics.swaps.labels(outcome).inc()
        if message is not None:
            logger.warning("revision %s not brought live (%s): %s", revision, reason, message)
        self.last_attempt = Swap(
            at=self._clock(),
            outcome=outcome,
            revision=revision,
            versions=tuple(versions),
            reason=reason,
            message=message,
            duration_s=round(took_s, 3),
        )
