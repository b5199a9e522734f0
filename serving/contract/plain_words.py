"""What msgspec says of a value, in plain words: `Expected a string of at least 1 character.`, and never a pattern."""

import re
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

_KINDS = {
    "str": "a string",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "null": "null",
    "array": "an array",
    "object": "an object",
}
_BOUNDS = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}
_KIND = re.compile(r"`([a-z |]+)`")
_LENGTH = re.compile(r"(a string|an array)(.*?) of length (>=|<=) (\d+)")
_BOUND = re.compile(r" (>=|<=|>|<) (-?[\d.]+)")
_PLACE = re.compile(r" - at `\$.*`\Z")


def plain_words(said: str, kind: Any, meant: str = "") -> str:
    """One sentence from msgspec's; `kind`: the type that was expected, `meant`: what its description says."""
    said = _PLACE.sub("", said).rstrip(".")
    if " matching regex " in said:
        return f"This is not what is expected here: {meant or 'see the OpenAPI document at /schema.'}"
    if said.startswith("Invalid enum value"):
        choices = ", ".join(_choices(kind))
        return f"{said}; there are {choices}." if choices else f"{said}."
    worded = _KIND.sub(lambda found: " or ".join(_KINDS.get(name, name) for name in found[1].split(" | ")), said)
    return f"{_BOUND.sub(_bound, _LENGTH.sub(_length, worded))}."


def _length(found: re.Match[str]) -> str:
    unit = "character" if found[1] == "a string" else "item"
    return f"{found[1]}{found[2]} of {_BOUNDS[found[3]]} {found[4]} {unit}{'' if found[4] == '1' else 's'}"


def _bound(found: re.Match[str]) -> str:
    return f" of {_BOUNDS[found[1]]} {found[2].removesuffix('.0')}"


def _choices(kind: Any) -> Iterator[str]:
    """The values that a type names, in its order."""
    if get_origin(kind) is Literal:
        yield from map(str, get_args(kind))
    else:
        for part in get_args(kind):
            yield from _choices(part)
