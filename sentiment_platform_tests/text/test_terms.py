from dataclasses import replace
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from sentiment_platform.text.explanation import explain
from sentiment_platform.text.lexicon import LexiconError, stock_lexicon
from sentiment_platform.text.rules import STOCK_RULES
from sentiment_platform.text.terms import TermFinder, TermWeight
from sentiment_platform.text.vader import VaderEngine, terms_of
from sentiment_platform_tests.text.adversarial import adversarial_texts
from sentiment_platform_tests.text.instructions import executed_instructions

STOCK = VaderEngine(stock_lexicon())
WEIGHTS = {
    "loss": TermWeight(-0.5),
    "narrowed": TermWeight(0.25, 0.5),
    "loss narrowed": TermWeight(2.0),
    "to die for": TermWeight(-1.0, 0.25),
    "company": TermWeight(0.0, -0.75),
    "very": TermWeight(0.5, 0.125),
    "good good": TermWeight(0.75),
}


def engine(weights: dict[str, TermWeight], **constants: Any) -> VaderEngine:
    return VaderEngine(stock_lexicon(), replace(STOCK_RULES, **constants), weights)


def slow_sums(text: str, weights: dict[str, TermWeight]) -> tuple[float, float]:
    """By the definition: every term at every place, on top of what the stock engine finds."""
    stock = STOCK.sums(STOCK.weigh(text))
    words = terms_of(STOCK.weigh(text).words)
    negations = {*STOCK_RULES.words.negations, "no"}
    polarity, emphasis = stock
    for term, weight in weights.items():
        parts = term.split()
        for at in range(len(words)):
            if words[at : at + len(parts)] == parts:
                count = sum(word in negations or "n't" in word for word in words[max(at - 3, 0) : at])
                clause = 1.0 if "but" not in words else 0.5 if at < words.index("but") else 1.5
                polarity += weight.valence * STOCK_RULES.negation_factor**count * clause
                emphasis += weight.emphasis
    return polarity, emphasis


def test_the_sums_are_the_stock_sums_and_every_occurrence_of_every_term() -> None:
    learned = engine(WEIGHTS)
    texts = [*adversarial_texts(seed=11, count=2_000), "net loss narrowed", "the loss narrowed, but not the company's loss"]

    moved = 0
    for text in texts:
        expected = slow_sums(text, WEIGHTS)
        assert learned.sums(learned.weigh(text)) == pytest.approx(expected, abs=1e-9), text
        moved += expected != tuple(STOCK.sums(STOCK.weigh(text)))
    assert moved > 500


def test_emphasis_strengthens_or_weakens_and_never_turns_the_score() -> None:
    def score(emphasis: float, text: str) -> float:
        return engine({"today": TermWeight(0.0, emphasis)}).score(text).compound

    for text in ("good results today", "bad results today"):
        sign = 1 if STOCK.score(text).compound > 0 else -1
        assert sign * score(1.0, text) > sign * STOCK.score(text).compound > sign * score(-1.0, text) > 0
        assert score(-9.0, text) == 0
    assert score(9.0, "results today") == 0


@pytest.mark.slow
def test_the_parts_of_an_explanation_sum_to_the_score_with_learned_terms_too() -> None:
    random = Random(3)
    terms = [*WEIGHTS, "not", "good", "a", "the", "bad", "profit", "bus stop", "no", "but"]
    limited = 0
    for text in adversarial_texts(seed=12, count=2_000):
        weights = {term: TermWeight(random.uniform(-2, 2), random.uniform(-3, 1)) for term in random.sample(terms, 8)}
        explained = explain(engine(weights), text)
        assert sum(part.valence for part in explained.parts) == pytest.approx(explained.raw_sum, abs=1e-9), text
        assert explained.raw_sum == explained.sums.score
        limited += explained.raw_sum == 0 != explained.sums.polarity
    assert limited > 100


def test_an_explanation_names_the_phrase_and_the_rule() -> None:
    parts = explain(engine(WEIGHTS), "The company did not say that the loss narrowed").parts

    assert ("loss narrowed", "learned", 2.0) in [(part.token, part.rule, part.valence) for part in parts]
    assert [part.rule for part in parts if part.token == "company"] == ["emphasis"]
    negated = explain(engine(WEIGHTS), "it was not loss narrowed").parts
    assert [part.rule for part in negated if part.token == "loss narrowed"] == ["learned", "negation"]


@pytest.mark.parametrize("term", ["", " ", "Loss", "loss  narrowed", "loss narrowed ", "one two three four", "a\tb"])
def test_a_term_that_no_text_can_contain_is_refused(term: str) -> None:
    with pytest.raises(LexiconError, match="No text can contain"):
        TermFinder([term], STOCK_RULES.words)


def test_a_weight_that_is_not_finite_is_refused() -> None:
    with pytest.raises(LexiconError, match="finite"):
        engine({"loss": TermWeight(0.0, float("nan"))})


def test_work_with_learned_terms_grows_linearly_with_the_text() -> None:
    learned = engine(WEIGHTS)
    counts = [executed_instructions(learned.score, "not a loss narrowed but very good good " * n) for n in (10, 20, 40, 80, 160)]

    assert all(longer < 2.2 * shorter for shorter, longer in pairwise(counts))
