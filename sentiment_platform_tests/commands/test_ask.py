import json

import pytest
from sqlalchemy import Engine

from sentiment_platform.commands.ask import coloured
from sentiment_platform.models.explanation import READ_BOTH_WAYS
from sentiment_platform.models.family import Contribution
from sentiment_platform.settings import Settings
from sentiment_platform_tests.commands.conftest import Invoke
from sentiment_platform_tests.serving.publishing import Publisher


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


@pytest.mark.slow
def test_predict_says_what_is_not_english_and_how_much_was_read(settings: Settings, engine: Engine, invoke: Invoke) -> None:
    publisher = Publisher(settings, engine)
    publisher.deploy(publisher.model())
    publisher.close()
    plain, foreign, long = (
        "Kiln maker wins a contract",
        "Ofenbauer verliert Auftrag und streicht Stellen",
        " ".join(f"Kiln maker number {n} wins a contract." for n in range(200)),
    )

    def said(text: str) -> tuple[bool, bool, int, bool]:
        (answer,) = json.loads(invoke("predict", text, "--json").stdout)
        assert answer["characters_read"] <= len(text)
        return answer["supported"], answer["passages"] > 1, answer["characters_read"], answer["truncated"]

    assert said(plain) == (True, False, len(plain), False)
    assert said(foreign) == (False, False, len(foreign), False)
    assert said("<p>Kiln maker <i>wins</i> a contract</p>") == said(plain), "read as the API reads it: without markup"
    supported, in_passages, read, truncated = said(long)
    assert (supported, in_passages, truncated) == (True, True, read < len(long))
    assert "not English" not in (shown := invoke("predict", plain)).stdout + shown.stderr
    assert "not English that a model can read: no figure below is calibrated" in invoke("predict", foreign).stderr
    assert " passages: " in invoke("predict", long).stdout
