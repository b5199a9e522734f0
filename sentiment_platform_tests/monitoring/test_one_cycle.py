"""Claims about one monitoring cycle: after it every kind of drift has its rows, and a version that was deployed just now is watched."""

import dagster as dg
import pytest
from sqlalchemy import Engine

from sentiment_platform.features.schema import V1
from sentiment_platform.monitoring import assets
from sentiment_platform.monitoring.fit_words import read_fit
from sentiment_platform.monitoring.severity import CONFIDENCE, PREDICTED_LABEL, SENTIMENT, TEXT
from sentiment_platform.store.drift import fit_rows, newest_drift_rows
from sentiment_platform.store.figures import newest_figures
from sentiment_platform.store.resources import PlatformResource
from sentiment_platform.text.sentiment import LABELS
from sentiment_platform_tests.monitoring.seeding import (
    DIGEST,
    VERSION,
    answering,
    audit_everything,
    seed_deployed,
    seed_deployment,
    seed_version,
    seed_weeks,
)
from sentiment_platform_tests.versions import answer_holdout

NEXT = "v1.1.0-vader"


def cycle(platform: PlatformResource) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        watched = [assets.predictions, assets.drift_report, assets.performance_report, assets.retrain_decision]
        assert dg.materialize(watched, instance=instance, resources={"platform": platform}).success


def windows_of(engine: Engine, version: str) -> set[str]:
    with engine.connect() as connection:
        return {figure.window for figure in newest_figures(connection, [version]) if figure.metric == "accuracy"}


def subjects(engine: Engine, version: str) -> set[str]:
    with engine.connect() as connection:
        return {row.feature for row in newest_drift_rows(connection, version)}


def test_after_a_cycle_features_scores_texts_and_accuracy_have_their_rows(engine: Engine, platform: PlatformResource) -> None:
    seed_deployed(engine)
    seed_weeks(engine)
    audit_everything(engine, right=8)
    assert (subjects(engine, VERSION), windows_of(engine, VERSION)) == (set(), set())
    cycle(platform)
    assert subjects(engine, VERSION) == {*V1.names, SENTIMENT, CONFIDENCE, PREDICTED_LABEL, TEXT}
    assert {"audit:7d", "audit:30d"} <= windows_of(engine, VERSION)


@pytest.mark.parametrize("has_answered", [True, False])
def test_a_version_that_was_deployed_just_now_is_watched_after_one_cycle(
    engine: Engine, platform: PlatformResource, has_answered: bool
) -> None:
    """What the pages Drift and Accuracy read of it is there: a test of every subject against the weeks before, fit, and accuracy."""
    seed_deployed(engine)
    seed_weeks(engine, (1, 2, 3, 4))
    cycle(platform)
    seed_version(engine, version=NEXT)
    seed_deployment(engine, NEXT)
    answer_holdout(engine, NEXT, DIGEST, {f"held out {i}": answering(LABELS[i % 3]) for i in range(400)})
    seed_weeks(engine, (0,), version=NEXT if has_answered else VERSION, texts="just now")
    audit_everything(engine, right=8)
    assert (subjects(engine, NEXT), windows_of(engine, NEXT)) == (set(), set())
    cycle(platform)
    assert subjects(engine, NEXT) == {*V1.names, SENTIMENT, CONFIDENCE, PREDICTED_LABEL, TEXT}
    with engine.connect() as connection:
        tests, fit = newest_drift_rows(connection, NEXT), fit_rows(connection, NEXT)
        assert NEXT in read_fit(connection, NEXT).words
    judged = {row.feature for row in tests if row.statistic is not None}
    assert judged >= {*V1.names, TEXT}, "what was asked before is the reference, whichever version answered"
    assert {row.reference for row in tests} == {f"{NEXT}:earlier"}
    assert {row.reference for row in fit} >= {f"{NEXT}:train"}
    assert ("audit:7d" in windows_of(engine, NEXT)) is has_answered, (
        "without an answer of its own there is nothing to be right about"
    )
