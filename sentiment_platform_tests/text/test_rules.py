from dataclasses import replace

import pytest
from vaderSentiment.vaderSentiment import BOOSTER_DICT, NEGATE, SPECIAL_CASES

from sentiment_platform.text.rules import STOCK_RULES, RulesError


def test_the_vocabularies_are_the_published_ones_without_repetition() -> None:
    words = STOCK_RULES.words
    boosters = dict.fromkeys(words.intensifiers, STOCK_RULES.intensifier_increment)
    boosters |= dict.fromkeys((*words.dampeners, *words.dampening_phrases), STOCK_RULES.dampener_increment)

    assert boosters == BOOSTER_DICT
    assert sorted(words.negations) == sorted(NEGATE)
    # The package looks only for phrases of two and three words, so its entry for the single word never applies.
    assert dict(words.phrase_valences) == {phrase: value for phrase, value in SPECIAL_CASES.items() if " " in phrase}


@pytest.mark.parametrize(("name", "value"), [("negation_factor", float("nan")), ("compound_alpha", 0.0)])
def test_a_constant_with_which_no_score_can_be_computed_is_refused(name: str, value: float) -> None:
    with pytest.raises(RulesError, match=name):
        replace(STOCK_RULES, **{name: value})
