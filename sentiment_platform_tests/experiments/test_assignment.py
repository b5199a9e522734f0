"""Arms and shadows by hash: vectors that never change, shares, independence, and what a change of weights moves."""

import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from sentiment_platform.experiments.assignment import arm_of, is_shadowed, position
from sentiment_platform.registry.deployment import Arm, Experiment, Shadow

UNITS = [f"unit-{n}" for n in range(100_000)]
VECTORS = {
    ("trial", "key-1"): 0.671988756266,
    ("trial", "key-1/reader 7"): 0.539366488449,
    ("other", "key-1"): 0.299463433892,
    ("Prüfung", "ä"): 0.382567692638,
    ("", ""): 0.367048316277,
}
"""Published: whoever assigns elsewhere must come to the same positions."""


def split(name: str = "trial", phase: int = 1, **weights: float) -> Experiment:
    arms = {arm: Arm(f"v1.{n}.0-vader", f"{n:064}", weight) for n, (arm, weight) in enumerate(weights.items())}
    return Experiment(name, phase, arms)


def arms(experiment: Experiment, units: list[str] = UNITS) -> np.ndarray:
    return np.array([arm_of(experiment, unit) for unit in units])


def test_positions_are_those_that_are_published() -> None:
    assert {key: round(position(*key), 12) for key in VECTORS} == VECTORS


def test_another_process_assigns_the_same_without_any_heavy_library() -> None:
    code = """
import sys
from sentiment_platform.experiments.assignment import arm_of
from sentiment_platform.registry.deployment import Arm, Experiment
arms = {"control": Arm("v1.0.0-vader", "ab" * 32, 0.9), "challenger": Arm("v1.1.0-vader", "cd" * 32, 0.1)}
print(",".join(arm_of(Experiment("trial", 1, arms), f"unit-{n}") for n in range(50)))
print(sorted({"dagster", "scipy", "torch", "pandas", "polars", "sqlalchemy", "numpy"} & set(sys.modules)))
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.splitlines()
    assert said[0].split(",") == arms(split(control=0.9, challenger=0.1), UNITS[:50]).tolist()
    assert said[1] == "[]"


@pytest.mark.parametrize("weight", [0.01, 0.1, 0.5, 0.9])
def test_shares_of_units_are_within_the_bounds_of_chance(weight: float) -> None:
    challenged = int((arms(split(control=1 - weight, challenger=weight)) == "challenger").sum())
    assert stats.binomtest(challenged, len(UNITS), weight).pvalue > 0.001
    assert abs(challenged / len(UNITS) - weight) < 0.005


def test_positions_are_uniform() -> None:
    assert stats.kstest([position("trial", unit) for unit in UNITS], "uniform").pvalue > 0.001


def test_two_experiments_assign_independently() -> None:
    first, second = (arms(split(name, control=0.5, challenger=0.5)) == "challenger" for name in ("trial", "trial 2"))
    table = [
        [int((first & second).sum()), int((first & ~second).sum())],
        [int((~first & second).sum()), int((~first & ~second).sum())],
    ]
    assert stats.chi2_contingency(table).pvalue > 0.001
    # The control: one experiment is not independent of itself in another phase.
    assert (arms(split(phase=2, control=0.5, challenger=0.5)) == "challenger").tolist() == first.tolist()


def test_a_change_of_weights_moves_only_units_between_the_borders_and_only_towards_the_arm_that_grew() -> None:
    before, more, less = (arms(split(control=1 - w, challenger=w)) for w in (0.1, 0.25, 0.05))
    moved = before != more
    assert set(before[moved]) == {"control"}
    assert abs(moved.mean() - 0.15) < 0.005
    assert set(before[before != less]) == {"challenger"}
    assert abs((before != less).mean() - 0.05) < 0.005


def test_the_shadow_answers_its_share_and_stops_at_its_cap_of_the_day() -> None:
    plan = Shadow(
        name="trial", phase=1, version="v1.1.0-vader", manifest_digest="ab" * 32, beside="v1.0.0-vader", share=0.1, daily_cap=500
    )
    chosen = sum(is_shadowed(plan, unit, 0) for unit in UNITS)
    assert stats.binomtest(chosen, len(UNITS), 0.1).pvalue > 0.001
    answered = 0
    for unit in UNITS:
        answered += is_shadowed(plan, unit, answered)
    assert answered == 500
