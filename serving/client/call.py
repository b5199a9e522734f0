"""One request and what comes back of it; what there is to ask is `calls`, and `clients` sends it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from msgspec import Struct

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[T]):
    """One request and how its answer is read: JSON of `kind`, or the text itself where that is `str`.

    `also`: a status beside 2xx whose body is an answer too.
    """

    method: str
    path: str
    kind: type[T]
    body: Struct | None = None
    query: Mapping[str, str | int] = field(default_factory=dict[str, str | int])
    also: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


def get(path: str, kind: type[T], **query: str | int | None) -> Call[T]:
    """A question; what is None is not asked for."""
    asked = {name: value for name, value in query.items() if value is not None}
    return Call(method="GET", path=path, kind=kind, query=asked)


def post(path: str, kind: type[T], body: Struct, **headers: str | int | None) -> Call[T]:
    """Something said or asked for, in a body. Headers are written with underscores; what is None is not sent."""
    sent = {name.replace("_", "-"): str(value) for name, value in headers.items() if value is not None}
    return Call(method="POST", path=path, kind=kind, body=body, headers=sent)


def put(path: str, kind: type[T], body: Struct) -> Call[T]:
    """A state that shall hold, in a body."""
    return Call(method="PUT", path=path, kind=kind, body=body)
