"""Small data in a made-up language and VADER trained on it: a second."""

from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from sentiment_platform.features.compute import compute_v1
from sentiment_platform.features.schema import V1
from sentiment_platform.models.family import ExportReport, LabelledTexts, TrainingData, TrainingOptions
from sentiment_platform.models.vader.training import TrainedVader, VaderFamily

PLACES = ["Oslo", "Turin", "Lyon", "Graz", "Cork", "Bonn", "Gent", "Kiel", "Bari", "Faro"]
VERBS = (
    ("suffers a terrible loss", "cuts jobs", "misses its target"),
    ("holds its meeting", "names a chair", "reports today"),
    ("enjoys great success", "wins an award", "raises its target"),
)

THINGS = ("mill", "port", "bank", "mine")


def texts_of(place: str) -> list[tuple[str, int]]:
    return [(f"{place} {thing} {verb}", label) for label, verbs in enumerate(VERBS) for verb, thing in product(verbs, THINGS)]


def labelled(places: list[str]) -> LabelledTexts:
    rows = [row for place in places for row in texts_of(place)]
    return LabelledTexts(
        ids=[str(n) for n in range(len(rows))],
        texts=[text for text, _ in rows],
        labels=np.array([label for _, label in rows], dtype=np.int64),
        features=np.array([compute_v1(text) for text, _ in rows], dtype=np.float64),
    )


def small_data() -> TrainingData:
    return TrainingData(
        digest="ab" * 32,
        feature_schema="v1",
        feature_names=V1.names,
        train=labelled(PLACES[:6]),
        validation=labelled(PLACES[6:8]),
        test=labelled(PLACES[8:]),
    )


@dataclass(frozen=True)
class Exported:
    directory: Path
    trained: TrainedVader
    report: ExportReport


def export(directory: Path, seed: int = 1) -> Exported:
    family = VaderFamily()
    trained = family.train(small_data(), TrainingOptions(seed=seed, parameters={"trials": 8}), lambda _: None)
    return Exported(directory, trained, family.export(trained, small_data(), directory, lambda _: None))
