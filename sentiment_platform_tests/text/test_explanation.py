from dataclasses import replace
from math import sqrt

import pytest

from sentiment_platform.text.explanation import Part, explain
from sentiment_platform.text.lexicon import Lexicon, stock_lexicon
from sentiment_platform.text.rules import STOCK_RULES
from sentiment_platform.text.vader import VaderEngine
from sentiment_platform_tests.text.adversarial import adversarial_texts

ENGINE = VaderEngine(stock_lexicon())


def rules_of(text: str, token: str) -> list[str]:
    return [part.rule for part in explain(ENGINE, text).parts if part.token == token]


def test_the_parts_sum_to_the_number_that_compound_normalises() -> None:
    for text in adversarial_texts(seed=5, count=3_000):
        explanation = explain(ENGINE, text)
        total = sum(part.valence for part in explanation.parts)

        assert total == pytest.approx(explanation.raw_sum, abs=1e-9), text
        assert total / sqrt(total * total + STOCK_RULES.compound_alpha) == pytest.approx(ENGINE.score(text).compound, abs=1e-9)
        assert explanation.score == ENGINE.score(text)
        assert sum(token.valence for token in explanation.tokens) + explanation.punctuation == pytest.approx(total)


def test_a_part_left_out_breaks_the_sum() -> None:
    explanation = explain(ENGINE, "NOT a very good quarter, but guidance is great!!")

    assert len(explanation.parts) >= 6
    for left_out in range(len(explanation.parts)):
        total = sum(part.valence for index, part in enumerate(explanation.parts) if index != left_out)
        assert total != pytest.approx(explanation.raw_sum, abs=1e-9)


@pytest.mark.parametrize(
    ("text", "token", "rules"),
    [
        ("profit was good", "good", ["lexicon"]),
        ("profit was not good", "good", ["lexicon", "negation"]),
        ("profit was very good", "good", ["lexicon", "booster"]),
        ("profit was GOOD", "GOOD", ["lexicon", "capitals"]),
        ("profit was never so good", "good", ["lexicon", "booster", "emphatic_never", "emphatic_never"]),
        ("good quarter but outlook unclear", "good", ["lexicon", "but_clause"]),
        ("they called it the bomb", "bomb", ["lexicon", "phrase"]),
        ("no good news", "no", ["lexicon", "negation"]),
        ("profit was good!", "!?", ["punctuation"]),
        ("least good", "good", ["lexicon", "negation"]),
    ],
)
def test_each_rule_is_named_where_it_applied(text: str, token: str, rules: list[str]) -> None:
    assert rules_of(text, token) == rules


def test_every_word_is_a_token_in_order_and_emoji_are_described() -> None:
    explanation = explain(ENGINE, "Great results 😀")

    assert [token.token for token in explanation.tokens] == ["Great", "results", "grinning", "face"]
    assert explanation.tokens[1].valence == 0
    assert explanation.parts[0] == Part("Great", 0, "lexicon", 3.1)


def test_punctuation_leans_to_the_side_of_the_sum_and_vanishes_where_the_sum_is_zero() -> None:
    assert explain(ENGINE, "good!").punctuation > 0
    assert explain(ENGINE, "bad!").punctuation < 0
    assert explain(ENGINE, "results!").punctuation == 0


def test_an_explanation_uses_the_constants_and_the_lexicon_of_its_engine() -> None:
    lexicon = Lexicon({**stock_lexicon().valences, "narrowed": 1.0})
    engine = VaderEngine(lexicon, replace(STOCK_RULES, negation_factor=-1.0, compound_alpha=3.0))
    explanation = explain(engine, "loss not narrowed")

    assert [part.valence for part in explanation.parts if part.token == "narrowed"] == [1.0, -2.0]
    assert explanation.score.compound == pytest.approx(explanation.raw_sum / sqrt(explanation.raw_sum**2 + 3.0))
