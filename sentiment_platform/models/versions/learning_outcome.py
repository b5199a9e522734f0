"""Whether the newest version of a family was learned, or had to fall back on what was there before. How well it does: `evaluation`."""

from dataclasses import dataclass

from sqlalchemy import Engine

from sentiment_platform.models.version_figures import origin_figures
from sentiment_platform.store.versions import latest_version


@dataclass(frozen=True)
class LearningOutcome:
    """`version` is None before the first one; `warning` says what could not be learned and why, None where all was."""

    version: str | None
    warning: str | None


def evaluate_learning(engine: Engine, family: str) -> LearningOutcome:
    """Read it from the figures of the newest registered version."""
    with engine.connect() as connection:
        newest = latest_version(connection, family)
    if newest is None:
        return LearningOutcome(None, None)
    return LearningOutcome(newest.version, origin_figures(newest.manifest).warning)
