"""Which pairs the gate reads, on which texts, and what the first version of a family must reach."""

from collections.abc import Callable

import numpy as np
import pytest

from sentiment_platform.experiments.contenders import Contenders
from sentiment_platform.experiments.contestants import Contestant, Holdout, contestant, holdout_of
from sentiment_platform.experiments.error_budget import level_of
from sentiment_platform.experiments.floor import floor_of
from sentiment_platform.experiments.gate import propose
from sentiment_platform.experiments.planning import stories_for_difference, stories_for_equivalence, with_plan
from sentiment_platform.experiments.weighing import number_of_tests, weigh
from sentiment_platform.models.family import Floats
from sentiment_platform.statistics.arrays import Ints
from sentiment_platform_tests.promotion.seeding import answers, truth

V1, V2, F1, F2 = "v1.0.0-vader", "v1.1.0-vader", "v1.0.0-finbert", "v1.1.0-finbert"
RUNNING = {"vader": V1, "finbert": F1}


def contenders(newest: dict[str, str], champions: dict[str, str] = RUNNING, *, by_person: bool = False) -> Contenders:
    default = "vader" if champions else None
    return Contenders(newest=newest, champions=champions, default_family=default, by_person=by_person, revision=1)


def sides(holdout: Holdout, said: dict[str, Floats]) -> dict[str, Contestant]:
    return {name: contestant(holdout, name, rows, family=name.split("-")[1]) for name, rows in said.items()}


@pytest.mark.parametrize(
    ("right", "read"),
    [
        ({V1: 0.6, F1: 0.6, V2: 0.6, F2: 0.6}, [(V1, V2), (F1, F2), (V1, F1)]),
        ({V1: 0.6, F1: 0.6, V2: 0.8, F2: 0.6}, [(V1, V2), (F1, F2), (V2, F1)]),
        ({V1: 0.6, F1: 0.6, V2: 0.6, F2: 0.8}, [(V1, V2), (F1, F2), (V1, F2)]),
    ],
    ids=["nothing new is better", "the default is", "the other family is"],
)
def test_of_the_six_pairs_of_four_versions_the_gate_reads_three(right: dict[str, float], read: list[tuple[str, str]]) -> None:
    labels = truth(600)
    holdout = holdout_of("set", labels)
    said = {name: answers(labels, share, seed) for seed, (name, share) in enumerate(right.items())}
    pairs = weigh(contenders({"vader": V2, "finbert": F2}), holdout, sides(holdout, said))
    assert [(pair.a, pair.b) for pair in pairs if pair.read] == read
    assert {pair.tests for pair in pairs if pair.verdict == "better"} <= {1, 2, 3}
    others = [pair for pair in pairs if not pair.read]
    assert (len(others), {pair.verdict for pair in others}) == (3, {"not weighed"})
    assert all("shown only, the gate does not read this pair" in pair.words() for pair in others)


def test_what_a_person_chose_is_not_tested_against_what_ran_already() -> None:
    assert number_of_tests(contenders(RUNNING)) == 1
    assert number_of_tests(contenders(RUNNING, by_person=True)) == 0
    assert number_of_tests(contenders(RUNNING | {"finbert": F2}, by_person=True)) == 2
    assert number_of_tests(contenders({"vader": V1}, {})) == 0
    assert number_of_tests(contenders(RUNNING, {})) == 1


def test_five_points_are_found_at_the_planned_number_of_texts_with_four_versions() -> None:
    planned = stories_for_difference(0.8, 0.8 * 0.15 + 0.2 * 0.85, level_of(1) / 3)
    assert planned is not None
    found = 0
    for seed in range(30):
        labels = truth(planned, seed)
        holdout = holdout_of("set", labels)
        said = {
            name: answers(labels, right, 10 * seed + n)
            for n, (name, right) in enumerate([(V1, 0.8), (F1, 0.8), (V2, 0.85), (F2, 0.8)])
        }
        new = contenders({"vader": V2, "finbert": F2})
        found += propose(new, weigh(new, holdout, sides(holdout, said), level=level_of(1))).champions["vader"] == V2
    assert found >= 22


def test_where_nothing_is_shown_the_verdict_says_how_many_more_labels_it_needs_and_equal_ones_become_equivalent() -> None:
    few, many = truth(300), truth(stories_for_equivalence(0.8, 0.32) or 0)
    shown = {}
    for labels in (few, many):
        holdout = holdout_of("set", labels)
        said = sides(holdout, {V1: answers(labels, 0.8, 1), V2: answers(labels, 0.8, 2)})
        (shown[len(labels)],) = (
            with_plan(pair, labels) for pair in weigh(contenders({"vader": V2}, {"vader": V1}), holdout, said)
        )
    undecided, decided = shown[300], shown[len(many)]
    assert (undecided.verdict, decided.verdict, decided.needs) == ("no difference shown", "equivalent", None)
    assert undecided.needs is not None
    assert 300 < undecided.needs < 2000
    assert f"It needs {undecided.needs:,} more labelled texts to show a difference of 5 points of accuracy." in undecided.words()
    assert "is equivalent to v1.0.0-vader" in decided.words()


def test_one_story_of_thirty_rows_gives_the_verdict_of_its_single_row() -> None:
    labels = truth(300)
    said = {V1: answers(labels, 0.7, 1), V2: answers(labels, 0.72, 2)}
    row = int(np.flatnonzero((said[V2].argmax(axis=1) == labels) & (said[V1].argmax(axis=1) != labels))[0])
    rows = np.r_[np.arange(300), np.full(29, row)]
    once, told = (
        weigh(new, holdout, sides(holdout, {name: probabilities[kept] for name, probabilities in said.items()}))[0]
        for new in [contenders({"vader": V2}, {"vader": V1})]
        for kept, holdout in (
            (np.arange(300), holdout_of("set", labels)),
            (rows, holdout_of("set", labels[rows], [str(name) for name in rows])),
        )
    )
    assert (once.verdict, once.mcnemar, once.stories) == (told.verdict, told.mcnemar, told.stories)
    assert told.n == 329
    assert "329 holdout texts, 300 stories" in told.words()
    # The control: rows of their own are 29 more right answers, and the same comparison is won by them.
    alone = holdout_of("set", labels[rows])
    repeated = weigh(contenders({"vader": V2}, {"vader": V1}), alone, sides(alone, {k: v[rows] for k, v in said.items()}))[0]
    assert (once.verdict, repeated.verdict) == ("no difference shown", "better")


def test_texts_that_one_of_the_two_has_learned_from_are_left_out_of_their_comparison_alone() -> None:
    labels = truth(300)
    holdout = holdout_of("set", labels)
    known = np.zeros(300, dtype=np.bool_)
    known[:100] = True
    said = sides(holdout, {name: answers(labels, 0.7, n) for n, name in enumerate((V1, F1))})
    cheats = contestant(holdout, V2, np.where(known[:, None], np.eye(3)[labels], answers(labels, 0.7, 5)), known, family="vader")
    pairs = {(pair.a, pair.b): pair for pair in weigh(contenders({"vader": V2}), holdout, {**said, V2: cheats})}
    assert {pair: (c.n, c.left_out) for pair, c in pairs.items()} == {
        (V1, V2): (200, 100),
        (V1, F1): (300, 0),
        (F1, V2): (200, 100),
    }
    assert "on 200 holdout texts (100 that one of the two has learned from are left out)" in pairs[V1, V2].words()
    assert pairs[V1, V2].verdict == "no difference shown"
    everything = contestant(holdout, V2, np.eye(3)[labels], ~np.zeros(300, dtype=np.bool_), family="vader")
    nothing = weigh(contenders({"vader": V2}), holdout, {**said, V2: everything})[0]
    assert (nothing.n, nothing.verdict) == (0, "no difference shown")
    assert "A verdict needs 50 texts" in nothing.words()


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        (
            lambda labels: np.tile([0.1, 0.8, 0.1], (len(labels), 1)),
            "v1.0.0-vader answers every text with neutral, so it is not taken",
        ),
        (lambda labels: 0.7 * np.eye(3)[np.maximum(labels, 1)] + 0.1, "v1.0.0-vader never answers negative, so it is not taken"),
        (lambda labels: answers(labels, 0.34, 3), "is not shown to be better than always saying"),
        (lambda labels: answers(labels, 0.6, 3), None),
    ],
    ids=["all neutral", "a class short", "guessing", "good"],
)
def test_the_first_version_of_a_family_must_beat_the_commonest_label_and_answer_every_class(
    said: Callable[[Ints], Floats], refusal: str | None
) -> None:
    labels = truth(200)
    holdout = holdout_of("set", labels)
    one = sides(holdout, {V1: said(labels), F1: answers(labels, 0.7, 9)})
    new = contenders(RUNNING, {})
    floors = [floor for side in one.values() if (floor := floor_of(holdout, side))]
    proposal = propose(new, weigh(new, holdout, one, floors=floors), floors)
    assert (refusal is None) is ("vader" in proposal.champions)
    assert (refusal or "is the first of its family") in proposal.reason
    assert proposal.champions["finbert"] == F1


def test_where_no_first_version_reaches_the_floor_nothing_is_proposed() -> None:
    labels = truth(200)
    holdout = holdout_of("set", labels)
    one = sides(holdout, {V1: np.tile([0.1, 0.8, 0.1], (200, 1))})
    new = contenders({"vader": V1}, {})
    floor = floor_of(holdout, one[V1])
    assert floor is not None
    proposal = propose(new, weigh(new, holdout, one, floors=[floor]), [floor])
    assert (proposal.champions, proposal.default_family, proposal.changes) == ({}, "", False)
