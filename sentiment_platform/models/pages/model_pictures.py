"""What the asset of a model shows beside its tables: pictures of how it was searched and trained, and of how it answers the holdout.

All of it comes from the figures of a manifest; what a family's figures do not hold is not drawn. Drawing is `plots`, tables are
`reporting`.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from sentiment_platform.models.pages.plots import confusion_matrix_png, reliability_png, search_png, training_png
from sentiment_platform.statistics.calibration import ReliabilityBin
from sentiment_platform.statistics.metrics import ratios


def model_pictures(version: str, figures: Mapping[str, Any]) -> dict[str, bytes]:
    """Title -> PNG, in the order in which a reader wants them."""
    pictures: dict[str, bytes] = {}
    training: Mapping[str, Any] = figures.get("training") or {}
    if training.get("losses") and training.get("epochs"):
        title = f"Training of {version}"
        pictures["training_curves"] = training_png(
            training["losses"], training["epochs"], best=int(training["best_epoch"]), title=title
        )
    search: Mapping[str, Any] = figures.get("search") or {}
    if search.get("trials"):
        title = f"Search for {version}: best {search['best_value']:.3f}"
        pictures["search_history"] = search_png(search["trials"], search.get("importances") or {}, title=title)
    if confusion := figures.get("confusion"):
        macro_f1 = float(ratios(np.asarray(confusion, dtype=np.float64)).macro_f1)
        pictures["confusion_matrix"] = confusion_matrix_png(confusion, macro_f1, title=f"Holdout of {version}")
    if bins := figures.get("reliability"):
        read = msgspec.convert(bins, list[ReliabilityBin])
        pictures["reliability"] = reliability_png(read, figures["ece"], title=f"Reliability of {version}")
    return pictures
