"""What a model family is: the protocol its one file implements, and the values that pass through it.

A family's answer is text scorer -> calibration head (multinomial logistic regression on the scorer's logits and the features).
Adding a family means one module with a class of this shape, a loader, and an entry in `families.py`; nothing else asks which it has.
Nothing heavy is imported here: serving loads models through this protocol.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from math import fsum
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from sentiment_platform.text.sentiment import LABELS, Label

__all__ = [
    "LABELS",
    "Contribution",
    "EarlierVersions",
    "Explanation",
    "ExportReport",
    "Family",
    "Floats",
    "Integers",
    "Label",
    "LabelledTexts",
    "Model",
    "Progress",
    "ProgressSink",
    "TrainingData",
    "TrainingOptions",
    "TrainingWorld",
]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Progress:
    """One report of long work: `done` of `total` units, the rate in units per second, seconds left, a short note (loss, step)."""

    stage: str
    done: int
    total: int
    rate: float
    remaining_s: float
    note: str = ""


ProgressSink = Callable[[Progress], None]


@dataclass(frozen=True, kw_only=True)
class LabelledTexts:
    """Texts with their features and labels.

    Attributes:
        ids: (n,) example ids.
        texts: (n,) normalised texts.
        labels: (n,) indices into `LABELS`.
        features: (n, k) float64 in the order of the schema; NaN where a value is missing.
        label_sets: (n,) name of the set that each label comes from; empty where that is not known.
        stories: (n,) story of each text; empty where that is not known, and then each text is its own.
        days: the first and the last day on which a dated text was available; None where none is dated.
    """

    ids: Sequence[str]
    texts: Sequence[str]
    labels: Integers
    features: Floats
    label_sets: Sequence[str] = ()
    stories: Sequence[str] = ()
    days: tuple[date, date] | None = None

    def __len__(self) -> int:
        return len(self.texts)


@dataclass(frozen=True, kw_only=True)
class TrainingData:
    """One snapshot, split: fitted on `train`, every choice (thresholds, early stop, head) made on `validation`, `test` untouched."""

    digest: str
    feature_schema: str
    feature_names: tuple[str, ...]
    train: LabelledTexts
    validation: LabelledTexts
    test: LabelledTexts


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """Knobs of one training run; `parameters` are the family's own (unknown names are refused by the family)."""

    seed: int = 20260101
    threads: int = 0
    """CPU threads; 0 takes what the machine has."""
    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])
    champion: Path | None = None
    """Verified files of the family's deployed version, where there is one: what to compare with, and to fall back to."""
    work: Path | None = None
    """Folder for files that the run itself needs; whoever started the run deletes it. None: the system's temporary folder."""
    lease_token: int = 0
    """Fencing token of the run: what a holder of a larger one keeps on disk is not this run's to delete."""


@dataclass(frozen=True)
class EarlierVersions:
    """What a training run may ask of versions that were published before it.

    Attributes:
        training_set: function (digest) -> the training set that a version was made from; None for a starter's, which was made elsewhere;
            PermanentError when it is no longer stored.
        training_file: function (version, manifest digest, file name, folder) -> path of the file, downloaded into the folder and
            verified; `registry.Refused` when the version has none.
    """

    training_set: Callable[[str], TrainingData | None]
    training_file: Callable[[str, str, str, Path], Path]


@dataclass(frozen=True)
class TrainingWorld:
    """What a family's training side needs of the world around it. Whoever starts the training makes it (`versions.training_world`).

    The defaults are a run on its own: it starts from its base, leaves no checkpoint and shares no search.
    """

    transformer_base: str = ""
    """Hub id, directory or `packaged:...` of the checkpoint that transformers start from."""
    checkpoints: Path | None = None
    """Folder for what a killed run goes on from; it outlives the run."""
    study_url: str = ""
    """PostgreSQL, without a pooler, that holds the searches; "" keeps a search in its process."""
    earlier: EarlierVersions | None = None
    bases: Path | None = None
    """Folder that packaged bases are unpacked into, where wheels carry an archive; it outlives the run."""


@dataclass(frozen=True)
class Contribution:
    """How much a token moved the sentiment up or down, and by which `rule` ("": nothing moved). `position` counts the words from 0.

    A token that several rules moved has one entry for each; a phrase stands at its first word.
    """

    token: str
    position: int
    contribution: float
    rule: str


@dataclass(frozen=True)
class Explanation:
    """Where a sentiment comes from; all numbers are differences of sentiment, whatever the family.

    Attributes:
        base: the sentiment of an empty text, all features missing.
        features: what the features of the request add to that; 0 where the version uses none.
        contributions: every token in the order of the text, those that moved nothing included.
    """

    base: float
    features: float
    contributions: tuple[Contribution, ...]

    @property
    def sum(self) -> float:
        """The sentiment of the answer, to the accuracy of the model's numbers."""
        return self.base + self.features + fsum(item.contribution for item in self.contributions)


@dataclass(frozen=True)
class ExportReport:
    """What `export` wrote: free-form figures for the manifest (parity, sizes, base model), JSON-able."""

    base_model: str
    base_digest: str
    figures: Mapping[str, Any]
    licences: tuple[str, ...] = ()
    training_files: tuple[str, ...] = ()
    """Files beside those of the family that only later training reads; serving never fetches them."""


class Model(Protocol):
    """A loaded model, ready to answer; thread-safe, CPU only, without training libraries."""

    @property
    def batch_size(self) -> int:
        """Texts that one call handles best."""
        ...

    def logits(self, texts: Sequence[str]) -> Floats:
        """(n, 3) scores of the text scorer alone, in the order of `LABELS`, before the head."""
        ...

    def predict(self, texts: Sequence[str], features: Floats | None) -> Floats:
        """(n, 3) calibrated probabilities; `features` (n, k) with NaN where missing, or None when all are."""
        ...

    @property
    def uses_features(self) -> bool:
        """Whether `predict` looks at the features."""
        ...

    @property
    def feature_schema(self) -> str:
        """The schema of the features that `predict` takes."""
        ...

    def explain(self, text: str, features: Floats | None) -> Explanation:
        """Where the sentiment of `predict([text], features)` comes from; `features` (1, k) or None. `explanation.explain_by_reading` does it."""
        ...

    def fits(self, text: str) -> bool:
        """Whether the model reads `text` in one go; quick. A longer text is read passage by passage (`models.reading`)."""
        ...


@runtime_checkable
class OneTextModel(Protocol):
    """A model that answers one text without arrays; None is a missing feature."""

    def predict_one(self, text: str, features: Sequence[float | None]) -> tuple[float, float, float]: ...


class Family(Protocol):
    """How a family is trained and written. What reads it is the loader that its entry in `families.py` names."""

    name: str
    files: tuple[str, ...]
    """Exact set of file names that `export` writes and the loader needs."""

    def inputs(self) -> Mapping[str, str]:
        """What else than data and options decides the result (base model and its digest, version of the fitting rule)."""
        ...

    def train(self, data: TrainingData, options: TrainingOptions, progress: ProgressSink) -> Any:
        """Fit on `data.train` and `data.validation`; returns the family's own trained state."""
        ...

    def export(self, trained: Any, data: TrainingData, directory: Path, progress: ProgressSink) -> ExportReport:
        """Write the artefact files into the empty `directory`; same trained state, same bytes."""
        ...
