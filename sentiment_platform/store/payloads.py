"""A refused row as it came, in a form that a JSON column can hold, and the id under which it waits in quarantine."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any


def storable(payload: Mapping[str, Any]) -> dict[str, Any]:
    """What PostgreSQL's JSON cannot hold is replaced: NUL and lone surrogates by U+FFFD and `?`, NaN and infinities by their names."""
    text = json.dumps(dict(payload), default=str, ensure_ascii=False).encode("utf-8", "replace").decode()
    return json.loads(text.replace("\\u0000", "\\ufffd"), parse_constant=str)


def storable_text(text: str) -> str:
    """What a text column cannot hold, NUL and lone surrogates, replaced by U+FFFD and `?`."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def payload_id(boundary: str, source: str, payload: Mapping[str, Any]) -> str:
    """32 hexadecimal digits that name a row of a source at a boundary, whatever rule it breaks; `payload` as `storable` gives it."""
    identity = json.dumps([boundary, source, payload], sort_keys=True)
    return sha256(identity.encode()).hexdigest()[:32]
