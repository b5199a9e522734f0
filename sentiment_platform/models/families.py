"""The table of families, and the only place that lists them. Adding one is a module with a `Family` and one line here; a package of
its own may add its line to `FAMILIES` before the process uses it.

Each entry names where a family is loaded (light: serving uses it) and where it is trained (imported only when asked for).
"""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.family import Family, Model, TrainingWorld


@dataclass(frozen=True, slots=True)
class FamilyEntry:
    """Import strings `module:attribute`.

    Attributes:
        loader: function (directory, threads) -> Model, for serving and evaluation.
        trainer: function (world) -> Family.
        cost: relative cost of one prediction; the cheapest family is what an overloaded process degrades to.
    """

    loader: str
    trainer: str
    cost: int


FAMILIES: dict[str, FamilyEntry] = {
    "vader": FamilyEntry(
        "sentiment_platform.models.vader.family:load", "sentiment_platform.models.vader.training:vader_family", 1
    ),
    "finbert": FamilyEntry(
        "sentiment_platform.models.transformer.runtime:load_transformer",
        "sentiment_platform.models.transformer.family:transformer_family",
        100,
    ),
}


def load_model(family: str, directory: Path, *, threads: int = 1) -> Model:
    """Load an already verified version of `family`.

    Raises:
        PermanentError: the family is unknown, or the directory does not hold one of its models.
    """
    return _resolve(_entry(family).loader)(directory, threads=threads)


def loader_of(family: str) -> str:
    """The import string of what reads a version of `family`, for a process of its own."""
    return _entry(family).loader


def trainer(family: str, world: TrainingWorld) -> Family:
    """The training side of `family`, in the world that it trains in."""
    return _resolve(_entry(family).trainer)(world)


def _entry(family: str) -> FamilyEntry:
    try:
        return FAMILIES[family]
    except KeyError:
        raise PermanentError(f"Model family {family!r} is unknown.", remedy=f"This build knows {', '.join(FAMILIES)}.") from None


def _resolve(reference: str) -> Any:
    module, _, attribute = reference.partition(":")
    return getattr(import_module(module), attribute)
