"""How often the gate may look: a level for each attempt, so that a year of looks switches falsely in 5 % of years at most.

An attempt is a question that was not asked before: other versions, or another holdout. The same evidence made again is none.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import NamedTuple

YEAR = timedelta(days=365)
YEARLY_ERROR = 0.05
"""Chance that anything which is no better takes a place within a year."""
PLANNED_ATTEMPTS = 52
"""In a year. Beyond them next to nothing is left of the error; a named person may still promote."""


class Question(NamedTuple):
    """Which versions were held against each other, and on which training set's holdout."""

    training_set: str
    versions: frozenset[str]

    def is_part_of(self, other: "Question") -> bool:
        """Whether whoever asked `other` has seen the answer to this one."""
        return self.training_set == other.training_set and self.versions <= other.versions


def attempt_number(earlier: Iterable[Question], question: Question) -> int:
    """Which attempt `question` is, from 1; `earlier` are those of the year before, oldest first."""
    attempts: list[Question] = []
    for asked in (*earlier, question):
        if not any(asked.is_part_of(known) for known in attempts):
            attempts.append(asked)
    return next(number for number, known in enumerate(attempts, 1) if question.is_part_of(known))


def level_of(attempt: int) -> float:
    """The level of the two-sided p of an attempt.

    Half of the year's error halves from attempt to attempt, so that the first ones can find something; the other half is spread evenly.
    Only one of the two sides leads to a switch, so the levels of a year add up to twice the error.
    """
    even = 1 / PLANNED_ATTEMPTS if attempt <= PLANNED_ATTEMPTS else 0.0
    return YEARLY_ERROR * (2.0**-attempt + even)
