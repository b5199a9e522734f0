"""The three labelled sets beside the repository, split once for every figure of quality.

The test part: texts whose SHA-256 bucket is divisible by 5, near-duplicates (of any of the sets) follow their first text; it is never
fitted or tuned on. A text that stands twice counts once, with conflicting labels not at all.
"""

import os
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np

from sentiment_platform.errors import PermanentError
from sentiment_platform.features.compute import compute_v1
from sentiment_platform.features.schema import V1
from sentiment_platform.labels.importers import phrasebank, sentfin, tfns
from sentiment_platform.labels.splits import Part, StoryText, assign_parts
from sentiment_platform.models.family import LABELS, LabelledTexts, TrainingData
from sentiment_platform.news.stories.near_duplicates import story_of
from sentiment_platform.text.normalise import text_hash

SetName = Literal["phrasebank", "sentfin", "tfns"]
SPLIT = "test part: int(sha256(words)[:8], 16) % 5 == 0, near-duplicates follow their first text"


@dataclass(frozen=True)
class Row:
    """A labelled text with its place."""

    label_set: SetName
    text: str
    label: int
    part: Part


def shared_data() -> Path:
    """The folder of real data.

    Raises:
        PermanentError: it is not there.
    """
    folder = Path(os.environ.get("SENTIMENT_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
    if not folder.is_dir():
        raise PermanentError(f"There is no real data at {folder}.", remedy="Set SENTIMENT_SHARED_DATA.")
    return folder


@cache
def rows() -> tuple[Row, ...]:
    """Every usable text of the three sets, in file order."""
    folder = shared_data() / "labelled"
    read = (
        ("phrasebank", phrasebank(folder / "phrasebank" / "Sentences_50Agree.txt")),
        ("sentfin", sentfin(folder / "sentfin" / "SEntFiN.csv")),
        ("tfns", tfns(folder / "tfns" / "tfns_train_9543.csv")),
    )
    found: dict[str, tuple[SetName, str, set[int]]] = {}
    for name, report in read:
        for example in report.examples:
            found.setdefault(example.text, (name, example.text, set()))[2].add(LABELS.index(example.label))
    kept = [(name, text, labels.pop()) for name, text, labels in found.values() if len(labels) == 1]
    stories = story_of([text for _, text, _ in kept])
    parts = assign_parts([StoryText(text, str(story), None) for (_, text, _), story in zip(kept, stories, strict=True)])
    return tuple(Row(*row, part) for row, part in zip(kept, parts, strict=True))


def labelled(part: Part, sets: Collection[SetName], *, at_most: int | None = None) -> LabelledTexts:
    """One part of some of the sets, with features as a training set has them."""
    chosen = [row for row in rows() if row.part == part and row.label_set in sets][:at_most]
    return LabelledTexts(
        ids=[text_hash(row.text)[:32] for row in chosen],
        texts=[row.text for row in chosen],
        labels=np.array([row.label for row in chosen], dtype=np.int64),
        features=np.array([compute_v1(row.text) for row in chosen], dtype=np.float64).reshape(len(chosen), len(V1.names)),
        label_sets=[row.label_set for row in chosen],
    )


def training_data(sets: Collection[SetName], test_sets: Collection[SetName] | None = None) -> TrainingData:
    """Train and validation parts of `sets`, test part of `test_sets` (the same ones by default)."""
    train, validation, test = labelled("train", sets), labelled("validation", sets), labelled("test", test_sets or sets)
    return TrainingData(
        digest="+".join(sorted(sets)),
        feature_schema=V1.version,
        feature_names=V1.names,
        train=train,
        validation=validation,
        test=test,
    )
