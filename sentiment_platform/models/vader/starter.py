"""VADER's starter: its files are small enough to be shipped nearly as they are."""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from sentiment_platform.models.vader.family import HEAD_FILE, SCORER_FILE
from sentiment_platform.models.vader.training import TrainedVader


class VaderStarter:
    """Implements `families.Starter`."""

    base = ""
    parameters: Mapping[str, Any] = {}
    training_files: tuple[str, ...] = ()

    def condense(self, trained: TrainedVader, package: Path) -> TrainedVader:
        """Without the ids of example texts: those texts are nowhere but where the starter was made."""
        del package
        terms = {name: msgspec.structs.replace(term, examples=()) for name, term in trained.scorer.terms.items()}
        return replace(trained, scorer=msgspec.structs.replace(trained.scorer, terms=terms))

    def pack(self, exported: Path, package: Path) -> None:
        """The exported files."""
        _copy(exported, package)

    def unpack(self, package: Path, directory: Path) -> None:
        """The exported files."""
        _copy(package, directory)


def _copy(source: Path, target: Path) -> None:
    for name in (SCORER_FILE, HEAD_FILE):
        shutil.copyfile(source / name, target / name)
