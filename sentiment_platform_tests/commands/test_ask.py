import pytest

from sentiment_platform.commands.ask import coloured
from sentiment_platform.models.family import Contribution
from sentiment_platform.models.transformer.runtime import LEAVE_ONE_OUT


@pytest.mark.parametrize(
    ("rule", "shown"), [("lexicon", "profit "), (LEAVE_ONE_OUT, "profit "), ("negation", "profit[negation] ")]
)
def test_a_token_names_its_rule_where_that_is_not_the_usual_one(rule: str, shown: str) -> None:
    assert coloured([Contribution("profit", 0.4, rule)]).plain == shown


def test_a_push_has_the_colour_of_its_side_and_a_weak_one_none() -> None:
    text = coloured(
        [Contribution("up", 1.0, "lexicon"), Contribution("down", -0.5, "lexicon"), Contribution("so", 0.05, "lexicon")]
    )
    assert [str(span.style) for span in text.spans] == ["bold green", "red", "dim"]
