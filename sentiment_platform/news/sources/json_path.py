"""Where something stands in a JSON reply: `publisher.name`, `ticker_sentiment[].ticker`. A path finds or it does not."""

from typing import Any


def find(document: Any, path: str) -> Any:
    """The value at `path`: names joined by dots, `name[]` goes through a list and gives a list; the empty path is the document.

    None where the way ends early. A key with a dot in its name cannot be named.
    """
    found = document
    names = path.split(".") if path else []
    for number, name in enumerate(names):
        key = name.removesuffix("[]")
        found = found.get(key) if isinstance(found, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  JSON
        if name.endswith("[]"):
            rest = ".".join(names[number + 1 :])
            return [find(part, rest) for part in found] if isinstance(found, list) else None  # pyright: ignore[reportUnknownVariableType]  JSON
    return found  # pyright: ignore[reportUnknownVariableType]  JSON
