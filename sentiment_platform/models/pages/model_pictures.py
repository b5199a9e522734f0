"""What the asset of a model shows beside its tables: one picture of how it was trained and searched, and how it answers the holdout.

All of it comes from the figures of a manifest; what a family's figures do not hold is not drawn. Drawing is `plots`, tables are
`reporting`.
"""

import numpy as np

from sentiment_platform.models.pages.plots import (
    Panel,
    confusion_panel,
    panels_png,
    reliability_panel,
    search_panel,
    training_panel,
)
from sentiment_platform.models.version_figures import ShownFigures
from sentiment_platform.statistics.calibration import CalibrationReport
from sentiment_platform.statistics.metrics import ClassificationReport, ratios


def answers_picture(report: ClassificationReport, calibration: CalibrationReport) -> bytes:
    """Confusion matrix and calibration of one set of answers, in one PNG."""
    confusion = confusion_panel(report.confusion, report.macro_f1.value)
    return panels_png([confusion, reliability_panel(calibration.bins, calibration.ece)])


def model_picture(figures: ShownFigures) -> bytes | None:
    """Training curves, search, confusion matrix and calibration in one PNG, in the order in which a reader wants them; None: no figures."""
    panels: list[Panel] = []
    training, search = figures.training, figures.search
    if training and training.losses and training.epochs and training.best_epoch is not None:
        panels.append(training_panel(training.losses, training.epochs, best=training.best_epoch))
    if search and search.trials and search.best_value is not None:
        panels.append(search_panel(search.trials, search.importances, title=f"Search: best {search.best_value:.3f}"))
    if figures.confusion:
        macro_f1 = float(ratios(np.asarray(figures.confusion, dtype=np.float64)).macro_f1)
        panels.append(confusion_panel(figures.confusion, macro_f1, title="Holdout"))
    if figures.reliability and figures.ece is not None:
        panels.append(reliability_panel(figures.reliability, figures.ece, title="Calibration on the holdout"))
    return panels_png(panels) if panels else None
