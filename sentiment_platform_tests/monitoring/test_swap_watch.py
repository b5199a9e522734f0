"""Claims about the watch after a swap: who is as good stays, who is worse goes back once, and nobody's own choice is undone."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import dagster as dg
import numpy as np
import pytest
from sqlalchemy import Engine, update

from sentiment_platform.alerts.incidents import evaluate
from sentiment_platform.clock import utc_now
from sentiment_platform.monitoring.jobs import watch_job
from sentiment_platform.monitoring.sensors import a_swap_is_watched
from sentiment_platform.monitoring.swap_judging import LOOKS, NO_CLASS, Answers, Disagreement, judge_swap, worst
from sentiment_platform.monitoring.swap_watch import Watched, respond, watch
from sentiment_platform.promotion.intents import intent_of_promotion
from sentiment_platform.promotion.next_revision import Intent, Promoted, publish
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.registry.deployment import Evidence, Rule
from sentiment_platform.settings import Settings
from sentiment_platform.store.incidents import open_incidents
from sentiment_platform.store.resources import PlatformResource
from sentiment_platform.store.swap_answers import SwapAnswer
from sentiment_platform.store.tables import Prediction
from sentiment_platform_tests.monitoring.seeding import features, probabilities, seed_predictions
from sentiment_platform_tests.promotion.seeding import offered, release

V1, V2, V3 = "v1.0.0-vader", "v1.1.0-vader", "v1.2.0-vader"
STAND_IN = "v9.0.0-vader"
EARLIER = timedelta(minutes=5)
SHARES = (0.25, 0.45, 0.30)


def sample(
    rng: np.random.Generator,
    n: int,
    *,
    degraded: float = 0.02,
    failed: float = 0.0,
    shares: Sequence[float] = SHARES,
    slower: float = 1.0,
) -> Answers:
    """`n` answers whose times are lognormal, as serving's are, with a median of 12 ms."""
    times = rng.lognormal(np.log(12), 0.5, n) * slower
    return Answers(
        degraded=[bool(one) for one in rng.random(n) < degraded],
        failed=[bool(one) for one in np.random.default_rng(n).random(n) < failed],
        classes=[int(one) for one in rng.choice(3, n, p=np.array(shares) / sum(shares))],
        latency_ms=[float(one) for one in times],
    )


def test_of_equal_versions_at_most_one_in_a_hundred_is_sent_back() -> None:
    rng = np.random.default_rng(11)
    sent_back = 0
    for _ in range(200):
        shares = rng.dirichlet((4, 6, 5))
        common = {"degraded": float(rng.uniform(0, 0.3)), "shares": shares}
        told = Disagreement(asked=200, different=int(rng.binomial(200, 0.15)), expected=0.15)
        new, before = sample(rng, 1000, **common), sample(rng, 1000, **common)  # type: ignore[arg-type]
        sent_back += any(worst(judge_swap(new.first(look), before, told)) for look in LOOKS)
    assert sent_back <= 2


@pytest.mark.parametrize(
    ("metric", "worse"),
    [
        ("p95", {"slower": 2.0}),
        ("class_share", {"shares": (0.0, 0.6, 0.4)}),
        ("degraded", {"degraded": 0.3}),
        ("errors", {"failed": 0.05}),
    ],
)
def test_what_is_worse_is_found_within_a_thousand_answers(metric: str, worse: dict[str, object]) -> None:
    rng = np.random.default_rng(5)
    found = []
    for _ in range(100):
        reason = worst(judge_swap(sample(rng, 1000, **worse), sample(rng, 1000)))  # type: ignore[arg-type]
        found.append(reason.metric if reason else None)
    assert found.count(metric) >= 95


def test_other_answers_to_the_same_texts_are_a_reason_only_beyond_what_the_holdout_said() -> None:
    rng = np.random.default_rng(2)
    new, before = sample(rng, 200), sample(rng, 200)

    def reason(different: int, expected: float | None) -> str | None:
        found = worst(judge_swap(new, before, Disagreement(asked=200, different=different, expected=expected)))
        return found.metric if found else None

    assert reason(120, 0.2) == "disagreement"
    assert reason(120, 0.55) is None
    assert reason(50, None) is None


def test_too_few_answers_and_a_small_difference_are_no_reason() -> None:
    rng = np.random.default_rng(1)
    assert judge_swap(sample(rng, 49, degraded=1.0), sample(rng, 1000)) == []
    assert judge_swap(sample(rng, 1000, degraded=1.0), sample(rng, 49)) == []
    small = judge_swap(sample(rng, 1000, degraded=0.09), sample(rng, 1000, degraded=0.02))
    degraded = next(one for one in small if one.metric == "degraded")
    assert (degraded.p < 0.001, degraded.worse) == (True, False), "certain, and small"


def test_a_version_that_fails_needs_no_comparison_and_what_it_did_not_answer_has_no_class() -> None:
    rng = np.random.default_rng(3)
    reason = worst(judge_swap(sample(rng, 60, failed=0.5), sample(rng, 3)))
    assert reason is not None
    assert (reason.metric, reason.n) == ("errors", 50)
    assert worst(judge_swap(sample(rng, 60), sample(rng, 3))) is None, "the control: it fails at nothing"
    few = sample(rng, 1000)
    gone = replace(few, classes=[NO_CLASS if number % 5 else one for number, one in enumerate(few.classes)])
    judged = judge_swap(gone, sample(rng, 1000))
    assert [one.worse for one in judged if one.metric == "class_share"] == [False] * 3


@pytest.fixture
def access(settings: Settings) -> RegistryAccess:
    return RegistryAccess(settings)


@pytest.fixture
def released(engine: Engine, access: RegistryAccess, tmp_path: Path) -> None:
    for version in (V1, V2, V3):
        release(engine, access, tmp_path, version)


def deploy(engine: Engine, access: RegistryAccess, version: str, rule: Rule = "gate") -> Promoted:
    intent = Intent(
        champions={"vader": version},
        default_family="vader",
        rule=rule,
        actor="gate",
        reason="better",
        evidence=Evidence((), (), {}, "so"),
    )
    return publish(engine, access, intent, holder="test", now=utc_now)


def ask(
    engine: Engine,
    version: str,
    n: int = 120,
    *,
    degraded: bool = False,
    reason: str = "deadline",
    prefix: str = "new",
    ago: timedelta = timedelta(),
) -> None:
    """So many texts that `version` was to answer, up to `ago` before the next hour; `degraded`: another version did, for the `reason`."""
    ids = seed_predictions(
        engine,
        features(n, 1),
        probabilities(n, 2),
        version=version,
        until=utc_now() - ago + timedelta(minutes=n),
        prefix=f"{prefix}-{version}",
    )
    with engine.begin() as connection:
        change = {
            Prediction.predicted_at: utc_now() - ago,
            Prediction.degraded: degraded,
            Prediction.latency_ms: {"inference": 2.0},
        }
        if degraded:
            change |= {Prediction.model_version: STAND_IN, Prediction.instead_of: version, Prediction.degraded_reason: reason}
        connection.execute(update(Prediction).where(Prediction.id.in_(ids)).values(change))


def act(engine: Engine, access: RegistryAccess) -> tuple[list[Watched], Promoted | None]:
    """A look a minute after the newest answers, and what follows."""
    watched = watch(engine, utc_now())
    reason = next((one for one in watched if one.reason), None)
    return watched, respond(engine, access, reason, holder="watch", now=utc_now) if reason else None


def incidents(engine: Engine) -> list[tuple[str, str]]:
    with engine.connect() as connection:
        return [(one.fingerprint, one.severity) for one in open_incidents(connection)]


@pytest.mark.usefixtures("released")
def test_a_version_that_fails_goes_back_and_the_one_that_stood_in_for_it_is_not_blamed(
    engine: Engine, access: RegistryAccess
) -> None:
    deploy(engine, access, V1)
    ask(engine, V1, ago=EARLIER)
    deploy(engine, access, V2)
    ask(engine, V2)
    ask(engine, V3, degraded=True, reason="model_error", prefix="other")
    with engine.begin() as connection:
        connection.execute(update(Prediction).where(Prediction.instead_of == V3).values({Prediction.model_version: V2}))
    ((watched,), nothing) = act(engine, access)
    assert (watched.reason, watched.answers, nothing) == (None, 120, None), (
        "V2 answered in the place of V3, which is not its fault"
    )
    ask(engine, V2, degraded=True, reason="model_error", prefix="failed")
    _, back = act(engine, access)
    assert back is not None
    assert (back.document.versions(), back.document.actor) == ({"vader": V1}, "auto_rollback:errors")


@pytest.mark.usefixtures("released")
def test_a_degraded_version_goes_back_by_itself_once_with_the_metric_as_actor_and_an_incident(
    engine: Engine, access: RegistryAccess, settings: Settings
) -> None:
    deploy(engine, access, V1)
    ask(engine, V1, ago=EARLIER)
    deploy(engine, access, V2)
    assert act(engine, access)[1] is None, "nothing was asked yet"
    ask(engine, V2, degraded=True)
    platform = PlatformResource(overrides=overrides(settings))
    with dg.build_sensor_context(resources={"platform": platform}) as context:
        asked = a_swap_is_watched(context)
    assert isinstance(asked, dg.SensorResult)
    (request,) = asked.run_requests or []
    assert request.run_key == f"watch-{V2}-2-2"
    watched, back = act(engine, access)
    assert back is not None
    document = offered(access).document
    assert document == back.document
    assert (document.versions(), document.rule, document.actor) == ({"vader": V1}, "rollback", "auto_rollback:degraded")
    assert document.reason.startswith("auto_rollback:degraded: v1.1.0-vader took the place of v1.0.0-vader")
    figures = document.evidence.figures
    assert (figures["left"], figures["n"], figures["now"], figures["restores"]) == (V2, 50, 1.0, 1)
    assert watched[0].swap.response == "roll back"
    assert incidents(engine) == [(f"swap:{V2}", "critical")]
    evaluate(engine, utc_now())
    assert (f"swap:{V2}", "critical") in incidents(engine), "alerts go on telling it"
    # A rollback is not rolled back, whatever the version answers to which it went.
    ask(engine, V1, degraded=True, prefix="after")
    assert act(engine, access) == ([], None)
    # Within the cool-down the next bad swap is told and left to people.
    deploy(engine, access, V3)
    ask(engine, V3, degraded=True)
    (third,), nothing = act(engine, access)
    assert third.reason is not None
    assert (third.swap.response, nothing) == ("warn", None)
    assert third.swap.why == "deploy-000003 went back by itself less than 24 hours ago"
    assert sorted(incidents(engine)) == [(f"swap:{V2}", "critical"), (f"swap:{V3}", "warning")]


@pytest.mark.usefixtures("released")
def test_what_a_person_chose_is_warned_about_and_stays(engine: Engine, access: RegistryAccess) -> None:
    deploy(engine, access, V1)
    ask(engine, V1, ago=EARLIER)
    publish(engine, access, intent_of_promotion(engine, V2, "ada", "I know it"), holder="ada", now=utc_now)
    ask(engine, V2, degraded=True)
    (watched,), back = act(engine, access)
    assert back is None
    assert watched.reason is not None
    assert offered(access).document.versions() == {"vader": V2}
    assert incidents(engine) == [(f"swap:{V2}", "warning")]
    evaluate(engine, utc_now())
    assert (f"swap:{V2}", "warning") in incidents(engine)


@pytest.mark.usefixtures("released")
def test_as_good_a_version_stays_and_texts_are_answered_again_by_the_one_before(engine: Engine, access: RegistryAccess) -> None:
    deploy(engine, access, V1)
    ask(engine, V1, ago=EARLIER)
    deploy(engine, access, V2)
    ask(engine, V2)
    asked: list[tuple[str, int]] = []

    def rescore(version: str, answers: Sequence[SwapAnswer]) -> list[int]:
        asked.append((version, len(answers)))
        return [(int(np.argmax(one.probabilities)) + 1) % 3 for one in answers]

    (same,) = watch(engine, utc_now())
    assert (same.reason, same.answers) == (None, 120)
    (other,) = watch(engine, utc_now(), rescore)
    assert asked == [(V1, 100)]
    assert other.reason is not None
    assert other.reason.metric == "disagreement"
    assert watch(engine, utc_now() + timedelta(hours=1, minutes=1)) == [], "the watch is over"


def overrides(settings: Settings) -> dict[str, str]:
    return {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "SENTIMENT_REGISTRY_REPOSITORY": settings.registry_repository,
        "SENTIMENT_REGISTRY_URL": settings.registry_url,
        "SENTIMENT_REGISTRY_TOKEN": settings.registry_token,
        "SENTIMENT_SIGNING_KEYS": settings.signing_keys,
        "SENTIMENT_PUBLIC_KEYS": settings.public_keys,
        "SENTIMENT_STATE_DIR": str(settings.state_dir),
    }


@pytest.mark.usefixtures("released")
def test_the_job_goes_back_and_says_so_on_its_page(engine: Engine, access: RegistryAccess, settings: Settings) -> None:
    from sentiment_platform.definitions import defs

    deploy(engine, access, V1)
    ask(engine, V1, ago=EARLIER)
    deploy(engine, access, V2)
    ask(engine, V2, degraded=True)
    job = defs.resolve_job_def(watch_job.name)
    with dg.DagsterInstance.ephemeral() as instance:
        ran = job.execute_in_process(instance=instance, resources={"platform": PlatformResource(overrides=overrides(settings))})
    (made,) = ran.asset_materializations_for_node("swap_watch")
    assert made.metadata["rolled_back"].value == "deploy-000003"
    assert offered(access).document.actor == "auto_rollback:degraded"
