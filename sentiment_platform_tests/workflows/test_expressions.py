"""The expressions of workflows mean what GitHub says they mean."""

import pytest

from sentiment_platform_tests.workflows.expressions import ExpressionError, evaluate, substitute

CONTEXTS = {"vars": {"MODE": "off", "EMPTY": ""}, "github": {"event": {"schedule": "7 * * * *"}}, "inputs": {}}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("vars.MODE", "off"),
        ("vars.UNKNOWN", ""),
        ("inputs.job == 'train_job'", False),
        ("github.event.schedule == '7 * * * *'", True),
        ("vars.MODE == 'OFF'", True),
        ("vars.MODE != 'off' || inputs.job == ''", True),
        ("vars.EMPTY || 'it''s the default'", "it's the default"),
        ("(vars.MODE == 'off' && false) || vars.MODE", "off"),
        ("!vars.EMPTY && vars.MODE == 'off'", True),
        ("true || false && false", True),
    ],
)
def test_an_expression_has_its_value(expression: str, value: object) -> None:
    assert evaluate(expression, CONTEXTS) == value


@pytest.mark.parametrize("expression", ["vars.MODE ==", "(vars.MODE", "vars.MODE vars.MODE", "success()", "a + b", "== 'x'"])
def test_what_is_not_of_the_language_is_refused(expression: str) -> None:
    with pytest.raises(ExpressionError):
        evaluate(expression, CONTEXTS)


def test_every_expression_of_a_text_is_replaced() -> None:
    assert substitute("a=${{ vars.MODE }} b=${{ vars.NONE || 'x' }} c=${{ vars.MODE == 'on' }}", CONTEXTS) == "a=off b=x c=false"
