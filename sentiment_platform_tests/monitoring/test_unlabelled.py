"""Claims about the estimate without labels: the holdout's calibration decides whether it is told."""

from typing import get_args

import numpy as np
import pytest
from sqlalchemy import Engine

from sentiment_platform.monitoring.unlabelled import estimated_in_words
from sentiment_platform.store.training_sets import StoredExample
from sentiment_platform.text.sentiment import Label
from sentiment_platform_tests.monitoring.seeding import (
    DIGEST,
    NOW,
    VERSION,
    features,
    probabilities,
    seed_deployment,
    seed_version,
    seed_weeks,
)
from sentiment_platform_tests.versions import answer_holdout, store_training_set

LABELS = get_args(Label)


@pytest.mark.parametrize(
    ("sharpened", "words"), [(1.0, "Estimated without labels: 0."), (3.0, "Estimated without labels: not reliable: ")]
)
def test_the_estimate_is_told_where_the_holdout_is_calibrated_and_nowhere_else(
    engine: Engine, sharpened: float, words: str
) -> None:
    true = probabilities(400, 5)
    drawn = (np.random.default_rng(6).random((400, 1)) > true.cumsum(axis=1)[:, :2]).sum(axis=1)
    said = true**sharpened / (true**sharpened).sum(axis=1, keepdims=True)
    examples = [
        StoredExample(
            example_id=f"held out {i}",
            part="test",
            text=f"held out {i}",
            label=LABELS[label],
            label_set="tests",
            story_id=f"story {i}",
            available_at=None,
            features=tuple(features(1, i)[0]),
        )
        for i, label in enumerate(drawn)
    ]
    store_training_set(engine, DIGEST, examples)
    seed_version(engine)
    seed_deployment(engine)
    answer_holdout(engine, VERSION, DIGEST, {f"held out {i}": [float(p) for p in row] for i, row in enumerate(said)})
    seed_weeks(engine, (0,))
    with engine.connect() as connection:
        assert estimated_in_words(connection, NOW).startswith(words)
