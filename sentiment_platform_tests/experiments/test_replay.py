"""Logged requests through the version in shadow, and the steps of an experiment as signed deployments: real models, a real registry."""

from collections.abc import Iterator
from functools import partial

import pytest
from sqlalchemy import Engine, text

from sentiment_platform.errors import PermanentError
from sentiment_platform.experiments.online_reading import evaluate_running
from sentiment_platform.experiments.replay import Replayed, replay
from sentiment_platform.experiments.standing import standing
from sentiment_platform.promotion.experiment_steps import Start, intent_of_start, intent_of_stop
from sentiment_platform.promotion.intents import intent_of_promotion, intent_of_rollback
from sentiment_platform.promotion.next_revision import publish
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.registry.deployment import Deployment
from sentiment_platform.registry.reader import LatestDeployment
from sentiment_platform.settings import Settings
from sentiment_platform_tests.experiments.online import add_label_sets, write_words
from sentiment_platform_tests.monitoring.seeding import NOW, features, probabilities, seed_predictions
from sentiment_platform_tests.promotion.seeding import clock
from sentiment_platform_tests.serving.publishing import Publisher

CHAMPION, CHALLENGER = "v1.0.0-vader", "v1.1.0-vader"
LATER = clock()


@pytest.fixture
def access(settings: Settings) -> RegistryAccess:
    return RegistryAccess(settings)


@pytest.fixture
def published(settings: Settings, engine: Engine) -> Iterator[Publisher]:
    """A champion that is deployed, and a challenger that is not."""
    publisher = Publisher(settings, engine)
    publisher.deploy(publisher.model(CHAMPION))
    publisher.model(CHALLENGER, steepness=2.0)
    yield publisher
    publisher.close()


def start(engine: Engine, access: RegistryAccess, **changes: object) -> Deployment:
    wanted = Start(**({"version": CHALLENGER, "actor": "ada", "reason": "equal offline"} | changes))  # type: ignore[arg-type]
    return publish(engine, access, partial(intent_of_start, start=wanted), holder="ada", now=clock).document


def serve(engine: Engine, revision: int, n: int, prefix: str = "asked") -> None:
    """Requests that the champion answered while that deployment ran."""
    ids = seed_predictions(engine, features(n, 1), probabilities(n, 1), version=CHAMPION, until=LATER, prefix=prefix)
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE platform.predictions SET deployment_revision = :revision, predicted_at = :at WHERE id = ANY(:ids)"),
            {"revision": revision, "at": clock(), "ids": ids},
        )


def answered(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.execute(text("SELECT count(*) FROM platform.shadow_answers")).scalar_one()


def test_logged_requests_are_answered_in_shadow_once_within_share_and_cap_and_those_of_before_never(
    engine: Engine, access: RegistryAccess, published: Publisher
) -> None:
    assert replay(engine, lambda: access, clock()) is None
    serve(engine, 1, 50, "before")
    document = start(engine, access, share=0.5, daily_cap=60)
    with access.reader() as reader:
        offered = reader.poll_latest()
    assert isinstance(offered, LatestDeployment)
    assert (offered.document, CHALLENGER in offered.manifests) == (document, True)
    assert (document.versions(), document.rule, document.actor) == ({"vader": CHAMPION}, "manual", "ada")
    assert replay(engine, lambda: access, clock()) == Replayed(0, more=False)
    serve(engine, document.revision, 100)
    assert replay(engine, lambda: access, clock(), most=20) == Replayed(20, more=True)
    rest = replay(engine, lambda: access, clock())
    assert rest is not None
    assert 30 < 20 + rest.answered < 60
    assert replay(engine, lambda: access, clock()) == Replayed(0, more=False)
    serve(engine, document.revision, 200, "many")
    replay(engine, lambda: access, clock())
    assert answered(engine) == 60
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT prediction_id, probabilities, made_by, model_version FROM platform.shadow_answers")
        ).all()
    assert not any(row.prediction_id.startswith("before") for row in rows)
    assert {(row.made_by, row.model_version) for row in rows} == {("replay", CHALLENGER)}
    assert all(sum(row.probabilities) == pytest.approx(1) for row in rows)
    evaluated = evaluate_running(engine, run_id="run")
    assert evaluated is not None
    assert evaluated.evaluation.asked == 60
    stands = standing(engine)
    assert stands is not None
    assert (
        "answers 50.0% of the requests of v1.0.0-vader in shadow, 60 a day at most; nobody is served its answers." in stands.words
    )


def test_a_request_whose_text_has_a_label_is_answered_whatever_the_share_and_is_a_pair(
    engine: Engine, access: RegistryAccess, published: Publisher
) -> None:
    document = start(engine, access, share=0.001, daily_cap=1)
    serve(engine, document.revision, 60)
    add_label_sets(engine)
    write_words(engine, [f"asked {n}" for n in range(40, 50)])
    assert replay(engine, lambda: access, clock()) == Replayed(10, more=False)
    evaluated = evaluate_running(engine, run_id="run")
    assert evaluated is not None
    assert evaluated.evaluation.paired is not None
    assert evaluated.evaluation.paired.stories == 10


def test_a_shadow_goes_on_under_deployments_that_leave_its_champion_and_ends_with_it(
    engine: Engine, access: RegistryAccess, published: Publisher
) -> None:
    other = published.model("v2.0.0-vader", steepness=3.0)
    first = start(engine, access)
    assert first.shadow
    again = publish(
        engine, access, partial(intent_of_promotion, version=CHAMPION, actor="ada", reason="r"), holder="ada", now=clock
    )
    assert again.document.shadow == first.shadow
    replaced = publish(
        engine, access, partial(intent_of_promotion, version=other.version, actor="ada", reason="r"), holder="ada", now=clock
    )
    assert not replaced.document.shadow
    back = publish(engine, access, partial(intent_of_rollback, actor="ada", reason="r"), holder="ada", now=clock)
    assert (back.document.versions(), bool(back.document.shadow)) == ({"vader": CHAMPION}, False)
    second = start(engine, access)
    assert second.shadow
    assert second.shadow.phase == 2
    split = start(engine, access, split=0.5, overrules=True)
    assert split.experiment is not None
    undone = publish(engine, access, partial(intent_of_rollback, actor="ada", reason="r"), holder="ada", now=clock).document
    assert (undone.experiment, bool(undone.shadow)) == (None, False)
    assert start(engine, access).shadow
    stopped = publish(engine, access, partial(intent_of_stop, actor="ada", reason="enough"), holder="ada", now=clock).document
    assert (bool(stopped.shadow), stopped.experiment) == (False, None)
    assert "Stopped by ada: enough" in stopped.evidence.verdict
    with pytest.raises(PermanentError, match="No experiment runs"):
        intent_of_stop(engine, "ada", "again")


def test_a_start_that_makes_no_sense_is_refused_with_its_remedy_and_a_split_needs_its_shadow(
    engine: Engine, access: RegistryAccess, published: Publisher
) -> None:
    for changes, why in (
        ({"version": "v9.0.0-vader"}, "is not registered"),
        ({"version": CHAMPION}, "answers already"),
        ({"beside": CHALLENGER}, "is no champion"),
        ({"split": 0.1}, "was not evaluated in shadow"),
        ({"name": "two words"}, "is no name of an experiment"),
    ):
        with pytest.raises(PermanentError, match=why):
            start(engine, access, **changes)
    start(engine, access, name="one")
    with pytest.raises(PermanentError, match="Experiment one runs"):
        start(engine, access, name="two")
    with pytest.raises(PermanentError, match="runs like this already, in phase 1"):
        start(engine, access, name="one")
    evaluate_running(engine, run_id="run")
    with pytest.raises(PermanentError, match=r"the verdict on .* is goes on"):
        start(engine, access, name="one", split=0.1)
    split = start(engine, access, name="one", split=0.1, overrules=True)
    assert split.experiment is not None
    assert (split.experiment.phase, {name: arm.weight for name, arm in split.experiment.arms.items()}) == (
        2,
        {"control": 0.9, "challenger": 0.1},
    )
    assert "Overruled: In shadow the verdict" in split.evidence.verdict
    assert NOW < LATER
