"""The catalogue of sources: the shipped file and a user's own, read into entries. Every mistake names file, entry, key and remedy.

Not here: what an entry may say (`sources.entries`), which sources are on (`sources.configured`).
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from sentiment_platform.errors import SettingsError
from sentiment_platform.news.sources.entries import AnyEntry

SHIPPED = Path(__file__).with_name("catalogue.toml")
NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """An entry with its name, the file that had the last word on it, and whether that is the user's own."""

    name: str
    entry: AnyEntry
    file: Path
    own: bool


def read_catalogue(files: Sequence[Path] = ()) -> dict[str, CatalogueEntry]:
    """Name -> entry: the shipped ones, with those of `files` laid over them key by key, a later file over an earlier one.

    Raises:
        SettingsError: names the file, the entry and the key.
    """
    tables: dict[str, tuple[dict[str, Any], Path]] = {}
    for file in (SHIPPED, *files):
        for name, table in _tables(file).items():
            if not NAME.fullmatch(name):
                raise _mistake(file, name, "this is no name", "Names are lower-case letters, digits and `_.-`.")
            if not isinstance(table, dict):
                raise _mistake(file, name, "this is no table", f"An entry begins with [{name}] on a line of its own.")
            below = tables[name][0] if name in tables else {}
            # What somebody wrote down in a file of their own is meant to be used.
            tables[name] = (_laid_over(below, table if file == SHIPPED else {"enabled": True, **table}), file)
    return {name: _entry(name, table, file) for name, (table, file) in tables.items()}


def _tables(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            f"The catalogue of sources {file} cannot be read: {error.strerror}.",
            remedy="SENTIMENT_SOURCES names a TOML file by a path that ends in .toml.",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"The catalogue of sources {file} is no TOML: {error}.", remedy="Correct the file there.") from error


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        known = merged.get(key)
        # A table of another kind (paging, a whole source) replaces the one below: its keys would make no sense there.
        mixes = isinstance(known, dict) and isinstance(value, dict) and value.get("kind", known.get("kind")) == known.get("kind")  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  TOML
        merged[key] = _laid_over(known, value) if mixes else value  # pyright: ignore[reportUnknownArgumentType, reportArgumentType]  TOML
    return merged


def _entry(name: str, table: dict[str, Any], file: Path) -> CatalogueEntry:
    own = file != SHIPPED
    try:
        entry: AnyEntry = msgspec.convert(table, AnyEntry)
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at ")
        key = place.strip("`").removeprefix("$").removeprefix(".")
        remedy = "The shipped catalogue shows every kind: `sentiment-platform news sources --catalogue`."
        raise _mistake(file, name, f"{f'key `{key}`: ' if key else ''}{what}", remedy) from error
    return CatalogueEntry(name, entry, file, own)


def _mistake(file: Path, name: str, what: str, remedy: str) -> SettingsError:
    return SettingsError(f"{file}, entry [{name}]: {what}.", remedy=remedy)
