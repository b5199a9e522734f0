"""Fit the VADER family: the two thresholds that maximise macro-F1, the steepness of its logits, and the calibration head.

Thresholds are chosen on train and validation together (two numbers cannot overfit hundreds of texts), the head on the same rows
because the scorer has no weights that saw them. Deterministic, a second or so.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.family import ExportReport, Floats, Integers, Progress, ProgressSink, TrainingData, TrainingOptions
from sentiment_platform.models.head import CalibrationHead
from sentiment_platform.models.head_training import fit_head, measure_ablation
from sentiment_platform.models.vader import HEAD_FILE, SCORER_FILE, VaderModel, VaderScorer, load
from sentiment_platform.settings import Settings
from sentiment_platform.text.lexicon import stock_lexicon
from sentiment_platform.text.vader import VaderEngine

STEPS = 81
BASE_MODEL = "vaderSentiment 3.3.2 lexicon"


@dataclass(frozen=True)
class TrainedVader:
    """The fitted parts, and the macro-F1 that the thresholds reach on the rows they were chosen on."""

    scorer: VaderScorer
    head: CalibrationHead
    fitted_macro_f1: float


class VaderFamily:
    """Rules, readable, fast; needs no training library."""

    name = "vader"
    files = (SCORER_FILE, HEAD_FILE)

    def inputs(self) -> Mapping[str, str]:
        """The stock lexicon, and the rule by which thresholds are fitted."""
        return {"lexicon": stock_lexicon_digest(), "rule": "thresholds-1"}

    def train(self, data: TrainingData, options: TrainingOptions, progress: ProgressSink) -> TrainedVader:
        """Fit thresholds and head on train and validation."""
        if options.parameters:
            raise PermanentError(f"VADER has no parameters {sorted(options.parameters)}.", remedy="Leave them out.")
        texts = [*data.train.texts, *data.validation.texts]
        labels = np.concatenate([data.train.labels, data.validation.labels])
        features = np.vstack([data.train.features, data.validation.features])
        engine = VaderEngine(stock_lexicon())
        compound = np.array([engine.score(text).compound for text in texts])
        progress(Progress("vader: scored", len(texts), len(texts), 0.0, 0.0))
        negative_below, positive_above, macro_f1 = choose_thresholds(compound, labels)
        scorer = VaderScorer(negative_below, positive_above, steepness=4.0)
        logits = scorer.logits(compound)
        ablation = measure_ablation(logits, features, labels, seed=options.seed)
        head = fit_head(
            logits,
            features,
            labels,
            data.feature_names,
            data.feature_schema,
            use_features=ablation.features_help,
            seed=options.seed,
            ablation=ablation,
        )
        progress(
            Progress("vader: fitted", len(texts), len(texts), 0.0, 0.0, f"macro-F1 {macro_f1:.3f} on the rows it was fitted on")
        )
        return TrainedVader(scorer, head, macro_f1)

    def export(self, trained: TrainedVader, data: TrainingData, directory: Path, progress: ProgressSink) -> ExportReport:
        """Write the two JSON files, sorted and indented for a reader."""
        del data, progress
        for name, document in ((SCORER_FILE, msgspec.to_builtins(trained.scorer)), (HEAD_FILE, trained.head.to_json())):
            (directory / name).write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        return ExportReport(
            BASE_MODEL,
            stock_lexicon_digest(),
            {
                "fitted_macro_f1": trained.fitted_macro_f1,
                "thresholds": [trained.scorer.negative_below, trained.scorer.positive_above],
            },
            ("MIT (VADER lexicon, Hutto and Gilbert 2014)",),
        )

    def load(self, directory: Path, *, threads: int = 1) -> VaderModel:
        """Read a verified directory."""
        return load(directory, threads=threads)


def vader_family(settings: Settings) -> VaderFamily:
    """The family needs nothing of the settings."""
    del settings
    return VaderFamily()


def choose_thresholds(compound: Floats, labels: Integers) -> tuple[float, float, float]:
    """The pair on a grid of `STEPS` values in [-1, 1] with the best macro-F1, the pair nearest to VADER's own (-0.05, 0.05) among ties.

    Args:
        compound: (n,) scores. labels: (n,) class indices.

    Returns:
        negative below, positive above, macro-F1.
    """
    grid = np.unique(np.append(np.linspace(-1, 1, STEPS), [-0.05, 0.05]))
    of_class = np.array([labels == index for index in range(3)], dtype=np.float64)
    support = of_class.sum(axis=1)
    # Rows of each class below a candidate, and above one: every pair's confusion counts follow from these. A row on a candidate
    # counts as `VaderScorer.logits` decides it: many texts have no word of the lexicon, their 0 must not be fitted one way and served
    # another.
    below = of_class @ (compound[:, None] <= grid[None, :])
    above = of_class @ (compound[:, None] > grid[None, :])
    best = (-1.0, 0.0, -0.05, 0.05)
    for i, low in enumerate(grid):
        for j in range(i + 1, len(grid)):
            high = grid[j]
            true = np.array([below[0, i], support[1] - below[1, i] - above[1, j], above[2, j]])
            predicted = np.array([below[:, i].sum(), 0.0, above[:, j].sum()])
            predicted[1] = support.sum() - predicted[0] - predicted[2]
            f1 = float(np.mean(2 * true / np.maximum(predicted + support, 1)))
            best = max(best, (f1, -abs(low + 0.05) - abs(high - 0.05), float(low), float(high)))
    return best[2], best[3], best[0]


def stock_lexicon_digest() -> str:
    """SHA-256 over the stock lexicon's terms and valences."""
    from hashlib import sha256

    return sha256(json.dumps(dict(stock_lexicon().valences), sort_keys=True).encode()).hexdigest()
