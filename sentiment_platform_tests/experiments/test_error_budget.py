"""A year of looks at one holdout: how often the gate may look, and how seldom it then switches to what is no better."""

import numpy as np
import pytest
from scipy.special import bdtr

from sentiment_platform.experiments.error_budget import PLANNED_ATTEMPTS, YEARLY_ERROR, Question, attempt_number, level_of

TEXTS = 600


def asked(*versions: str, training_set: str = "one") -> Question:
    return Question(training_set, frozenset(versions))


def years_that_switch(levels: np.ndarray, challenger: float, years: int, seed: int, weeks: int = PLANNED_ATTEMPTS) -> float:
    """Share of years in which a weekly challenger has McNemar's p below the level of its week and is ahead of the champion of 0.8.

    The gate asks for the bootstrap interval beside it, so it switches at most as often.
    """
    rng = np.random.default_rng(seed)
    champion = rng.random((years, 1, TEXTS), dtype=np.float32) < 0.8
    others = rng.random((years, weeks, TEXTS), dtype=np.float32) < challenger
    ahead, behind = (others & ~champion).sum(axis=2), (~others & champion).sum(axis=2)
    p = 2 * bdtr(np.minimum(ahead, behind).astype(float), ahead + behind, 0.5)
    return float(((p < levels[:weeks]) & (ahead > behind)).any(axis=1).mean())


LEVELS = np.array([level_of(attempt) for attempt in range(1, PLANNED_ATTEMPTS + 1)])


@pytest.mark.parametrize("seed", [1, 2])
def test_a_year_of_weekly_challengers_that_are_no_better_switches_in_five_of_a_hundred_years_at_most(seed: int) -> None:
    assert years_that_switch(LEVELS, 0.8, 200, seed) <= 0.05
    # The control: at the same level every week, as before.
    assert years_that_switch(np.full(PLANNED_ATTEMPTS, 0.05), 0.8, 200, seed) > 0.15


def test_what_is_really_better_is_still_found_in_the_first_week_and_in_the_last() -> None:
    """Ten points on 600 texts."""
    for attempt in (1, PLANNED_ATTEMPTS):
        assert years_that_switch(np.array([level_of(attempt)]), 0.9, 200, 3, weeks=1) >= 0.9


def test_the_levels_of_a_year_add_up_to_its_error_and_beyond_the_plan_nothing_is_left() -> None:
    many = [level_of(attempt) for attempt in range(1, 400)]
    assert sum(many) == pytest.approx(2 * YEARLY_ERROR)
    assert many == sorted(many, reverse=True)
    assert many[PLANNED_ATTEMPTS] < 1e-12


def test_an_attempt_is_a_question_that_was_not_asked_before() -> None:
    earlier = [asked("a", "b"), asked("a", "b", "c"), asked("a", "b")]
    assert attempt_number([], asked("a", "b")) == 1
    assert attempt_number(earlier, asked("a", "b")) == 1, "made again"
    assert attempt_number(earlier, asked("a", "c")) == 2, "its answer stood in the second"
    assert attempt_number(earlier, asked("a", "d")) == 3, "a changed challenger"
    assert attempt_number(earlier, asked("a", "b", training_set="two")) == 3, "another holdout"
