"""What is read again of the figures in a manifest, which every family fills with what it likes: each figure by its field.

Two readers, because training must not fail over a figure that it does not need. What writes the figures is `versions.description`
and the export of each family.
"""

from typing import Any

import msgspec

from sentiment_platform.models.evaluation.baselines import Baseline
from sentiment_platform.models.evaluation.contrast_suite import ContrastScore
from sentiment_platform.models.evaluation.fold_figures import FoldFigures
from sentiment_platform.models.evaluation.technical import TechnicalFigures
from sentiment_platform.models.head.head import Ablation
from sentiment_platform.registry.manifest import Manifest
from sentiment_platform.statistics.calibration import ReliabilityBin
from sentiment_platform.statistics.estimate import Estimate


class OriginFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What a version was made with; None where the manifest does not say it.

    Attributes:
        options_digest: what `versions.training_inputs.inputs_digest` gave.
        champion: manifest digest of the champion that training went on from.
        warning: what could not be learned, and why.
    """

    options_digest: str | None = None
    champion: str | None = None
    warning: str | None = None


class TrainingFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The course of a training: (step, mean loss) points, and one row a pass as `pages.plots.training_panel` takes them."""

    losses: tuple[tuple[float, float], ...] = ()
    epochs: tuple[dict[str, Any], ...] = ()
    best_epoch: int | None = None


class SearchFigures(msgspec.Struct, frozen=True, kw_only=True):
    """A search for parameters: one row a trial as `pages.plots.search_panel` takes them, and the share of each parameter."""

    trials: tuple[dict[str, Any], ...] = ()
    best_value: float | None = None
    importances: dict[str, float] = {}


class PartFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One part of the training set: counts by label and by label set; first and last day of its dated texts, None without any."""

    texts: int
    stories: int
    labels: dict[str, int]
    sets: dict[str, int]
    days: tuple[str, str] | None = None


class ChampionFigures(msgspec.Struct, frozen=True, kw_only=True):
    """This version beside the one that was deployed while it was trained, both on the test part that this one left alone.

    Attributes:
        macro_f1: this one's less the other's; `seen`: how many of the n texts the other was fitted on.
    """

    version: str
    macro_f1: Estimate
    only_this_right: int
    only_that_right: int
    seen: int


class ShownFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What the pages of a version show; what its family did not measure is None or empty.

    Attributes:
        features_help: whether the head uses the features.
        confusion: counts on the holdout, a row for each true class.
        ece_when_calibrated: what 95 % of perfectly calibrated models stay below with these answers.
        data: part of the training set -> what it holds; `baselines`: name -> figures on the test part.
        folds: the k-fold by story; None where the labels were too few for it.
        deployed_then: the champion beside it; None where there was none.
        terms_moved: as `pages.reporting.terms_table` takes it; `distillation` as `doubted_table` does.
    """

    technical: TechnicalFigures | None = None
    ablation: Ablation | None = None
    features_help: bool = False
    warning: str | None = None
    training: TrainingFigures | None = None
    search: SearchFigures | None = None
    confusion: tuple[tuple[int, ...], ...] = ()
    reliability: tuple[ReliabilityBin, ...] = ()
    ece: float | None = None
    ece_when_calibrated: float | None = None
    data: dict[str, PartFigures] = {}
    baselines: dict[str, Baseline] = {}
    folds: FoldFigures | None = None
    deployed_then: ChampionFigures | None = None
    contrast: ContrastScore | None = None
    terms_moved: dict[str, Any] | None = None
    distillation: dict[str, Any] | None = None


def origin_figures(manifest: Manifest) -> OriginFigures:
    """Read them; every other figure of the manifest is passed over unread."""
    return msgspec.convert(manifest.figures, OriginFigures)


def shown_figures(manifest: Manifest) -> ShownFigures:
    """Read them; figures that no page shows are passed over.

    Raises:
        msgspec.ValidationError: a figure is not of the shape that its page shows.
    """
    return msgspec.convert(manifest.figures, ShownFigures)
