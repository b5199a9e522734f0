import pytest

from sentiment_platform.commands.ask import coloured
from sentiment_platform.models.explanation import READ_BOTH_WAYS
from sentiment_platform.models.family import Contribution


@pytest.mark.parametrize(
    ("rule", "shown"), [("lexicon", "profit "), (READ_BOTH_WAYS, "profit "), ("negation", "profit[negation] ")]
)
def test_a_token_names_its_rule_where_that_is_not_the_usual_one(rule: str, shown: str) -> None:
    assert coloured([Contribution("profit", 0, 0.4, rule)]).plain == shown


def test_a_token_that_several_rules_moved_stands_there_once() -> None:
    moved = [Contribution("profit", 1, 0.4, "lexicon"), Contribution("profit", 1, -0.9, "negation")]
    text = coloured([Contribution("no", 0, 0.0, ""), *moved, Contribution("profit", 2, 0.4, "lexicon")])
    assert text.plain == "no profit[negation] profit "
    assert [str(span.style) for span in text.spans] == ["dim", "bold red", "bold green"]


def test_a_push_has_the_colour_of_its_side_and_a_weak_one_none() -> None:
    text = coloured(
        [
            Contribution("up", 0, 1.0, "lexicon"),
            Contribution("down", 1, -0.5, "lexicon"),
            Contribution("so", 2, 0.05, "lexicon"),
        ]
    )
    assert [str(span.style) for span in text.spans] == ["bold green", "red", "dim"]
