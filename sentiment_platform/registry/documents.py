"""Canonical JSON: the one way a document of the registry is written, hashed, signed and read back.

Belongs here: bytes <-> struct for every document. What a document says: `manifest.py`, `deployment.py`.
A document that was not written canonically is refused, so that equal content always has an equal digest. Fields that a newer writer
added are not understood, and kept: the document has the bytes and the digest that were signed, wherever it is written again.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeVar, cast

import msgspec

from sentiment_platform.registry.refusal import Refused

MAX_DOCUMENT_BYTES = 1024 * 1024

Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}(?![\s\S])")]
Line = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
Prose = Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]

Document = TypeVar("Document", bound=msgspec.Struct)

_CONTENT = "content"
"""Where a document that was read keeps what it was read from. A changed copy (`structs.replace`) has none."""


def canonical_json(document: msgspec.Struct) -> bytes:
    """UTF-8 JSON with sorted keys, no spaces, no NaN; valid against the document's own type.

    Raises:
        Refused: (format) the document breaks a rule of its type, or is too large.
    """
    kind = type(document)
    try:
        checked = msgspec.to_builtins(msgspec.convert(msgspec.to_builtins(document), kind))
        content = getattr(document, "__dict__", {}).get(_CONTENT)
        data = _dump(checked if content is None else _as_read(content, checked))
    except (TypeError, ValueError, RecursionError) as error:
        raise Refused(
            f"This {kind.__name__} cannot be written: {error}.",
            reason="format",
            remedy="Correct the value that is named.",
        ) from error
    if len(data) > MAX_DOCUMENT_BYTES:
        raise Refused(
            f"This {kind.__name__} has {len(data)} bytes; {MAX_DOCUMENT_BYTES} are allowed.",
            reason="size",
            remedy="Keep bulky figures out of the document.",
        )
    return data


def decode(data: bytes, kind: type[Document]) -> Document:
    """Read a document; missing fields, other types, and any other spelling of the same content are refused.

    Fields that this version does not know are no reason to refuse it. A writer whose document must not be read without them counts
    `schema_version` up.

    Raises:
        Refused: (size, format) with what is wrong.
    """
    remedy = "Publish it again with this version of the platform, or update this process if the writer is newer."
    if len(data) > MAX_DOCUMENT_BYTES:
        raise Refused(f"A {kind.__name__} of {len(data)} bytes is too large.", reason="size", remedy=remedy)
    try:
        document = msgspec.json.decode(data, type=kind)
        vars(document)[_CONTENT] = json.loads(data)
    except (TypeError, ValueError, RecursionError) as error:
        raise Refused(f"This is not a {kind.__name__}: {error}.", reason="format", remedy=remedy) from error
    if canonical_json(document) != data:
        raise Refused(f"This {kind.__name__} is not in canonical form.", reason="format", remedy=remedy)
    return document


def as_stored(document: msgspec.Struct) -> Any:
    """`document` as plain JSON values for a database, with whatever fields of it are not known here; `read_stored` is the way back."""
    return json.loads(canonical_json(document))


def read_stored(content: object, kind: type[Document], name: str) -> Document:
    """The document that was stored under `name` as plain JSON values, which need not be in canonical order.

    Raises:
        Refused: (format) it breaks a rule of its type.
    """
    try:
        document = msgspec.convert(content, kind)
        vars(document)[_CONTENT] = content
    except (TypeError, ValueError) as error:
        raise Refused(
            f"What is stored of {name} is not a {kind.__name__}: {error}.",
            reason="format",
            remedy="Update this process if the writer is newer; otherwise delete the row, the registry has the document.",
        ) from error
    return document


def digest(data: bytes | msgspec.Struct) -> str:
    """sha256 as 64 hex digits, of bytes or of a document's canonical bytes."""
    return hashlib.sha256(data if isinstance(data, bytes) else canonical_json(data)).hexdigest()


def _as_read(content: Any, known: Any) -> Any:
    """`content` in the spelling of `known`, which is the same without the fields that its type does not know."""
    if isinstance(content, Mapping) and isinstance(known, Mapping):
        values, understood = cast(Mapping[str, Any], content), cast(Mapping[str, Any], known)
        return {key: _as_read(value, understood[key]) if key in understood else value for key, value in values.items()}
    if isinstance(content, Sequence) and isinstance(known, Sequence) and not isinstance(content, str):
        return [_as_read(value, understood) for value, understood in zip(content, cast(Sequence[Any], known), strict=True)]
    return known


def _dump(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
