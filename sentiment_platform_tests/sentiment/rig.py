"""Scoring as the asset does it, with a clock that the test sets, and the rows that it left."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, text

from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.sentiment.scorers import LoadedScorer, ScoringVersion, load_scorer, scoring_versions
from sentiment_platform.sentiment.scoring import ScoredDays, score_days
from sentiment_platform.settings import Settings
from sentiment_platform_tests.features.articles import DAY, NEXT, NOW, article, insert

SUBJECTS = ("Harbour Mills", "Northgate Steel", "Tallow Foods", "Brass Bank", "Quill Media")
SAYS = (
    "reports a terrible loss and a weak outlook",
    "will hold its annual meeting in May",
    "reports great profit and strong growth, and is happy",
    "named an auditor",
    "profit fell sharply this year",
)


def headline(number: int) -> str:
    """Headlines of many lengths, every one another."""
    said = " while it ".join(SAYS[(number + n) % len(SAYS)] for n in range(1 + number % 3))
    return f"{SUBJECTS[number % len(SUBJECTS)]} {said} in unit {number}"


def store_articles(engine: Engine, numbers: Sequence[int]) -> None:
    """Articles of one day, each its own story."""
    insert(engine, [article(number, number, title=headline(number)) for number in numbers])


@dataclass
class Scoring:
    """Runs over the one day."""

    settings: Settings
    engine: Engine
    now: datetime = NOW
    loaded: list[str] = field(default_factory=list[str])

    def run(self, *, only_new: bool = True, version: str = "", chunk: int = 1_000) -> ScoredDays:
        """A run of collection; or of history, or by a version."""
        self.now += timedelta(minutes=1)
        scorers = scoring_versions(self.engine, version, only_new=only_new)
        return score_days(self.engine, scorers, DAY, NEXT, load=self._load, now=lambda: self.now, chunk=chunk)

    def _load(self, scoring: ScoringVersion) -> LoadedScorer:
        self.loaded.append(scoring.version)
        return load_scorer(RegistryAccess(self.settings), scoring)

    def rows(self, version: str = "%") -> list[Any]:
        """Everything that is stored, or what a version scored."""
        query = text("SELECT * FROM platform.article_sentiment WHERE version LIKE :version ORDER BY article_id, version")
        with self.engine.connect() as connection:
            return list(connection.execute(query, {"version": version}))
