"""What goes in and out of a route: the parsed request, the reply, and the JSON bodies that GitHub accepts.

Unknown fields of a body are ignored, as on GitHub; a field of the wrong type is a 422.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from sentiment_platform.github_server.records import MakeLatest, Refused

Access = Literal["anonymous", "read", "write"]
Body = TypeVar("Body", bound=msgspec.Struct)


class CreateRelease(msgspec.Struct, frozen=True, kw_only=True):
    tag_name: str = ""
    target_commitish: str | None = None
    name: str | None = None
    body: str | None = None
    draft: bool = False
    prerelease: bool = False
    make_latest: MakeLatest | None = None


class EditRelease(msgspec.Struct, frozen=True, kw_only=True):
    tag_name: str | msgspec.UnsetType = msgspec.UNSET
    target_commitish: str | msgspec.UnsetType = msgspec.UNSET
    name: str | msgspec.UnsetType | None = msgspec.UNSET
    body: str | msgspec.UnsetType | None = msgspec.UNSET
    draft: bool | msgspec.UnsetType = msgspec.UNSET
    prerelease: bool | msgspec.UnsetType = msgspec.UNSET
    make_latest: MakeLatest | msgspec.UnsetType = msgspec.UNSET


class EditAsset(msgspec.Struct, frozen=True):
    name: str | None = None
    label: str | None = None


class CreateRef(msgspec.Struct, frozen=True):
    ref: str
    sha: str


class EditRef(msgspec.Struct, frozen=True):
    sha: str


class CreateTagObject(msgspec.Struct, frozen=True):
    tag: str
    message: str
    object: str


@dataclass(frozen=True, kw_only=True)
class Request:
    """One parsed request; `chunks` yields the body once, and whatever it does not yield is read away afterwards."""

    method: str
    path: str
    query: dict[str, str]
    accept: str
    content_type: str
    content_length: int
    access: Access
    chunks: Callable[[], Iterator[bytes]]

    def body(self, kind: type[Body]) -> Body:
        """Decode the JSON body; raises `Refused` 400 for no JSON and 422 for a wrong field."""
        text = b"".join(self.chunks())
        try:
            return msgspec.json.decode(text or b"{}", type=kind)
        except msgspec.ValidationError as error:
            raise Refused(422, f"Invalid request.\n\n{error}") from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Refused(400, "Problems parsing JSON") from error

    def number(self, name: str, default: int, ceiling: int) -> int:
        text = self.query.get(name, "")
        return min(max(int(text), 1), ceiling) if re.fullmatch(r"\d{1,9}", text) else default


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One answer: JSON or raw bytes in `content`, or a whole file."""

    status: int
    content: bytes = b""
    file: Path | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])
    content_type: str = "application/json; charset=utf-8"
    on_sent: Callable[[], None] | None = None

    @property
    def length(self) -> int:
        return self.file.stat().st_size if self.file else len(self.content)


def split_target(target: str) -> tuple[str, dict[str, str]]:
    """Path and query of a request line, both unquoted; of a repeated parameter the last one counts."""
    parts = urlsplit(target)
    query = parse_qs(parts.query, keep_blank_values=True)
    return unquote(parts.path), {name: values[-1] for name, values in query.items()}


def json_reply(document: object, status: int = 200, headers: dict[str, str] | None = None) -> Reply:
    return Reply(status=status, content=msgspec.json.encode(document), headers=headers or {})
