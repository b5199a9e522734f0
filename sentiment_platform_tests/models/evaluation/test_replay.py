"""Served requests asked once more: what would change, which requests count, and where there is nothing to replay."""

from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import pytest
from sqlalchemy import Engine, update

from sentiment_platform.errors import PermanentError
from sentiment_platform.features.compute import compute_v1
from sentiment_platform.models.evaluation.answer_changes import AnswerChanges, changes_of
from sentiment_platform.models.evaluation.replay import replay_version, store_replay
from sentiment_platform.models.families import load_model
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.settings import Settings
from sentiment_platform.store.experiments import comparisons_page
from sentiment_platform.store.tables import Prediction
from sentiment_platform.store.versions import get_version
from sentiment_platform.text.sentiment import LABELS
from sentiment_platform_tests.models.versions.vader_versions import label, train
from sentiment_platform_tests.monitoring.seeding import seed_predictions
from sentiment_platform_tests.versions import deploy

DAY = datetime(2026, 3, 2, tzinfo=UTC)
NEGATIVE, NEUTRAL, POSITIVE = (0.8, 0.1, 0.1), (0.1, 0.8, 0.1), (0.1, 0.1, 0.8)


def compared(served: list[tuple[float, ...]], new: list[tuple[float, ...]]) -> AnswerChanges:
    texts = [f"text {row}" for row in range(len(served))]
    times = [DAY + timedelta(hours=row) for row in range(len(served))]
    named = {"version": "v2.0.0-vader", "served_by": "v1.0.0-vader", "other_schema": 0}
    return changes_of(texts, np.array(served), np.array(new), times, ([1.0, 3.0], [2.0]), **named)


def test_share_matrix_score_and_largest_changes_are_those_of_the_answers() -> None:
    changes = compared([NEGATIVE, POSITIVE, NEUTRAL, NEUTRAL], [POSITIVE, POSITIVE, NEUTRAL, NEGATIVE])
    assert (changes.changed.value, changes.changed.n) == (0.5, 4)
    assert changes.changed.low == pytest.approx(0.15004, abs=1e-4)  # Wilson's, of 2 in 4
    assert changes.matrix == [[0, 0, 1], [1, 1, 0], [0, 0, 1]]
    assert changes.score_change.value == pytest.approx((1.4 - 0.7) / 4)
    assert [(one.text, one.label, one.new_label) for one in changes.largest] == [
        ("text 0", "negative", "positive"),
        ("text 3", "neutral", "negative"),
    ]
    assert "from 2026-03-02" in changes.words()
    assert "2.0 ms" in changes.words()


def test_a_version_that_says_the_same_changes_nothing() -> None:
    changes = compared([NEGATIVE, POSITIVE] * 50, [NEGATIVE, POSITIVE] * 50)
    assert (changes.changed.value, changes.score_moved, changes.largest) == (0.0, 0.0, [])
    assert "No answer would change." in changes.report()


@pytest.mark.slow
def test_a_candidate_answers_what_the_champion_served_and_load_tests_repeats_and_unread_texts_do_not_count(
    engine: Engine, settings: Settings
) -> None:
    label(engine)
    access = RegistryAccess(settings)
    made, candidate = train(engine, access), train(engine, access, seed=2).version
    champion = made.version
    assert replay_version(engine, access, candidate) == (
        f"No other version than {candidate} is deployed: there are no answers to hold its own against."
    )
    deploy(engine, made.manifest)
    assert "has not answered a request yet" in str(replay_version(engine, access, candidate))
    texts = ["Profit rose at the mill.", "The bank suffers a terrible loss."]
    values = np.array([compute_v1(text) for text in texts], dtype=np.float64)
    said = np.array([POSITIVE, POSITIVE])
    seed_predictions(engine, values, said, version=champion, texts=texts)
    seed_predictions(engine, values, said, version=champion, texts=texts, prefix="repeated")
    load, unread = (
        seed_predictions(engine, values, said, version=champion, prefix=prefix) for prefix in ("a load test", "not English")
    )
    with engine.begin() as connection:
        connection.execute(update(Prediction).where(Prediction.id.in_(load)).values(traffic="load_test"))
        connection.execute(update(Prediction).where(Prediction.id.in_(unread)).values(supported=False))
    told: list[int] = []
    changes = replay_version(engine, access, candidate, report=told.append)
    assert isinstance(changes, AnswerChanges)
    assert (changes.changed.n, changes.served_by, told[-1]) == (2, champion, 2)
    new = load_model("vader", access.fetch(candidate, manifest_digest(engine, candidate))[0]).predict(texts, values)
    assert changes.changed.value == np.mean(new.argmax(axis=1) != LABELS.index("positive"))
    with engine.begin() as connection:
        slower = msgspec.structs.replace(changes, latency=None)
        assert store_replay(connection, changes, run_id="a") == store_replay(connection, slower, run_id="b")
        assert comparisons_page(connection, 10, 0) == []
    with pytest.raises(PermanentError, match=r"v9\.0\.0-vader is not registered"):
        replay_version(engine, access, "v9.0.0-vader")


def manifest_digest(engine: Engine, version: str) -> str:
    with engine.connect() as connection:
        registered = get_version(connection, version)
    assert registered is not None
    return registered.manifest_digest
