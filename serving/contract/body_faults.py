"""Everything that is wrong with a body that was refused, field by field: msgspec stops at the first fault, so that one names no other.

Runs only after a refusal; a body that is right never comes here. The rules are the structs' own, and what a route checks beyond them.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from typing import Annotated, Any, get_args, get_origin

import msgspec
from msgspec import Struct

from serving.contract.plain_words import plain_words
from serving.contract.problem_bodies import FieldError

BODY = "body"
"""The field of what is wrong with the body as a whole."""
MAX_FAULTS = 100
_HALF = re.compile(rb"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.", re.DOTALL)
"""Escapes in JSON, one after the other; group 1: half a pair that has no other half."""
Check = Callable[[type[Struct], Mapping[str, Any], Set[str]], Iterable[tuple[str, str]]]
"""(struct, the object as sent, its faulty fields) -> (field, what is wrong) for what a struct alone cannot say."""


def body_faults(body: bytes, wanted: type[Struct], check: Check) -> list[FieldError]:
    """What keeps `body` from being a `wanted`, at most `MAX_FAULTS`; empty where nothing does."""
    if not body.strip():
        return [FieldError(BODY, None, "The request has no body; send a JSON object.")]
    try:
        document = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        why = f"This is not one JSON document: {error}."
        if half := next(filter(None, (found[1] for found in _HALF.finditer(body))), None):
            why = f"A string holds half of a surrogate pair ({half.decode()}), which is no character; send whole characters."
        return [FieldError(BODY, None, why)]
    return list(_faults(document, wanted, check, "", None))[:MAX_FAULTS]


def _faults(value: Any, wanted: type[Struct], check: Check, path: str, item: int | None) -> Iterator[FieldError]:
    if not isinstance(value, dict):
        yield FieldError(path or BODY, item, f"Expected an object, got {_kind(value)}.")
        return
    faulty: set[str] = set()
    prefix = f"{path}." if path else ""
    fields = {field.encode_name: field for field in msgspec.structs.fields(wanted)}
    for name in value.keys() - fields.keys():
        yield FieldError(f"{prefix}{name}"[:200], item, f"There is no such field; there are {', '.join(fields)}.")
    for name, field in fields.items():
        if name not in value:
            if field.required:
                yield FieldError(prefix + name, item, "This field is required.")
            continue
        faults = list(_field_faults(value[name], field.type, check, prefix + name, item))
        yield from faults
        if faults:
            faulty.add(name)
    for name, message in check(wanted, value, faulty):
        yield FieldError(prefix + name, item, message)


def _field_faults(value: Any, kind: Any, check: Check, path: str, item: int | None) -> Iterator[FieldError]:
    plain, rules = (get_args(kind)[0], get_args(kind)[1:]) if get_origin(kind) is Annotated else (kind, ())
    of_list = get_args(plain)[0] if get_origin(plain) is list else None
    if isinstance(of_list, type) and issubclass(of_list, Struct):
        whole: Any = list[Any]
        for rule in rules:
            whole = Annotated[whole, rule]
        message = _refused(value, whole)
        if message:
            yield FieldError(path, item, message)
        for number, part in enumerate(value if isinstance(value, list) else ()):
            yield from _faults(part, of_list, check, f"{path}[{number}]", number)
    elif message := _refused(value, kind):
        yield FieldError(path, item, message)


def _refused(value: Any, kind: Any) -> str:
    try:
        msgspec.convert(value, kind, str_keys=True)
    except msgspec.ValidationError as error:
        return plain_words(str(error), kind, _description(kind))
    return ""


def _description(kind: Any) -> str:
    """What a field is, where its type says so."""
    if get_origin(kind) is not Annotated:
        # Of a type beside null.
        return next(filter(None, map(_description, get_args(kind))), "")
    return next((rule.description for rule in get_args(kind)[1:] if isinstance(rule, msgspec.Meta) and rule.description), "")


def _kind(value: Any) -> str:
    return {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}.get(type(value), "a number")
