"""The built dashboard in memory: read once, compressed once. What answers requests with it: `serving.handlers.pages`."""

import gzip
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

BUILT = Path(__file__).with_name("dist")
"""Where `make dashboard` writes; a wheel brings it."""
PAGE = "index.html"
FOREVER = "assets/"
"""Files below it have a digest of their content in their name."""
_COMPRESSED = ("text/", "application/json", "application/manifest+json", "image/svg+xml")


@dataclass(frozen=True)
class BuiltFile:
    """One file as it is sent; `compressed` is its gzip form where that is smaller."""

    media_type: str
    content: bytes
    compressed: bytes | None


def read_built(folder: Path = BUILT) -> Mapping[str, BuiltFile]:
    """Every file of a build by its path in `folder`; none where there is no build, or one without its page."""
    if not (folder / PAGE).is_file():
        return {}
    return {path.relative_to(folder).as_posix(): _read(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def _read(path: Path) -> BuiltFile:
    content = path.read_bytes()
    media_type = _media_type(path.name)
    compressed = gzip.compress(content, mtime=0) if media_type.startswith(_COMPRESSED) else content
    return BuiltFile(media_type, content, compressed if len(compressed) < len(content) else None)


def _media_type(name: str) -> str:
    # What a machine's own table says of scripts differs; browsers refuse a module of any other type.
    return "text/javascript" if name.endswith(".js") else mimetypes.guess_type(name)[0] or "application/octet-stream"
