"""What the asset of a model shows beside its tables: pictures of how it was searched and trained, and of how it answers the holdout.

All of it comes from the figures of a manifest; what a family's figures do not hold is not drawn. Drawing is `plots`, tables are
`reporting`.
"""

import numpy as np

from sentiment_platform.models.pages.plots import confusion_matrix_png, reliability_png, search_png, training_png
from sentiment_platform.models.version_figures import ShownFigures
from sentiment_platform.statistics.metrics import ratios


def model_pictures(version: str, figures: ShownFigures) -> dict[str, bytes]:
    """Title -> PNG, in the order in which a reader wants them."""
    pictures: dict[str, bytes] = {}
    training, search = figures.training, figures.search
    if training and training.losses and training.epochs and training.best_epoch is not None:
        title = f"Training of {version}"
        pictures["training_curves"] = training_png(training.losses, training.epochs, best=training.best_epoch, title=title)
    if search and search.trials and search.best_value is not None:
        title = f"Search for {version}: best {search.best_value:.3f}"
        pictures["search_history"] = search_png(search.trials, search.importances, title=title)
    if figures.confusion:
        macro_f1 = float(ratios(np.asarray(figures.confusion, dtype=np.float64)).macro_f1)
        pictures["confusion_matrix"] = confusion_matrix_png(figures.confusion, macro_f1, title=f"Holdout of {version}")
    if figures.reliability and figures.ece is not None:
        pictures["reliability"] = reliability_png(figures.reliability, figures.ece, title=f"Reliability of {version}")
    return pictures
