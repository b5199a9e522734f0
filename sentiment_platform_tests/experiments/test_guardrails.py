"""Better in accuracy is not enough: each guardrail blocks by its name, and says so in words."""

from typing import Any

import numpy as np
import pytest

from sentiment_platform.experiments.comparing import compare, judged
from sentiment_platform.experiments.comparison import Comparison
from sentiment_platform.experiments.contenders import Contenders
from sentiment_platform.experiments.contestants import Contestant, contestant, holdout_of
from sentiment_platform.experiments.gate import propose
from sentiment_platform.experiments.guardrails import LATENCY_BUDGET_MS
from sentiment_platform.experiments.scoring import Weights, score
from sentiment_platform.models.evaluation.contrast_suite import ContrastScore
from sentiment_platform.models.evaluation.technical import TechnicalFigures
from sentiment_platform.statistics.estimate import Estimate
from sentiment_platform_tests.promotion.seeding import answers, truth

V1, V2, F1 = "v1.0.0-vader", "v1.1.0-vader", "v1.0.0-finbert"
LABELS = truth(600)
HOLDOUT = holdout_of("set", LABELS)
WORSE, BETTER = answers(LABELS, 0.6, 1), answers(LABELS, 0.8, 2)


def measured(p95_ms: float, mb: float = 100.0, processor: str = "one") -> TechnicalFigures:
    return TechnicalFigures(
        processor=processor, cores=2, n_texts=200, latency_p50_ms=p95_ms / 2, latency_p95_ms=p95_ms, texts_per_s=1.0, loaded_mb=mb
    )


def contrast(share: float, pairs: int = 120) -> ContrastScore:
    return ContrastScore(Estimate(share, share, share, pairs), {})


def side(version: str, said: np.ndarray, **known: Any) -> Contestant:
    return contestant(HOLDOUT, version, said, family=version.split("-")[1], **known)


def verdict(champion: Contestant, challenger: Contestant) -> Comparison:
    pair = compare(HOLDOUT, champion, challenger)
    return judged(pair, adjusted_p=pair.mcnemar.p_value, tests=1, level=0.05)


@pytest.mark.parametrize(
    ("champion", "challenger", "expected"),
    [
        ({"technical": measured(10)}, {"technical": measured(20)}, "blocked:latency"),
        ({"technical": measured(10)}, {"technical": measured(14)}, "better"),
        ({"technical": measured(0.05)}, {"technical": measured(0.15)}, "better"),
        ({"technical": measured(10)}, {"technical": measured(20, processor="two")}, "better"),
        ({"technical": measured(10)}, {}, "better"),
        ({}, {"technical": measured(900)}, "better"),
        ({"technical": measured(10)}, {"technical": measured(10, mb=300)}, "blocked:memory"),
        ({"technical": measured(10, mb=10)}, {"technical": measured(10, mb=40)}, "better"),
        ({"contrast": contrast(0.6)}, {"contrast": contrast(0.5)}, "blocked:contrast"),
        ({"contrast": contrast(0.6)}, {"contrast": contrast(0.51)}, "better"),
        ({"contrast": contrast(0.6)}, {"contrast": contrast(0.2, pairs=50)}, "better"),
    ],
    ids=["slower", "a little", "micro", "elsewhere", "unknown", "no reference", "larger", "small", "contrast", "less", "suite"],
)
def test_a_challenger_of_the_family_is_held_against_its_champion(
    champion: dict[str, Any], challenger: dict[str, Any], expected: str
) -> None:
    assert verdict(side(V1, WORSE, **champion), side(V2, BETTER, **challenger)).verdict == expected


@pytest.mark.parametrize(("p95", "expected"), [(LATENCY_BUDGET_MS - 1, "better"), (LATENCY_BUDGET_MS + 1, "blocked:latency")])
def test_another_family_is_held_against_the_budget_and_its_cost_is_told(p95: float, expected: str) -> None:
    champion, challenger = side(V1, WORSE, technical=measured(0.1)), side(F1, BETTER, technical=measured(p95))
    pair = verdict(champion, challenger)
    assert pair.verdict == expected
    running = {"vader": V1, "finbert": F1}
    contenders = Contenders(newest=running, champions=running, default_family="vader", by_person=False, revision=1)
    proposal = propose(contenders, [pair])
    assert proposal.changes is (expected == "better")
    assert f"a text takes {p95:.1f} ms (p95), the budget is 250 ms; with {V1} it takes 0.10 ms" in proposal.reason
    assert ("a named person may promote it" in proposal.reason) is (expected != "better")


def test_probabilities_that_got_worse_block_though_more_answers_are_right() -> None:
    overconfident = np.where(BETTER > 0.5, 0.9998, 0.0001)
    pair = verdict(side(V1, WORSE), side(V2, overconfident))
    assert pair.log_loss is not None
    assert (pair.verdict, pair.log_loss.low > 0) == ("blocked:log_loss", True)
    assert "It is blocked:log_loss. Log loss (blocks): its log loss is worse by" in pair.words()


def test_a_class_that_vanishes_blocks_and_one_that_the_champion_lacks_too_does_not() -> None:
    def without_negative(said: np.ndarray) -> np.ndarray:
        kept = said.copy()
        kept[kept.argmax(axis=1) == 0] = [0.3, 0.4, 0.3]
        return kept

    vanished = without_negative(answers(LABELS, 0.99, 3))
    blocked, both = (verdict(side(V1, said), side(V2, vanished)) for said in (answers(LABELS, 0.4, 1), without_negative(WORSE)))
    assert blocked.verdict == "blocked:class_shares"
    assert f"it calls 0 texts negative where {int((LABELS == 0).sum())} are" in blocked.words()
    assert both.verdict == "better"


def test_a_guardrail_only_ever_holds_back_what_would_be_promoted() -> None:
    slow = side(V2, WORSE, technical=measured(99))
    assert verdict(side(V1, BETTER, technical=measured(1)), slow).verdict == "worse"
    assert verdict(side(V1, WORSE, technical=measured(1)), slow).verdict == "equivalent"


def test_a_score_is_its_formula_and_an_unknown_latency_has_no_part() -> None:
    known, unknown = (
        score(side(V1, BETTER, technical=technical), LABELS, BETTER) for technical in (measured(LATENCY_BUDGET_MS), None)
    )
    calibrated = 1 - known.ece
    assert known.value == pytest.approx(0.7 * known.accuracy + 0.2 * calibrated + 0.1 * 0.5)
    assert unknown.value == pytest.approx((0.7 * known.accuracy + 0.2 * calibrated) / 0.9)
    other = score(side(V1, BETTER, technical=measured(LATENCY_BUDGET_MS)), LABELS, BETTER, weights=Weights(1.0, 0.0, 0.0))
    assert (other.value, other.weights) == (pytest.approx(known.accuracy), Weights(1.0, 0.0, 0.0))
    with pytest.raises(ValueError, match="add up to 1"):
        Weights(0.5, 0.1, 0.1)


def test_scores_leave_the_latency_out_where_one_of_the_two_is_not_known() -> None:
    pair = verdict(side(V1, WORSE), side(V2, BETTER, technical=measured(10)))
    assert pair.scores is not None
    assert [one.latency_p95_ms for one in pair.scores] == [None, None]
    assert "(0.7 accuracy + 0.2 calibration; latency left out)" in pair.words()
