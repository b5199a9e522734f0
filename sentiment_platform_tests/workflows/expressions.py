"""The part of GitHub's expression language that the workflows use: contexts, literals, `==`, `!=`, `!`, `&&`, `||`, parentheses.

Source: https://docs.github.com/en/actions/reference/workflows-and-actions/expressions. Of functions
only `cancelled()` is known: nobody cancels here.
"""

import re
from collections.abc import Mapping
from typing import Any

TOKEN = re.compile(r"\s*('(?:[^']|'')*'|\|\||&&|==|!=|!|\(|\)|[A-Za-z_][\w.-]*|\d+)")


class ExpressionError(ValueError):
    """The expression is not of the supported language."""


def evaluate(expression: str, contexts: Mapping[str, Any]) -> Any:
    """The value of `expression`, without its `${{ }}`; a name that no context has is the empty string.

    Raises:
        ExpressionError: with the expression.
    """
    tokens: list[str] = []
    position = 0
    text = expression.strip().removeprefix("${{").removesuffix("}}").strip()
    while position < len(text):
        match = TOKEN.match(text, position)
        if not match:
            raise ExpressionError(f"cannot read {text[position:]!r} of {expression!r}")
        tokens.append(match[1])
        position = match.end()
    value = _either(tokens, contexts)
    if tokens:
        raise ExpressionError(f"{' '.join(tokens)!r} is left over in {expression!r}")
    return value


def substitute(text: str, contexts: Mapping[str, Any]) -> str:
    """`text` with every `${{ expression }}` replaced by its value."""
    return re.sub(r"\$\{\{(.*?)\}\}", lambda match: _as_text(evaluate(match[1], contexts)), text)


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _either(tokens: list[str], contexts: Mapping[str, Any]) -> Any:
    value = _both(tokens, contexts)
    while tokens and tokens[0] == "||":
        tokens.pop(0)
        other = _both(tokens, contexts)
        value = value or other
    return value


def _both(tokens: list[str], contexts: Mapping[str, Any]) -> Any:
    value = _equal(tokens, contexts)
    while tokens and tokens[0] == "&&":
        tokens.pop(0)
        other = _equal(tokens, contexts)
        value = other if value else value
    return value


def _equal(tokens: list[str], contexts: Mapping[str, Any]) -> Any:
    value = _single(tokens, contexts)
    while tokens and tokens[0] in ("==", "!="):
        same = tokens.pop(0) == "=="
        value = (_as_text(value).lower() == _as_text(_single(tokens, contexts)).lower()) is same
    return value


def _single(tokens: list[str], contexts: Mapping[str, Any]) -> Any:
    if not tokens:
        raise ExpressionError("the expression ends too early")
    token = tokens.pop(0)
    if token == "!":
        return not _single(tokens, contexts)
    if token == "(":
        value = _either(tokens, contexts)
        if not tokens or tokens.pop(0) != ")":
            raise ExpressionError("a parenthesis is not closed")
        return value
    if token.startswith("'"):
        return token[1:-1].replace("''", "'")
    if token in ("true", "false"):
        return token == "true"
    if not re.match(r"\w", token):
        raise ExpressionError(f"{token!r} stands where a value should")
    if token == "cancelled" and tokens[:2] == ["(", ")"]:
        del tokens[:2]
        return False
    if tokens[:1] == ["("]:
        raise ExpressionError(f"function {token} is not supported")
    value: Any = contexts
    for part in token.split("."):
        value = value.get(part, "") if isinstance(value, Mapping) else ""
    return value
