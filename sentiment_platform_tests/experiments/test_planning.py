"""The planner's number of texts is the one with which the gate's own rule gets there."""

import pytest

from sentiment_platform.experiments.error_budget import level_of
from sentiment_platform_tests.benchmarks.gate import planned_for, smallest_n, two_find_it

pytestmark = pytest.mark.slow
RUNS = 40


def test_the_plan_is_within_a_tenth_of_what_simulation_needs_and_one_for_another_level_is_not() -> None:
    level = level_of(1)
    plan = planned_for(0.8, level)
    needed = smallest_n(lambda texts, seed: two_find_it(texts, seed, level), plan, 0.8, RUNS)
    assert abs(plan / needed - 1) <= 0.1
    assert planned_for(0.8, level / 3) / needed > 1.2
