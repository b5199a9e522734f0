"""A model that raised instead of answering: what that is called, counted and logged. Who stands in for it: `executor`."""

import logging
import time
from collections.abc import Callable

from sentiment_platform.errors import TransientError
from serving.contract.problems import Problem, unavailable
from serving.live.loading import LoadedVersion
from serving.metrics import Metrics
from serving.work.classes import Overloaded

LOGGED_EVERY_S = 60.0
MOST_REMEMBERED = 100
RETRY_AFTER_S = 30
logger = logging.getLogger(__name__)


class ModelFailed(TransientError):
    """A version raised, or gave numbers that are no probabilities."""

    def __init__(self, model: LoadedVersion) -> None:
        super().__init__(
            f"{model.version} failed at this text, and nothing can stand in.",
            remedy="Ask another family; GET /models/status says which there are.",
        )
        self.model = model

    def problem(self) -> Problem:
        """503: not the client's fault, and another version may be live in a moment."""
        return unavailable("model_error", str(self), retry_after_s=RETRY_AFTER_S)


def no_answer(error: Overloaded | ModelFailed) -> Problem:
    """503, and why nobody answers."""
    return error.problem() if isinstance(error, ModelFailed) else unavailable("overloaded", str(error))


class ModelErrors:
    """Counts failures by version, and logs the first of each version and minute.

    Args:
        unanswered: told (version, text) of a question that nobody could answer.
    """

    def __init__(
        self, metrics: Metrics, unanswered: Callable[[str, str], object], *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._metrics = metrics
        self.unanswered = unanswered
        self._now = now
        self._logged: dict[str, float] = {}

    def failed(self, model: LoadedVersion, error: Exception) -> ModelFailed:
        """Count it; returns what is to be raised in its place. The text is logged only where the error itself quotes it."""
        self._metrics.model_errors.labels(model.family, model.version).inc()
        now = self._now()
        if now - self._logged.get(model.version, -LOGGED_EVERY_S) >= LOGGED_EVERY_S:
            self._logged = {version: at for version, at in self._logged.items() if now - at < LOGGED_EVERY_S}
            if len(self._logged) < MOST_REMEMBERED:
                self._logged[model.version] = now
            logger.error("%s failed at a text", model.version, exc_info=error)
        return ModelFailed(model)
