"""How good a model is on labelled texts: metrics with intervals and calibration, from its probabilities."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sentiment_platform.models.family import Floats, LabelledTexts, Model
from sentiment_platform.statistics.calibration import CalibrationReport, calibration_report
from sentiment_platform.statistics.estimate import ACCURACY, BRIER, ECE, MACRO_F1, Estimate
from sentiment_platform.statistics.metrics import ClassificationReport, classification_report
from sentiment_platform.store.figures import Figure

SEED = 20260101


@dataclass(frozen=True)
class Evaluation:
    """A model's answers on labelled texts and the figures computed from them."""

    probabilities: Floats
    report: ClassificationReport
    calibration: CalibrationReport


def evaluate(model: Model, data: LabelledTexts) -> Evaluation:
    """Run the model over `data`, in batches of texts of similar length, and measure."""
    probabilities = predict_sorted(model, data.texts, data.features)
    return Evaluation(
        probabilities,
        classification_report(data.labels, probabilities, seed=SEED),
        calibration_report(data.labels, probabilities, seed=SEED),
    )


def predict_sorted(model: Model, texts: Sequence[str], features: Floats) -> Floats:
    """(n, 3) probabilities in the order of `texts`; neighbours in length share a batch, so that little is padded."""
    order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    probabilities = np.empty((len(texts), 3))
    for start in range(0, len(order), model.batch_size):
        rows = order[start : start + model.batch_size]
        probabilities[rows] = model.predict([texts[row] for row in rows], features[rows])
    return probabilities


def measures(evaluation: Evaluation) -> dict[str, Estimate]:
    """What manifests and `model_performance` have of an evaluation by name: accuracy, macro-F1, each class's figures, Brier score."""
    report = evaluation.report
    named: dict[str, Estimate] = {ACCURACY: report.accuracy, MACRO_F1: report.macro_f1}
    for row in report.classes:
        named |= {f"precision_{row.label}": row.precision, f"recall_{row.label}": row.recall, f"f1_{row.label}": row.f1}
    return named | {BRIER: evaluation.calibration.brier}


def figures(
    version: str, window: str, evaluation: Evaluation, *, in_sample: bool = False, label_coverage: float = 1.0
) -> list[Figure]:
    """Rows for `model_performance`: the measures, and the ECE, which has no interval."""
    rows = [
        Figure(
            version=version,
            window=window,
            metric=metric,
            value=value.value,
            low=value.low,
            high=value.high,
            n=value.n,
            label_coverage=label_coverage,
            in_sample=in_sample,
        )
        for metric, value in measures(evaluation).items()
    ]
    ece = Figure(
        version=version,
        window=window,
        metric=ECE,
        value=evaluation.calibration.ece,
        low=None,
        high=None,
        n=evaluation.report.n,
        label_coverage=label_coverage,
        in_sample=in_sample,
    )
    return [*rows, ece]
