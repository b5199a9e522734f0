"""The evaluation of a family answers what the comparison will weigh, with the clock that it is given."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from sentiment_platform.errors import PermanentError
from sentiment_platform.experiments.holdout_comparison import compare_on_holdout
from sentiment_platform.models.evaluation.holdout import evaluate_family
from sentiment_platform.promotion.deciding import decide_and_publish
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.settings import Settings
from sentiment_platform.store.figures import holdout_predictions
from sentiment_platform_tests.models.versions.vader_versions import label, train
from sentiment_platform_tests.promotion.seeding import clock, make_evidence

NOW = datetime(2026, 3, 3, tzinfo=UTC)
V1, V2 = "v1.0.0-vader", "v1.0.1-vader"


def answered(engine: Engine, training_set: str) -> dict[str, int]:
    with engine.connect() as connection:
        return {version: len(holdout_predictions(connection, version, training_set)) for version in (V1, V2)}


def test_a_champion_that_has_not_answered_the_newest_holdout_is_evaluated_beside_the_newest_version(
    engine: Engine, settings: Settings
) -> None:
    access = RegistryAccess(settings)
    label(engine)
    train(engine, access)
    assert evaluate_family(engine, access, "finbert", NOW) is None, "it has no version"
    alone = evaluate_family(engine, access, "vader", NOW)
    assert alone is not None
    assert (alone.newest.version, alone.champion) == (V1, None)
    make_evidence(engine)
    assert decide_and_publish(engine, access, run_id="r", now=clock).published
    label(engine, extra=40)
    assert train(engine, access).version == V2
    # The control: nobody who compares makes the answers that are missing.
    with pytest.raises(PermanentError, match=f"{V1} answered 0 of .* Materialize the asset vader_evaluation"):
        compare_on_holdout(engine, NOW)
    evaluated = evaluate_family(engine, access, "vader", NOW + timedelta(hours=1))
    assert evaluated is not None
    assert evaluated.champion is not None
    assert (evaluated.newest.version, evaluated.champion.version) == (V2, V1)
    n = len(evaluated.newest.example_ids)
    assert answered(engine, evaluated.newest.training_set) == {V1: n, V2: n}
    assert compare_on_holdout(engine, NOW).contenders.versions() == [V1, V2]
    with engine.connect() as connection:
        query = text("SELECT DISTINCT version, as_of FROM platform.model_performance ORDER BY as_of, version")
        dated = [tuple(row) for row in connection.execute(query)]
    assert dated == [(V1, NOW), (V1, NOW + timedelta(hours=1)), (V2, NOW + timedelta(hours=1))]
    again = evaluate_family(engine, access, "vader", NOW + timedelta(hours=2))
    assert again is not None
    assert (again.champion, again.figures_added) == (None, 0)
