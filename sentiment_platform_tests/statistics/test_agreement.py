import random
from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_platform.statistics.agreement import PairAgreement, krippendorff_alpha, pairwise_agreement


def units(*observers: str) -> list[list[str]]:
    """Columns of a table with a row an observer; a point is a missing word."""
    rows = [observer.split() for observer in observers]
    return [[word for word in column if word != "."] for column in zip(*rows, strict=True)]


PUBLISHED = {
    "A: two observers, two values": (0.095, ["0 1 0 0 0 0 0 0 1 0", "1 1 1 0 0 1 0 0 0 0"]),
    "B: two observers, five values": (0.692, ["a a b b d c c c e d d a", "b a b b b c c c e d d d"]),
    "C: four observers, missing words": (
        0.743,
        ["1 2 3 3 2 1 4 1 2 . . .", "1 2 3 3 2 2 4 1 2 5 . 3", ". 3 3 3 2 3 4 2 2 5 1 .", "1 2 3 3 2 4 4 1 2 5 1 ."],
    ),
}


@pytest.mark.parametrize("example", PUBLISHED)
def test_alpha_has_the_values_that_krippendorff_published(example: str) -> None:
    alpha, observers = PUBLISHED[example]
    found = krippendorff_alpha(units(*observers))
    assert found is not None
    assert round(found, 3) == alpha


def test_alpha_is_one_where_all_agree_and_not_defined_where_nobody_could_disagree() -> None:
    assert krippendorff_alpha([["a", "a"], ["b", "b", "b"], ["c"]]) == 1.0
    for nothing in ([], [["a"], ["b"]], [["a", "a"], ["a", "a"]]):
        assert krippendorff_alpha(nothing) is None


def test_alpha_of_words_at_random_is_near_zero_and_of_contradiction_below() -> None:
    dice = random.Random(5)
    found = krippendorff_alpha([[dice.choice("abc"), dice.choice("abc")] for _ in range(5000)])
    assert found is not None
    assert abs(found) < 0.04
    contradiction = krippendorff_alpha([["a", "b"]] * 50)
    assert contradiction is not None
    assert contradiction < -0.9


@given(st.lists(st.lists(st.sampled_from("abc"), max_size=4), min_size=2, max_size=12), st.integers(0, 99))
def test_alpha_does_not_depend_on_any_order_or_on_words_that_stand_alone(made: list[list[str]], seed: int) -> None:
    before = krippendorff_alpha(made)
    shuffled = [random.Random(seed).sample(unit, len(unit)) for unit in made]
    random.Random(seed).shuffle(shuffled)
    after = krippendorff_alpha([*shuffled, ["a"], []])
    assert before is after is None or (before is not None and after is not None and isclose(before, after, abs_tol=1e-9))


def test_pairs_are_compared_on_what_both_have_seen() -> None:
    said = {"bob": {"1": "a", "2": "b", "3": "c"}, "ada": {"2": "b", "3": "b", "4": "a"}, "eve": {"9": "a"}}
    assert pairwise_agreement(said) == [PairAgreement("ada", "bob", 2, 0.5)]
