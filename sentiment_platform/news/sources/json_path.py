"""Where something stands in a JSON reply: `publisher.name`, `ticker_sentiment[].ticker`. A path finds or it does not."""

from typing import Any


def find(document: Any, path: str) -> Any:
    """The value at `path`: names joined by dots, `name[]` goes through a list and gives a list; the empty path is the document.

    None where the way ends early. A key with a dot in its name cannot be named.
    """
    value = document
    names = path.split(".") if path else []
    for number, name in enumerate(names):
        key = name.removesuffix("[]")
        value = value.get(key) if isinstance(value, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  JSON
        if name.endswith("[]"):
            rest = ".".join(names[number + 1 :])
            return [find(part, rest) for part in value] if isinstance(value, list) else None  # pyright: ignore[reportUnknownVariableType]  JSON
    return value  # pyright: ignore[reportUnknownVariableType]  JSON
