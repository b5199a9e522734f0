"""The starters in the platform's package: read, and unpacked to the files of a version that are what their manifest says.

How they were made is `making`; how one becomes a release, `bootstrap`. What a family packs is its own business (`families.Starter`).
"""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from sentiment_platform.errors import PermanentError
from sentiment_platform.experiments.comparison import Comparison
from sentiment_platform.models.families import FAMILIES, starter_of
from sentiment_platform.registry.documents import decode
from sentiment_platform.registry.manifest import MANIFEST, Manifest
from sentiment_platform.registry.verify import require_contents

PACKAGE = "packaged_files"
"""Folder beside this file: one folder a family, and the comparisons of all of them."""
COMPARISONS = "comparisons.json"


def packaged_folder() -> Path:
    """Where the starters are installed."""
    return Path(__file__).parent / PACKAGE


def packaged_manifests(package: Path) -> Mapping[str, Manifest]:
    """Family -> manifest of its starter, the cheapest family first; families without a starter are left out."""
    families = sorted(FAMILIES, key=lambda family: FAMILIES[family].cost)
    return {family: _manifest(package / family / MANIFEST) for family in families if starter_of(family)}


def packaged_comparisons(package: Path) -> tuple[Comparison, ...]:
    """Every pair of the starters on the test part of the sets that they learned from."""
    return msgspec.json.decode((package / COMPARISONS).read_bytes(), type=tuple[Comparison, ...])


def unpack(package: Path, family: str, manifest: Manifest, directory: Path) -> None:
    """Write the files of the starter of `family` into the empty `directory`.

    Raises:
        PermanentError: what it is made from is not installed, or a file is not what the manifest says.
    """
    starter = starter_of(family)
    if starter is None:
        raise PermanentError(f"There is no starter of {family}.", remedy="Train it: `sentiment-platform run train_job`.")
    starter.unpack(package / family, directory)
    require_contents(directory, manifest.released_files())


def _manifest(path: Path) -> Manifest:
    try:
        return decode(path.read_bytes(), Manifest)
    except OSError as error:
        raise PermanentError(
            f"The packaged starter {path} cannot be read: {error}", remedy="Install the platform again."
        ) from error
