import numpy as np

from sentiment_platform.experiments.disagreement import MAX_IDS, disagreement

SURE = np.eye(3)


def test_the_texts_that_two_versions_call_differently_are_kept_with_who_is_right() -> None:
    labels = np.array([0, 1, 2, 2, 0])
    a, b = SURE[[0, 1, 0, 2, 1]], SURE[[0, 2, 2, 2, 2]]
    differences = disagreement(("one", "two"), list("vwxyz"), labels, a, b)
    assert (
        differences.n,
        differences.n_different,
        differences.only_a_right,
        differences.only_b_right,
        differences.both_wrong,
    ) == (5, 3, 1, 1, 1)
    assert differences.ids == ("w", "x", "z")
    assert differences.confusion == ((1, 0, 1), (0, 0, 2), (0, 0, 1))
    assert "| negative | 1 | 0 | 1 |" in differences.table()
    assert "3 of 5 texts are called differently: one alone is right 1 times, two alone 1 times, neither 1." in differences.table()


def test_versions_that_agree_have_an_empty_set_and_many_differences_are_cut() -> None:
    labels = np.arange(900) % 3
    same = disagreement(("one", "two"), [str(n) for n in labels], labels, SURE[labels], SURE[labels])
    assert (same.n_different, same.ids) == (0, ())
    other = disagreement(("one", "two"), [str(n) for n in labels], labels, SURE[labels], SURE[(labels + 1) % 3])
    assert (other.n_different, other.only_a_right, len(other.ids)) == (900, 900, MAX_IDS)
