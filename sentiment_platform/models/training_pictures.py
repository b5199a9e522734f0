"""What the asset of a model shows beside its tables: pictures of how it was trained and searched, from the figures of its manifest.

A family whose figures have no curves or no search simply gets none of them. Drawing is `plots`.
"""

from collections.abc import Mapping
from typing import Any

from sentiment_platform.models.plots import search_png, training_png


def training_pictures(version: str, figures: Mapping[str, Any]) -> dict[str, bytes]:
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
    return pictures
