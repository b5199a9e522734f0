"""From a stored training set to the arrays that a family trains on."""

from collections.abc import Sequence
from datetime import UTC

import numpy as np
from sqlalchemy import Engine

from sentiment_platform.errors import PermanentError
from sentiment_platform.features.schema import schema
from sentiment_platform.models.family import LABELS, LabelledTexts, TrainingData
from sentiment_platform.store.training_sets import StoredExample, latest_training_set, training_examples


def read_training_data(engine: Engine, digest: str | None = None) -> TrainingData:
    """The training set with that digest (None: the newest), split as it was stored.

    Raises:
        PermanentError: there is none.
    """
    with engine.connect() as connection:
        newest = latest_training_set(connection, digest)
        if newest is None:
            raise PermanentError(
                f"There is no training set {digest}." if digest else "No training set has been made yet.",
                remedy="Materialize the asset training_set.",
            )
        examples = training_examples(connection, newest.digest)
    return to_training_data(newest.digest, newest.feature_schema, examples)


def to_training_data(digest: str, feature_schema: str, examples: Sequence[StoredExample]) -> TrainingData:
    """Split stored rows into arrays."""
    names = schema(feature_schema).names
    parts = {
        part: _arrays([example for example in examples if example.part == part], len(names))
        for part in ("train", "validation", "test")
    }
    return TrainingData(
        digest=digest,
        feature_schema=feature_schema,
        feature_names=names,
        train=parts["train"],
        validation=parts["validation"],
        test=parts["test"],
    )


def _arrays(rows: Sequence[StoredExample], width: int) -> LabelledTexts:
    days = sorted(row.available_at.astimezone(UTC).date() for row in rows if row.available_at)
    return LabelledTexts(
        ids=[row.example_id for row in rows],
        texts=[row.text for row in rows],
        labels=np.array([LABELS.index(row.label) for row in rows], dtype=np.int64),  # type: ignore[arg-type]
        features=np.array([row.features for row in rows], dtype=np.float64).reshape(len(rows), width),
        label_sets=[row.label_set for row in rows],
        stories=[row.story_id for row in rows],
        days=(days[0], days[-1]) if days else None,
    )
