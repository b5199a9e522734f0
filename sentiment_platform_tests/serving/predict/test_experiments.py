"""Claims about experiments at work: sticky arms that the answer names, and a version in shadow that nobody is served."""

import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine, select

from sentiment_platform.experiments.assignment import CHALLENGER, CONTROL, arm_of, shadow_answer_id, unit_hash
from sentiment_platform.experiments.online_reading import evaluate_running
from sentiment_platform.models.transformer.runtime import load_transformer
from sentiment_platform.registry.deployment import Arm, Deployment, Experiment, Shadow
from sentiment_platform.registry.documents import digest
from sentiment_platform.registry.manifest import Manifest
from sentiment_platform.settings import Settings
from sentiment_platform.store.api_keys import create_key
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform.store.tables import Prediction, ShadowAnswer
from sentiment_platform_tests.models.exported_tiny_transformer import export_tiny_transformer
from sentiment_platform_tests.serving.publishing import Publisher
from sentiment_platform_tests.serving.running import ServingProcess, metric
from sentiment_platform_tests.versions import mirror

pytestmark = pytest.mark.slow

TEXT = "Harbour Mills reports great profit"
KEY = {"X-API-Key": "the-configured-key"}
CHAMPION, TRIED, THIRD = "v1.0.0-vader", "v1.0.1-vader", "v1.0.2-vader"


def split(champion: Manifest, tried: Manifest, weight: float, phase: int = 1) -> Experiment:
    arms = {
        CONTROL: Arm(champion.version, digest(champion), 1 - weight),
        CHALLENGER: Arm(tried.version, digest(tried), weight),
    }
    return Experiment("trial", phase, arms)


def in_shadow(tried: Manifest, share: float = 1.0, daily_cap: int = 1000, phase: int = 1) -> Shadow:
    return Shadow(
        name="trial",
        phase=phase,
        version=tried.version,
        manifest_digest=digest(tried),
        beside=CHAMPION,
        share=share,
        daily_cap=daily_cap,
    )


class World:
    """One process, its registry and database, for all questions of this module."""

    def __init__(self, settings: Settings) -> None:
        self.engine: Engine = create_platform_engine(settings.database_url)
        self.publisher = Publisher(settings, self.engine)
        self.champion = self.publisher.model(CHAMPION)
        self.tried = self.publisher.model(TRIED, steepness=1.5)
        self.publisher.deploy(self.champion)
        self.serving = ServingProcess(settings, SENTIMENT_ADMIN_KEY=KEY["X-API-Key"]).start()

    def deploy(self, **beside: Any) -> Deployment:
        """The champion with what is beside it; returns once that is loaded, or known not to be."""
        document = msgspec.structs.replace(self.publisher.document([self.champion]), **beside)
        self.publisher.registry.publish_deployment(document, self.publisher.keys, fence=lambda: None)
        self.publisher.deployed.append(document)
        mirror(self.engine, document, document.created_at)
        self.serving.wait_until(
            lambda: (now := self.serving.status())["deployment"]["revision"] == document.revision and self.settled(now)
        )
        return document

    @staticmethod
    def settled(status: dict[str, Any]) -> bool:
        experiment = status["experiment"]
        return not experiment or all(one["loaded"] or one["absent"] for one in experiment["versions"])

    def ask(self, text: str = TEXT, path: str = "/predict", headers: dict[str, str] | None = None, **fields: Any) -> Any:
        reply = self.serving.client.post(path, json={"text": text, **fields}, headers=headers or {})
        assert reply.status_code == 200, reply.text
        return reply

    def row(self, prediction_id: str) -> Any:
        def read() -> Any:
            with self.engine.connect() as connection:
                return connection.execute(select(Prediction.__table__).where(Prediction.id == prediction_id)).one_or_none()

        return self.serving.wait_until(read)

    def shadow_answers(self) -> dict[str, Any]:
        """Id of the prediction -> the answer in shadow."""
        with self.engine.connect() as connection:
            return {row.prediction_id: row for row in connection.execute(select(ShadowAnswer.__table__))}


@pytest.fixture(scope="module")
def world(module_settings: Settings) -> Iterator[World]:
    world = World(module_settings)
    yield world
    world.serving.stop()
    world.publisher.close()
    world.engine.dispose()


def version_of(reply: Any) -> str:
    return reply.json()["performance"]["model_version"]


def test_each_unit_stays_in_its_arm_which_the_answer_names_and_the_row_keeps(world: World) -> None:
    plain = world.ask(unit_id="reader 1")
    assert "x-experiment" not in plain.headers, "the control: no experiment runs"
    experiment = split(world.champion, world.tried, 0.5)
    world.deploy(experiment=experiment)
    versions = {CONTROL: CHAMPION, CHALLENGER: TRIED}
    arms = {f"reader {number}": arm_of(experiment, f"reader {number}") for number in range(20)}
    assert set(arms.values()) == {CONTROL, CHALLENGER}
    for unit, arm in arms.items():
        reply = world.ask(f"{TEXT} {unit}", unit_id=unit)
        assert (reply.headers["x-experiment"], reply.headers["x-experiment-arm"]) == ("trial/1", arm)
        assert version_of(reply) == versions[arm]
    row = world.row(world.ask(unit_id="reader 3").json()["prediction_id"])
    expected = ("trial", arms["reader 3"], unit_hash("trial", "reader 3"), versions[arms["reader 3"]])
    assert (row.experiment, row.arm, row.unit, row.model_version) == expected
    manifest = world.tried if arms["reader 3"] == CHALLENGER else world.champion
    assert (row.manifest_digest, row.feature_schema, len(row.features_hash)) == (digest(manifest), "v1", 64)
    assert (row.degraded, row.cache_hit, row.latency_ms.keys()) == (False, False, {"total", "inference"})
    text = world.serving.client.get("/metrics").text
    counted = {arm: metric(text, "serving_experiment_answers_total", experiment="trial", phase="1", arm=arm) for arm in versions}
    assert counted[CHALLENGER] >= sum(arm == CHALLENGER for arm in arms.values())
    assert sum(counted.values()) == len(arms) + 1

    world.deploy(experiment=split(world.champion, world.tried, 0.9, phase=2))
    moved = {unit: world.ask(unit_id=unit).headers["x-experiment-arm"] for unit in arms}
    assert all(moved[unit] == CHALLENGER for unit, arm in arms.items() if arm == CHALLENGER), "nobody leaves the challenger"
    last = world.ask(unit_id="reader 3")
    assert last.headers["x-experiment"] == "trial/2"
    world.row(last.json()["prediction_id"])
    assert evaluate_running(world.engine, run_id="run") is not None
    shown = {one["name"]: one for one in world.serving.client.get("/experiments").json()["online"]["arms"]}
    assert {arm: (shown[arm]["units"], shown[arm]["version"]) for arm in versions} == {
        arm: (list(moved.values()).count(arm), version) for arm, version in versions.items()
    }, "of this phase alone"
    assert sum(one["answers"] for one in shown.values()) == len(moved) + 1


def test_without_a_unit_the_key_counts_and_then_the_text(world: World) -> None:
    experiment = split(world.champion, world.tried, 0.5, phase=3)
    world.deploy(experiment=experiment)
    with world.engine.begin() as connection:
        keys = [create_key(connection, "viewer", f"reader {number}") for number in range(3)]
    for key in keys:
        headers, key_id = {"X-API-Key": key}, key.split("_")[1]
        arms = {world.ask(f"{TEXT} {number}", headers=headers).headers["x-experiment-arm"] for number in range(4)}
        assert arms == {arm_of(experiment, key_id)}
    by_text = {f"{TEXT} {number}": world.ask(f"{TEXT} {number}").headers["x-experiment-arm"] for number in range(12)}
    assert set(by_text.values()) == {CONTROL, CHALLENGER}
    assert all(world.ask(text).headers["x-experiment-arm"] == arm for text, arm in by_text.items())
    items = [{"text": text} for text in by_text]
    answers = world.serving.client.post("/predict/batch", json={"items": items}).json()["answers"]
    versions = {CONTROL: CHAMPION, CHALLENGER: TRIED}
    assert [answer["performance"]["model_version"] for answer in answers] == [versions[arm] for arm in by_text.values()]


def test_a_tester_gets_the_arm_that_the_header_names_and_is_judged_by_nothing(world: World) -> None:
    world.deploy(experiment=split(world.champion, world.tried, 0.5, phase=4))
    for arm, version in ((CONTROL, CHAMPION), (CHALLENGER, TRIED)):
        for unit in ("reader 1", "reader 2", "reader 3"):
            reply = world.ask(unit_id=unit, headers={"X-Experiment-Arm": arm})
            assert (version_of(reply), reply.headers["x-experiment-arm"]) == (version, arm)
        assert world.row(reply.json()["prediction_id"]).traffic == "tester"
    assert world.row(world.ask().json()["prediction_id"]).traffic is None
    for odd in ("nobody", "x" * 100, "CHALLENGER"):
        assert world.ask(unit_id="reader 1", headers={"X-Experiment-Arm": odd}).headers["x-experiment-arm"] in (
            CONTROL,
            CHALLENGER,
        )
    assert world.serving.client.post("/predict", json={"text": TEXT}, headers={"X-Experiment-Arm": "x" * 101}).status_code == 400


def test_an_arm_that_cannot_be_loaded_is_answered_by_the_champion_and_counted_apart(world: World) -> None:
    def wrong(manifest: Manifest) -> Manifest:
        golden = tuple(msgspec.structs.replace(one, probabilities=(0.98, 0.01, 0.01)) for one in manifest.golden)
        return msgspec.structs.replace(manifest, golden=golden)

    bad = world.publisher.model(THIRD, steepness=2.0, change=wrong)
    document = world.deploy(experiment=split(world.champion, bad, 0.9, phase=5))
    shown = {one["role"]: one for one in world.serving.status()["experiment"]["versions"]}
    assert (shown[CONTROL]["loaded"], shown[CHALLENGER]["loaded"]) == (True, False)
    assert "not shown to work" in shown[CHALLENGER]["absent"]
    assert document.experiment
    unit = next(name for name in (f"reader {n}" for n in range(99)) if arm_of(document.experiment, name) == CHALLENGER)
    reply = world.ask(unit_id=unit)
    assert version_of(reply) == CHAMPION
    assert "x-experiment-arm" not in reply.headers
    row = world.row(reply.json()["prediction_id"])
    assert (row.experiment, row.arm, row.unit) == (None, None, None)
    text = world.serving.client.get("/metrics").text
    assert metric(text, "serving_experiment_answers_total", arm=CHALLENGER, outcome="absent") == 1


def test_the_version_in_shadow_answers_what_was_served_and_nobody_sees_it(world: World) -> None:
    plan = in_shadow(world.tried, daily_cap=30)
    before = world.ask("Northgate Steel warns of fraud")
    world.deploy(shadow=plan)
    texts = [f"Harbour Mills reports great profit in {1900 + number}" for number in range(20)]
    replies = {text: world.ask(text) for text in texts}
    assert {version_of(reply) for reply in replies.values()} == {CHAMPION}
    assert not any("x-experiment" in reply.headers for reply in replies.values())
    ids = {reply.json()["prediction_id"]: reply for reply in replies.values()}
    world.serving.wait_until(lambda: ids.keys() <= world.shadow_answers().keys())
    answers = world.shadow_answers()
    assert before.json()["prediction_id"] not in answers
    for prediction_id, reply in ids.items():
        row, served = answers[prediction_id], list(reply.json()["prediction"]["probabilities"].values())
        assert row.id == shadow_answer_id(plan, prediction_id)
        assert (row.experiment, row.phase, row.model_version, row.made_by) == ("trial", 1, TRIED, "serving")
        assert abs(sum(row.probabilities) - 1) < 1e-6
        assert row.probabilities != served, "another version, another answer"
        assert row.latency_ms < 1000
    now = world.serving.client.get("/experiments").json()["online"]
    assert (now["experiment"], now["phase"], now["mode"], now["verdict"]) == ("trial", 1, "shadow", None)
    shown = world.serving.client.get("/monitoring/deployments").json()["deployments"][0]["shadow"]
    assert (shown["version"], shown["beside"], shown["daily_cap"]) == (TRIED, CHAMPION, 30)
    # What counts nowhere is not asked: load tests, testers, foreign texts, questions side by side.
    others = [
        world.ask(TEXT + " again", traffic="load_test"),
        world.ask(TEXT + " again", headers={"X-Experiment-Arm": CONTROL}),
        world.ask("Die Aktie verliert nach dem Gewinneinbruch deutlich an Wert"),
    ]
    for number in range(20):
        world.ask(f"Tallow Foods names a new secretary in {1900 + number}")
    text = world.serving.wait_until(
        lambda: (
            (now := world.serving.client.get("/metrics").text)
            and metric(now, "serving_shadow_answers_total", outcome="answered") >= 30
            and now
        )
    )
    assert metric(text, "serving_shadow_answers_total", outcome="answered") == 30, "no more than the cap of the day"
    assert not {reply.json()["prediction_id"] for reply in others} & world.shadow_answers().keys()


def test_the_cap_of_a_day_holds_for_all_processes_together(world: World, tmp_path: Path) -> None:
    def answered() -> float:
        texts = [process.client.get("/metrics").text for process in (world.serving, other)]
        return sum(metric(text, "serving_shadow_answers_total", outcome="answered") for text in texts)

    world.deploy(shadow=in_shadow(world.tried, daily_cap=10, phase=7))
    other = ServingProcess(world.serving.settings, SENTIMENT_STATE_DIR=str(tmp_path)).start()
    try:
        other.wait_until(lambda: other.status()["deployment"]["revision"] == world.serving.status()["deployment"]["revision"])
        other.wait_until(lambda: World.settled(other.status()))
        before = answered()
        for number in range(20):
            for process in (world.serving, other):
                process.predict(f"Brass Bank wins a good contract in {1900 + number}")
            if not number:
                time.sleep(0.5)  # each has read by now what the database knows of the day: nothing
        world.serving.wait_until(lambda: answered() >= before + 10)
        time.sleep(0.5)
        assert answered() - before == 10
    finally:
        other.stop()


def test_with_the_transformer_switched_off_it_answers_neither_as_an_arm_nor_in_shadow(world: World, tmp_path: Path) -> None:
    (exported := tmp_path / "exported").mkdir()
    export_tiny_transformer(exported, tmp_path / "checkpoint")
    finbert = world.publisher.publish(exported, "v1.0.0-finbert", load_transformer(exported))
    units = [f"reader {number}" for number in range(20)]

    def turn(*, enabled: bool) -> None:
        body = {"enabled": enabled, "reason": "its answers are wrong"}
        assert world.serving.client.put("/flags/transformer", json=body, headers=KEY).status_code == 200

    def ask(text: str = TEXT) -> list[Any]:
        wanted = world.ask(text, unit_id="tester", headers={"X-Experiment-Arm": CHALLENGER})
        return [wanted, *(world.ask(text, unit_id=unit) for unit in units)]

    world.deploy(experiment=split(world.champion, finbert, 0.5, phase=8))
    assert {version_of(reply) for reply in ask()} == {CHAMPION, finbert.version}, "the control: it is an arm"
    turn(enabled=False)
    off = ask()
    assert {version_of(reply) for reply in off} == {CHAMPION}
    assert not any("x-experiment" in reply.headers for reply in off), "no arm is compared with one that may not answer"
    world.deploy(shadow=in_shadow(finbert, phase=9))
    unasked = {world.ask(f"{TEXT} in {number}").json()["prediction_id"] for number in range(10)}
    turn(enabled=True)
    asked = world.ask().json()["prediction_id"]
    world.serving.wait_until(lambda: asked in world.shadow_answers())
    assert not unasked & world.shadow_answers().keys()


def test_served_answers_are_as_fast_with_a_version_in_shadow_as_without(world: World) -> None:
    def took_ms(word: str) -> float:
        times = list[float]()
        for number in range(150):
            began = time.perf_counter()
            world.ask(f"Quill Media {word} profit in {number}")
            times.append((time.perf_counter() - began) * 1000)
        return statistics.median(times)

    world.deploy()
    took_ms("warm")
    alone = took_ms("alone")
    world.deploy(shadow=in_shadow(world.tried, daily_cap=10_000))
    assert took_ms("beside") < 1.5 * alone + 1, "the benchmark holds it to 5 %"
