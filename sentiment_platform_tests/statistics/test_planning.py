"""How many rows a comparison needs, against the closed form and against the rule itself."""

import numpy as np
import pytest

from sentiment_platform.errors import PermanentError
from sentiment_platform.statistics.planning import (
    Design,
    chance_of_better,
    chance_of_equivalent,
    macro_f1_difference,
    mcnemar_power,
    rows_for,
)
from sentiment_platform.statistics.significance import discordant_counts, mcnemar_exact, paired_bootstrap

FIVE_POINTS = Design(accuracy=0.8, difference=0.05, discordant_share=0.2)
RARE = (0.12, 0.6, 0.28)


def answered(design: Design, n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels and one-hot answers of A and B, drawn as the design says and by nothing of `planning`."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(3, n, p=design.class_shares)
    kind = rng.random(n)
    only_a, only_b = kind < design.only_a, (kind >= design.only_a) & (kind < design.discordant_share)
    both = ~only_a & ~only_b & (kind < design.accuracy + design.only_b)
    wrong = [(labels + rng.integers(1, 3, n)) % 3 for _ in range(2)]
    said = [np.where(both | alone, labels, off) for alone, off in zip((only_a, only_b), wrong, strict=True)]
    return labels, np.eye(3)[said[0]], np.eye(3)[said[1]]


@pytest.mark.parametrize("alpha", [0.05, 0.05 / 3, 0.05 / 60])
def test_the_plan_is_within_a_tenth_of_the_closed_form_of_mcnemars_test(alpha: float) -> None:
    planned = rows_for(lambda n: chance_of_better(FIVE_POINTS, n, alpha=alpha, seed=1), 0.8)
    closed = next(n for n in range(10, 9000) if mcnemar_power(discordant_share=0.2, difference=0.05, n=n, alpha=alpha) >= 0.8)
    assert planned == pytest.approx(closed, rel=0.1)


@pytest.mark.parametrize("shares", [(1 / 3, 1 / 3, 1 / 3), RARE], ids=["even", "rare"])
def test_the_chance_is_that_of_the_rule_itself(shares: tuple[float, float, float]) -> None:
    design = Design(accuracy=0.8, difference=0.06, discordant_share=0.22, class_shares=shares)
    found = 0
    for seed in range(200):
        labels, a, b = answered(design, 700, seed)
        below = mcnemar_exact(*discordant_counts(labels, a, b)).p_value < 0.02
        found += below and paired_bootstrap(labels, a, b, seed=1, n_resamples=500).difference.low > 0
    assert found / 200 == pytest.approx(chance_of_better(design, 700, alpha=0.02, seed=1), abs=0.08)


def test_the_normal_interval_is_that_of_the_bootstrap() -> None:
    labels, a, b = answered(FIVE_POINTS, 900, 3)
    tables = np.zeros((3, 3, 3))
    np.add.at(tables, (labels, a.argmax(axis=1), b.argmax(axis=1)), 1)
    difference, error = macro_f1_difference(tables)
    drawn = paired_bootstrap(labels, a, b, seed=1).difference
    assert difference == pytest.approx(drawn.value)
    assert 2 * 1.96 * error == pytest.approx(drawn.high - drawn.low, rel=0.06)


def test_equal_models_are_called_equivalent_as_often_as_planned() -> None:
    equal = Design(accuracy=0.8, difference=0.0, discordant_share=0.2)
    n = rows_for(lambda n: chance_of_equivalent(equal, n, margin=0.03, seed=1), 0.8)
    assert n is not None
    drawn = [paired_bootstrap(*answered(equal, n, seed), seed=1, n_resamples=500).difference for seed in range(150)]
    assert np.mean([d.low > -0.03 and d.high < 0.03 for d in drawn]) == pytest.approx(0.8, abs=0.08)


def test_a_difference_that_cannot_be_is_refused_and_what_needs_too_many_rows_has_no_plan() -> None:
    with pytest.raises(PermanentError, match="cannot be together"):
        Design(accuracy=0.8, difference=0.3, discordant_share=0.2)
    with pytest.raises(PermanentError, match="cannot be together"):
        Design(accuracy=0.99, difference=0.05, discordant_share=0.3)
    assert rows_for(lambda n: 0.0, 0.8) is None
