"""A family of one's own in one file: how it is trained and written, how it is read, and its entry in the table of families."""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sentiment_platform.models.explanation import explain_by_reading
from sentiment_platform.models.families import FAMILIES, FamilyEntry
from sentiment_platform.models.family import Explanation, ExportReport, Floats, ProgressSink, TrainingData, TrainingOptions
from sentiment_platform.models.head.head import CalibrationHead
from sentiment_platform.models.head.label_rule import fit_labelling_head

FILES = ("words.json", "head.json")
ENTRY = FamilyEntry(
    description="Naive Bayes over words: the simplest family that learns from every label.",
    loader=f"{__name__}:load_bayes",
    trainer=f"{__name__}:BayesFamily",
    cost=5,
    recurring={"smoothing": 2.0},
)


def plug_in() -> None:
    """Put the entry into the table; the graph or serving, imported after this, has the family."""
    FAMILIES["bayes"] = ENTRY


Words = Mapping[str, Sequence[float]]
"""What is trained: the log odds of the three labels for each word."""


def log_odds(words: Words, texts: Sequence[str]) -> Floats:
    """(n, 3): the sums over the words of each of n texts; a word that was never seen says nothing."""
    odds = [[words.get(word, (0.0, 0.0, 0.0)) for word in text.lower().split()] for text in texts]
    return np.array([np.array(rows).reshape(-1, 3).sum(axis=0) for rows in odds]).reshape(-1, 3)


@dataclass(frozen=True)
class Bayes:
    words: Words
    head: CalibrationHead
    batch_size = 64

    def logits(self, texts: Sequence[str]) -> Floats:
        return log_odds(self.words, texts)

    def predict(self, texts: Sequence[str], features: Floats | None) -> Floats:
        return self.head.probabilities(self.logits(texts), features)

    @property
    def uses_features(self) -> bool:
        return self.head.uses_features

    @property
    def feature_schema(self) -> str:
        return self.head.feature_schema

    def explain(self, text: str, features: Floats | None) -> Explanation:
        return explain_by_reading(self.predict, text, features)

    def fits(self, text: str) -> bool:
        return len(text) <= 1_000


@dataclass(frozen=True)
class BayesFamily:
    world: object = None
    name: str = "bayes"
    files: tuple[str, ...] = FILES

    def inputs(self) -> Mapping[str, str]:
        return {"rule": "bayes-1"}

    def train(self, data: TrainingData, options: TrainingOptions, progress: ProgressSink) -> Words:
        del progress  # counting is over before anybody looks
        smoothing = float(options.parameters.get("smoothing", 1.0))
        seen = zip(data.train.texts, data.train.labels, strict=True)
        counts = Counter((word, int(y)) for text, y in seen for word in text.lower().split())
        words = sorted({word for word, _ in counts})
        return {word: [math.log(smoothing + counts[word, y]) for y in range(3)] for word in words}

    def export(self, trained: Words, data: TrainingData, directory: Path, progress: ProgressSink) -> ExportReport:
        del progress
        part = data.validation
        head, _ = fit_labelling_head(log_odds(trained, part.texts), part, data.feature_names, data.feature_schema, seed=1)
        for name, document in zip(FILES, (trained, head.to_json()), strict=True):
            (directory / name).write_text(json.dumps(document), "utf-8")
        return ExportReport("none", "0" * 64, {"words": len(trained)}, ("CC0-1.0",))


def load_bayes(directory: Path, *, threads: int = 1) -> Bayes:
    del threads  # sums of a few numbers are no work for more than one
    words, head = (json.loads((directory / name).read_text("utf-8")) for name in FILES)
    return Bayes(words, CalibrationHead.from_json(head))
