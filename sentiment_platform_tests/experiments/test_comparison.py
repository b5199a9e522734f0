import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_platform.errors import PermanentError
from sentiment_platform.experiments.comparing import SEED, as_array
from sentiment_platform.experiments.comparison import ALPHA, find
from sentiment_platform.experiments.weighing import compare_all
from sentiment_platform.statistics.planning import mcnemar_power
from sentiment_platform.statistics.significance import discordant_counts, holm, mcnemar_exact, paired_bootstrap
from sentiment_platform_tests.promotion.seeding import answers, truth

LABELS = truth(300)
A, B, C = "v1.0.0-vader", "v1.1.0-vader", "v1.0.0-finbert"
PROBABILITIES = {A: answers(LABELS, 0.55, 1), B: answers(LABELS, 0.56, 4), C: answers(LABELS, 0.8, 3)}


def test_a_comparison_is_what_the_statistics_say() -> None:
    comparisons = compare_all("set", LABELS, PROBABILITIES)
    assert [(c.a, c.b) for c in comparisons] == [(A, B), (A, C), (B, C)]
    tests = [mcnemar_exact(*discordant_counts(LABELS, PROBABILITIES[c.a], PROBABILITIES[c.b])) for c in comparisons]
    assert [c.mcnemar for c in comparisons] == tests
    assert [c.macro_f1 for c in comparisons] == [
        paired_bootstrap(LABELS, PROBABILITIES[c.a], PROBABILITIES[c.b], seed=SEED) for c in comparisons
    ]
    assert [c.adjusted_p for c in comparisons] == pytest.approx(list(holm([test.p_value for test in tests])))
    assert all((c.n, c.training_set) == (300, "set") for c in comparisons)
    first = comparisons[0]
    discordant = (first.mcnemar.only_a_right + first.mcnemar.only_b_right) / 300
    assert first.power == pytest.approx(mcnemar_power(discordant_share=discordant, difference=0.05, n=300, alpha=ALPHA / 3))


def test_p_is_adjusted_for_the_number_of_comparisons() -> None:
    alone = compare_all("set", LABELS, {A: PROBABILITIES[A], C: PROBABILITIES[C]})[0]
    among_three = compare_all("set", LABELS, PROBABILITIES)[1]
    assert alone.adjusted_p == alone.mcnemar.p_value == among_three.mcnemar.p_value
    assert among_three.adjusted_p > alone.adjusted_p


def test_an_advantage_that_only_one_of_many_comparisons_shows_is_not_believed() -> None:
    """McNemar's p lies between 0.05 / 10 and 0.05: convincing alone, not as the best of ten."""
    labels = np.zeros(200, dtype=np.int64)
    worse, better = (0.7 * np.eye(3)[said] + 0.1 for said in (np.zeros(200, int), np.zeros(200, int)))
    worse[:20], better[100:106] = [0.1, 0.8, 0.1], [0.1, 0.8, 0.1]
    alone = compare_all("set", labels, {"a": worse, "b": better})[0]
    assert ALPHA / 10 < alone.mcnemar.p_value < ALPHA
    assert alone.verdict == "better"
    crowd = {"a": worse, "b": better} | {name: worse.copy() for name in "cde"}
    assert compare_all("set", labels, crowd)[0].verdict != "better"


@settings(max_examples=25, deadline=None)
@given(right=st.tuples(st.floats(0.4, 0.9), st.floats(0.4, 0.9)), seed=st.integers(0, 99))
def test_a_comparison_the_other_way_round_is_its_mirror_image(right: tuple[float, float], seed: int) -> None:
    one, two = (answers(LABELS, share, seed + n) for n, share in enumerate(right))
    forth, back = (compare_all("set", LABELS, pair)[0] for pair in ({"a": one, "b": two}, {"b": two, "a": one}))
    assert (forth.mcnemar.only_a_right, forth.mcnemar.only_b_right) == (back.mcnemar.only_b_right, back.mcnemar.only_a_right)
    assert forth.adjusted_p == back.adjusted_p
    assert forth.macro_f1.difference.value == -back.macro_f1.difference.value
    # The bootstrap draws other rows.
    assert forth.macro_f1.difference.low == pytest.approx(-back.macro_f1.difference.high, abs=0.02)
    if min(abs(forth.macro_f1.difference.low), abs(forth.macro_f1.difference.high)) > 0.02:
        assert find([forth], "a", "b")[0] == find([back], "a", "b")[0]
        assert find([forth], "b", "a")[0] == find([back], "b", "a")[0]


@pytest.mark.parametrize(
    ("champion", "challenger", "verdict"), [(A, C, "better"), (C, A, "worse"), (A, B, "no difference shown")]
)
def test_a_verdict_is_found_from_both_sides(champion: str, challenger: str, verdict: str) -> None:
    assert find(compare_all("set", LABELS, PROBABILITIES), champion, challenger)[0] == verdict


def test_a_pair_that_was_not_compared_has_no_verdict() -> None:
    with pytest.raises(PermanentError, match=r"v9\.0\.0-vader was not compared with v1\.0\.0-vader"):
        find(compare_all("set", LABELS, PROBABILITIES), A, "v9.0.0-vader")


def test_the_words_carry_the_figures() -> None:
    comparisons = compare_all("set", LABELS, PROBABILITIES)
    for comparison, relation in zip(
        comparisons, ("is not shown to differ from", "is better than", "is better than"), strict=True
    ):
        words, d = comparison.words(), comparison.macro_f1.difference
        assert words.startswith(f"{comparison.b} {relation} {comparison.a} on 300 holdout texts")
        for figure in (
            f"{d.value:+.3f}",
            f"{d.low:+.3f}",
            f"{d.high:+.3f}",
            f"{comparison.macro_f1.a:.3f}",
            f"{comparison.macro_f1.b:.3f}",
        ):
            assert figure in words
        assert f"p = {comparison.mcnemar.p_value:.2g} (Holm {comparison.adjusted_p:.2g} of 3, level 0.05)" in words
        assert f"{comparison.mcnemar.only_b_right} against {comparison.mcnemar.only_a_right} times" in words
    assert "is worse than" in compare_all("set", LABELS, {C: PROBABILITIES[C], A: PROBABILITIES[A]})[0].words()


def test_a_comparison_with_a_version_whose_base_has_seen_the_holdout_says_that_it_is_in_sample() -> None:
    comparisons = compare_all("set", LABELS, PROBABILITIES, {C})
    assert [(c.a, c.b, c.in_sample, c.seen_by) for c in comparisons] == [
        (A, B, False, ()),
        (A, C, True, (C,)),
        (B, C, True, (C,)),
    ]
    assert [("In-sample, so no evidence" in c.words()) for c in comparisons] == [False, True, True]
    assert f"the base model or the starter of {C} was trained on labels of this holdout" in comparisons[1].words()
    both = compare_all("set", LABELS, {A: PROBABILITIES[A], C: PROBABILITIES[C]}, {A, C})[0]
    assert f"the base model or the starter of {A} and of {C} was trained" in both.words()


def test_a_version_that_did_not_answer_every_text_is_not_compared() -> None:
    rows = {f"{n}": [0.1, 0.2, 0.7] for n in range(5)}
    assert as_array(rows, ["3", "1"]).shape == (2, 3)
    assert as_array({}, ["3"]).shape == (0, 3)
    short = as_array(rows, [f"{n}" for n in range(6)])
    with pytest.raises(PermanentError, match="x answered 5 of 6 holdout texts"):
        compare_all("set", truth(6), {"x": short})


def test_one_version_alone_has_nothing_to_be_compared_with() -> None:
    assert compare_all("set", LABELS, {A: PROBABILITIES[A]}) == []
