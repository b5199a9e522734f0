from collections.abc import Collection, Mapping, Sequence

import pytest

from sentiment_platform.errors import PermanentError
from sentiment_platform.experiments.comparison import Comparison, Verdict
from sentiment_platform.experiments.contenders import Contenders
from sentiment_platform.experiments.gate import Proposal, propose
from sentiment_platform.experiments.weighing import compare_all
from sentiment_platform.statistics.estimate import Estimate
from sentiment_platform.statistics.significance import McNemarResult, PairedDifference
from sentiment_platform_tests.promotion.seeding import answers, truth

V1, V2, F1, F2 = "v1.0.0-vader", "v1.1.0-vader", "v1.0.0-finbert", "v1.1.0-finbert"


def verdicts(said: Mapping[tuple[str, str], Verdict], *versions: str, seen_by: Collection[str] = ()) -> list[Comparison]:
    """A comparison of every pair: B against A as said, else no difference shown; bases of `seen_by` have seen the holdout."""
    return [
        Comparison(
            a=a,
            b=b,
            training_set="set",
            n=300,
            mcnemar=McNemarResult(1, 1, "exact", 1.0, 1.0),
            macro_f1=PairedDifference(
                metric="macro_f1", a=0.5, b=0.5, difference=Estimate(0.0, -0.1, 0.1, 300), p_value=1.0, n_resamples=2000, seed=1
            ),
            adjusted_p=1.0,
            power=0.5,
            verdict=said.get((a, b), "no difference shown"),
            seen_by=tuple(version for version in (a, b) if version in seen_by),
        )
        for index, a in enumerate(versions)
        for b in versions[index + 1 :]
    ]


def proposed(
    newest: dict[str, str],
    champions: dict[str, str],
    default_family: str | None,
    comparisons: Sequence[Comparison],
    *,
    by_person: bool = False,
) -> Proposal:
    contenders = Contenders(
        newest=newest,
        champions=champions,
        default_family=default_family,
        by_person=by_person,
        revision=1 if champions else 0,
    )
    return propose(contenders, comparisons)


BETTER, WORSE, EQUAL = "better", "worse", "no difference shown"
FIRST = "is the first of its family"


@pytest.mark.parametrize(
    ("newest", "champions", "default", "said", "expected", "leads", "reason"),
    [
        pytest.param({"vader": V1}, {}, None, {}, {"vader": V1}, "vader", FIRST, id="the first of all is taken"),
        pytest.param(
            {"finbert": F1, "vader": V1}, {}, None, {}, {"vader": V1, "finbert": F1}, "vader", FIRST, id="the cheap one leads"
        ),
        pytest.param(
            {"vader": V1, "finbert": F1},
            {},
            None,
            {(V1, F1): BETTER},
            {"vader": V1, "finbert": F1},
            "finbert",
            "finbert becomes the default",
            id="the costly one leads if it is better",
        ),
        pytest.param(
            {"vader": V1, "finbert": F1},
            {"vader": V1},
            "vader",
            {(V1, F1): WORSE},
            {"vader": V1, "finbert": F1},
            "vader",
            FIRST,
            id="a family joins beside the default",
        ),
        pytest.param(
            {"vader": V2},
            {"vader": V1},
            "vader",
            {(V1, V2): BETTER},
            {"vader": V2},
            "vader",
            f"{V2} is better than {V1}",
            id="better",
        ),
        pytest.param({"vader": V2}, {"vader": V1}, "vader", {}, None, "vader", "nothing is better", id="equal keeps"),
        pytest.param(
            {"vader": V2}, {"vader": V1}, "vader", {(V1, V2): WORSE}, None, "vader", "nothing is better", id="worse keeps"
        ),
        pytest.param({"vader": V1}, {"vader": V1}, "vader", {}, None, "vader", "nothing is better", id="what runs stays"),
        pytest.param(
            {"vader": V1, "finbert": F2},
            {"vader": V1, "finbert": F1},
            "finbert",
            {(V1, F1): EQUAL, (V1, F2): BETTER},
            None,
            "finbert",
            "nothing is better",
            id="equal to its champion, though better than the other family",
        ),
        pytest.param(
            {"vader": V1, "finbert": F2},
            {"vader": V1, "finbert": F1},
            "vader",
            {(F1, F2): BETTER, (V1, F2): BETTER},
            {"vader": V1, "finbert": F2},
            "finbert",
            "finbert becomes the default",
            id="a new champion takes the lead",
        ),
        pytest.param(
            {"vader": V2, "finbert": F1},
            {"vader": V1, "finbert": F1},
            "finbert",
            {(V1, V2): BETTER, (V2, F1): WORSE},
            {"vader": V2, "finbert": F1},
            "vader",
            "vader becomes the default",
            id="the cheap family takes the lead back",
        ),
        pytest.param(
            {"vader": V1, "finbert": F1},
            {"vader": V1, "finbert": F1},
            "finbert",
            {(V1, F1): WORSE},
            {"vader": V1, "finbert": F1},
            "vader",
            "vader becomes the default",
            id="a default that new data show to be worse gives way",
        ),
    ],
)
def test_the_table_of_decisions(
    newest: dict[str, str],
    champions: dict[str, str],
    default: str | None,
    said: dict[tuple[str, str], Verdict],
    expected: dict[str, str] | None,
    leads: str,
    reason: str,
) -> None:
    versions = sorted({*newest.values(), *champions.values()}, key=[V1, V2, F1, F2].index)
    proposal = proposed(newest, champions, default, verdicts(said, *versions))
    assert (proposal.champions, proposal.default_family) == (expected or champions, leads)
    assert proposal.changes == (expected is not None)
    assert proposal.rule == ("gate" if champions else "bootstrap")
    assert reason in proposal.reason


def test_a_default_that_a_person_chose_gives_way_to_a_new_champion_only() -> None:
    champions = {"vader": V1, "finbert": F1}
    better = verdicts({(V1, F1): BETTER, (V1, F2): BETTER, (F1, F2): BETTER}, V1, F1, F2)
    for newest, by_person, changes in [
        (champions, False, True),
        (champions, True, False),
        (champions | {"finbert": F2}, True, True),
    ]:
        proposal = proposed(newest, champions, "vader", better, by_person=by_person)
        assert (proposal.changes, proposal.default_family) == (changes, "finbert" if changes else "vader")


@pytest.mark.parametrize("seen_by", [(), (V2,), (V1,), (F1,)])
def test_what_is_better_in_sample_only_does_not_replace_a_champion(seen_by: tuple[str, ...]) -> None:
    """Either version that has seen the holdout spoils the comparison; a version beside the two does not."""
    champions = {"vader": V1, "finbert": F1}
    said: dict[tuple[str, str], Verdict] = {(V1, V2): BETTER}
    proposal = proposed({"vader": V2}, champions, "vader", verdicts(said, V1, V2, F1, seen_by=seen_by))
    if {V1, V2} & set(seen_by):
        assert (proposal.champions, proposal.changes) == (champions, False)
        assert f"{V2} looks better than {V1} but the comparison is in-sample" in proposal.reason
        assert f"the base model or the starter of {seen_by[0]} was trained on labels of this holdout" in proposal.reason
        assert "a named person may promote it" in proposal.reason
    else:
        assert (proposal.champions, proposal.changes) == ({"vader": V2, "finbert": F1}, True)
        assert "in-sample" not in proposal.reason


@pytest.mark.parametrize("champions", [{}, {"vader": V1, "finbert": F1}], ids=["bootstrap", "gate"])
def test_a_family_that_is_better_in_sample_only_does_not_become_the_default(champions: dict[str, str]) -> None:
    newest, default = {"vader": V1, "finbert": F1}, "vader" if champions else None
    for seen_by, leads in [((F1,), "vader"), ((), "finbert")]:
        proposal = proposed(newest, champions, default, verdicts({(V1, F1): BETTER}, V1, F1, seen_by=seen_by))
        assert (proposal.champions, proposal.default_family) == (newest, leads)
        assert ("in-sample" in proposal.reason) is bool(seen_by)


def test_without_a_version_there_is_nothing_to_propose() -> None:
    with pytest.raises(PermanentError, match="no version to propose"):
        proposed({}, {}, None, [])


def test_the_proposal_does_not_hang_on_the_order_in_which_families_are_named() -> None:
    newest, champions = {"finbert": F2, "vader": V2}, {"finbert": F1, "vader": V1}
    said: dict[tuple[str, str], Verdict] = {(V1, V2): BETTER, (F1, F2): BETTER}
    comparisons = verdicts(said, V1, V2, F1, F2)
    one, other = (
        proposed(dict(order(newest.items())), dict(order(champions.items())), "vader", comparisons) for order in (list, reversed)
    )
    assert one == other
    assert one.reason == f"{V2} is better than {V1}; {F2} is better than {F1}"


def promoted(champion_right: float, challenger_right: float, n: int, seed: int) -> bool:
    labels = truth(n, seed)
    probabilities = {V1: answers(labels, champion_right, seed), V2: answers(labels, challenger_right, seed + 100_000)}
    proposal = proposed({"vader": V2}, {"vader": V1}, "vader", compare_all("set", labels, probabilities))
    return proposal.changes


def test_at_most_one_in_twenty_challengers_that_are_no_better_is_promoted() -> None:
    assert sum(promoted(0.7, 0.7, 300, seed) for seed in range(200)) <= 10


def test_most_challengers_that_are_ten_points_better_are_promoted_and_hardly_any_that_are_worse() -> None:
    assert sum(promoted(0.65, 0.75, 500, seed) for seed in range(60)) >= 45
    assert sum(promoted(0.75, 0.65, 500, seed) for seed in range(30)) == 0
