"""Families of the tests' own, each plugged in by one line in the table of families: right answers, slowly."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sentiment_platform.models.family import Contribution, Explanation, Floats
from sentiment_platform.models.vader.family import VaderModel, load_vader

PLUGGED_IN = """
from sentiment_platform.models.families import FAMILIES, FamilyEntry
FAMILIES["turtle"] = FamilyEntry(description="slow", loader="sentiment_platform_tests.serving.turtle:load", trainer="nowhere:trained", cost=100)
import serving
serving.run()
"""
TWO_PLUGGED_IN = PLUGGED_IN.replace("import serving", 'FAMILIES["tortoise"] = FAMILIES["turtle"]\nimport serving')


class Turtle:
    """VADER's answers after `TURTLE_S` seconds a call."""

    batch_size = 4

    def __init__(self, model: VaderModel) -> None:
        self._model = model

    def logits(self, texts: Sequence[str]) -> Floats:
        return self._model.logits(texts)

    def predict(self, texts: Sequence[str], features: Floats | None) -> Floats:
        if features is not None:
            time.sleep(float(os.environ.get("TURTLE_S", "0")))
        return np.asarray(self._model.predict(texts, features))

    @property
    def uses_features(self) -> bool:
        return self._model.uses_features

    @property
    def feature_schema(self) -> str:
        return self._model.feature_schema

    def fits(self, text: str) -> bool:
        return self._model.fits(text)

    def explain(self, text: str, features: Floats | None) -> Explanation:
        return Explanation(0.0, 0.0, (Contribution("turtle", 0, 1.0, "slow"),))


def load(directory: Path, *, threads: int = 1) -> Turtle:
    return Turtle(load_vader(directory, threads=threads))
