"""Claims about the estimate without labels: the holdout's calibration decides whether it is told."""

from typing import get_args

import numpy as np
import pytest
from sqlalchemy import Engine, select

from sentiment_platform.monitoring.unlabelled import CONTRADICTED, ESTIMATED, estimate_and_store
from sentiment_platform.served.performance import measure_performance
from sentiment_platform.store.figures import newest_figures
from sentiment_platform.store.tables import Prediction
from sentiment_platform.store.training_sets import StoredExample
from sentiment_platform.text.sentiment import Label
from sentiment_platform_tests.monitoring.seeding import (
    DIGEST,
    NOW,
    VERSION,
    features,
    probabilities,
    seed_audit,
    seed_deployment,
    seed_version,
    seed_weeks,
)
from sentiment_platform_tests.versions import answer_holdout, store_training_set

LABELS = get_args(Label)


def deploy_with_holdout(engine: Engine, sharpened: float = 1.0) -> None:
    """A version that says of its holdout what is true, with its confidence raised to a power, and a week that was answered."""
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


@pytest.mark.parametrize(
    ("sharpened", "words"), [(1.0, "Estimated without labels: 0."), (3.0, "Estimated without labels: not reliable: ")]
)
def test_the_estimate_is_told_where_the_holdout_is_calibrated_and_nowhere_else(
    engine: Engine, sharpened: float, words: str
) -> None:
    deploy_with_holdout(engine, sharpened)
    told = estimate_and_store(engine, NOW).words
    assert told.startswith(words)
    assert told.endswith("No audit to hold it against yet.")


@pytest.mark.parametrize("right", [True, False])
def test_an_estimate_that_the_audit_excludes_is_not_reliable_and_one_that_it_includes_is(engine: Engine, right: bool) -> None:
    """People label what the version was asked: as its own confidence promises, or otherwise throughout."""
    deploy_with_holdout(engine)
    with engine.connect() as connection:
        answers = connection.execute(
            select(Prediction.text, Prediction.probabilities).where(Prediction.model_version == VERSION)
        ).all()
    draw = np.random.default_rng(7).random(len(answers))
    as_promised = {text: LABELS[int((u > np.cumsum(p)[:2]).sum())] for (text, p), u in zip(answers, draw, strict=True)}
    seed_audit(engine, as_promised if right else {text: LABELS[int(np.argmin(p))] for text, p in answers})
    measure_performance(engine, NOW)
    seen = estimate_and_store(engine, NOW)
    assert (seen.note == CONTRADICTED) is not right
    assert seen.audit is not None
    assert f"The audit sample says {seen.audit.value:.3f} (" in seen.words
    assert f"differs by {seen.difference:+.3f}" in seen.words
    with engine.connect() as connection:
        (stored,) = (figure for figure in newest_figures(connection) if figure.window == ESTIMATED)
    assert (stored.metric, stored.note) == ("accuracy", seen.note)
