"""The manifest of a model version: what its files are, what it was made from, and how good it measured.

Belongs here: the document, and which file names and sizes a version may have. Not here: signing, publishing, fetching.
The manifest is signed with the model key; every file of the version hangs on it by sha256.
"""

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from sentiment_platform.registry.documents import Line, Prose, Sha256
from sentiment_platform.registry.refusal import Refused
from sentiment_platform.registry.versions import FamilyName, VersionName, VersionTag
from sentiment_platform.statistics.estimate import Estimate

MANIFEST = "manifest.json"
MANIFEST_SIGNATURE = "manifest.json.sig"

MIB = 1024 * 1024
MAX_FILE_BYTES = {".json": 64 * MIB, ".txt": 16 * MIB, ".onnx": 1536 * MIB, ".safetensors": 1536 * MIB}
MAX_FILES = 20
_FILE_NAME = re.compile(r"^(?=.{1,100}\Z)[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.(json|txt|onnx|safetensors)\Z", re.ASCII)
_RESERVED = ("manifest.json", "deployment.json")

Probability = Annotated[float, msgspec.Meta(ge=0, le=1)]
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
LabelOrder = tuple[Literal["negative"], Literal["neutral"], Literal["positive"]]


class FileEntry(msgspec.Struct, frozen=True):
    """One file of a version; `size` in bytes."""

    sha256: Sha256
    size: Annotated[int, msgspec.Meta(ge=1)]


class FeatureSchema(msgspec.Struct, frozen=True):
    """The feature vector that the calibration head reads, in order; empty when the model uses none."""

    name: Line
    digest: Line
    features: tuple[Line, ...]


class Metric(Estimate, frozen=True, kw_only=True):
    """A measured value with its 95 % interval over `n` examples of `dataset`.

    `in_sample` is true when the model, or a choice about it, has seen those examples: such a figure is no evidence.
    """

    dataset: Line
    in_sample: bool = False


class Golden(msgspec.Struct, frozen=True):
    """A sentence and the probabilities (negative, neutral, positive) that the model gave it at export, without features."""

    text: Prose
    probabilities: tuple[Probability, Probability, Probability]


class Manifest(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """What a model version consists of. Everything is measured or recorded at export; nothing is edited afterwards.

    `files` is what serving fetches and loads. `training_files` lie in the same release and are vouched for in the same way, but only
    later training reads them.
    """

    family: FamilyName
    version: VersionName
    files: dict[str, FileEntry]
    labels: LabelOrder
    feature_schema: FeatureSchema
    base_model: Line
    base_digest: Line
    training_set: Line
    metrics: dict[Line, Metric]
    golden: tuple[Golden, ...]
    licences: tuple[Line, ...]
    git_sha: Line
    created_at: Instant
    figures: dict[str, Any] = {}
    schema_version: Literal[1] = 1
    training_files: dict[str, FileEntry] | msgspec.UnsetType = msgspec.UNSET

    def __post_init__(self) -> None:
        require_utc(self.created_at)
        if VersionTag.parse(self.version).family != self.family:
            raise ValueError(f"version {self.version} is not of family {self.family}")
        names = [*self.files, *(self.training_files or {})]
        if not self.files or len(names) > MAX_FILES:
            raise ValueError(f"{len(self.files)} files to serve, {len(names)} in all; 1 to {MAX_FILES} are allowed")
        if len({name.casefold() for name in names}) != len(names):
            raise ValueError("two file names are the same, or differ in case only")

    def released_files(self) -> dict[str, FileEntry]:
        """Every file of the release, those for training included."""
        return {**self.files, **(self.training_files or {})}


def require_utc(moment: datetime) -> None:
    """Raise ValueError unless `moment` is aware and in UTC."""
    if moment.utcoffset() != timedelta(0):
        raise ValueError(f"{moment.isoformat()} is not in UTC")


def require_safe_files(manifest: Manifest) -> None:
    """Refuse names that could leave the folder, be hidden, or hold code, and sizes beyond the cap of their type.

    Raises:
        Refused: (unsafe_name, size).
    """
    for name, entry in manifest.released_files().items():
        if _FILE_NAME.match(name) is None or name.casefold() in _RESERVED:
            raise Refused(
                f"{manifest.version} lists a file named {name[:120]!r}.",
                reason="unsafe_name",
                remedy="Names are plain, and end in .json, .txt, .onnx or .safetensors.",
            )
        cap = MAX_FILE_BYTES[Path(name).suffix]
        if entry.size > cap:
            raise Refused(
                f"{manifest.version} declares {entry.size} bytes for {name}; {cap} are allowed.",
                reason="size",
                remedy="Export a smaller model.",
            )
