"""Bodies of GET /models and GET /models/{version}: the versions that were registered, and the card of one."""

from typing import Literal

from msgspec import Struct

from sentiment_platform.models.evaluation.contrast_suite import ContrastScore
from sentiment_platform.models.evaluation.technical import TechnicalFigures
from sentiment_platform.models.head.head import Ablation
from sentiment_platform.registry.lifecycle import State
from sentiment_platform.statistics.calibration import ReliabilityBin
from serving.contract.values import Moment


class MeasuredMetric(Struct, frozen=True, kw_only=True):
    """A metric with its 95 % interval over the `n` texts of `dataset`.

    `in_sample`: the model, or a choice about it, has seen those texts, so the figure is no evidence.
    """

    metric: str
    title: str
    value: float
    low: float
    high: float
    n: int
    dataset: str
    in_sample: bool


class VersionSummary(Struct, frozen=True, kw_only=True):
    """One registered version. `live`: it answers in this process now; `training_set` is the digest of what it was made from.

    `state` follows from deployments and the gate's newest evidence; `archived` (its release is gone) is what `models list` sees, not this.

    `metrics` are the headline figures, measured at export; sizes are the bytes of its files, those that serving loads and all of them.
    `last_revision`: the newest deployment that names it as a champion; null: none ever did, so it is promoted, not selected.
    `technical`: cost on the machine that made it, null where that was not measured.
    """

    version: str
    family: str
    live: bool
    state: State
    created_at: Moment
    registered_at: Moment
    base_model: str
    training_set: str
    feature_schema: str
    metrics: list[MeasuredMetric]
    serving_bytes: int
    release_bytes: int
    last_revision: int | None
    technical: TechnicalFigures | None


class VersionList(Struct, frozen=True):
    """Registered versions, newest first; empty before the first training."""

    as_of: Moment
    versions: list[VersionSummary]


class CardTrainingSet(Struct, frozen=True, kw_only=True):
    """What a version was made from; counts are null where the snapshot is in another database."""

    digest: str
    examples: int | None
    stories: int | None
    label_sets: list[str]


class CardFeatureSchema(Struct, frozen=True):
    """The feature vector that the head reads, in order; GET /features/{name} describes each value."""

    name: str
    digest: str
    features: list[str]


class ReleasedFile(Struct, frozen=True, kw_only=True):
    """A file of the release; `served` ones are loaded by serving, the others are read by later training alone."""

    name: str
    sha256: str
    size_bytes: int
    served: bool


class MovedTerm(Struct, frozen=True, kw_only=True):
    """A term that weighs otherwise than in the version that was deployed before; `evidence`: training texts that have it."""

    term: str
    old_valence: float
    new_valence: float
    old_emphasis: float
    new_emphasis: float
    evidence: int


class TermsMoved(Struct, frozen=True, kw_only=True):
    """How many terms moved, those that moved most, and the rule constants that differ: (before, after)."""

    count: int
    most: list[MovedTerm]
    constants: dict[str, tuple[float, float]]


class CardFigures(Struct, frozen=True, kw_only=True):
    """What was measured at export beside the metrics; what its family did not measure is null or empty.

    `technical`: cost on the machine that made it. `ablation`: what the features add to the head. `confusion`: counts on the holdout,
    a row for each true label, in the order of `labels`. `reliability`: how often a confidence was right, bin by bin.
    `contrast`: pairs of sentences that differ in little, with both answered rightly. `terms_moved`: only where the family has terms.
    `warning`: what could not be learned, and why. `folds`: the k-fold by story that stands beside the holdout, in words.
    """

    technical: TechnicalFigures | None = None
    ablation: Ablation | None = None
    features_help: bool = False
    warning: str | None = None
    confusion: list[list[int]] = []
    reliability: list[ReliabilityBin] = []
    ece: float | None = None
    contrast: ContrastScore | None = None
    terms_moved: TermsMoved | None = None
    folds: str | None = None


class ModelCard(Struct, frozen=True, kw_only=True):
    """The signed manifest of a version as fields, and how it is registered.

    `figures` is null where a figure has another form than this build reads. How right a version was since: GET /models/performance.
    """

    version: str
    family: str
    live: bool
    manifest_digest: str
    created_at: Moment
    registered_at: Moment
    run_id: str
    git_sha: str
    base_model: str
    base_digest: str
    training_set: CardTrainingSet
    feature_schema: CardFeatureSchema
    labels: tuple[Literal["negative"], Literal["neutral"], Literal["positive"]]
    licences: list[str]
    metrics: list[MeasuredMetric]
    figures: CardFigures | None
    files: list[ReleasedFile]
