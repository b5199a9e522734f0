"""Claims about models that fail at some texts: who can stand in answers, marked so; where nobody can, the client is told 503, and why."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine, select

from sentiment_platform.experiments.assignment import CHALLENGER, CONTROL, arm_of
from sentiment_platform.registry.deployment import Arm, Deployment, Experiment
from sentiment_platform.registry.documents import digest
from sentiment_platform.registry.manifest import Manifest
from sentiment_platform.settings import Settings
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform.store.tables import Prediction
from sentiment_platform_tests.serving.fickle import NO_NUMBER, PLUGGED_IN, RAISES, fickle_version
from sentiment_platform_tests.serving.publishing import Publisher
from sentiment_platform_tests.serving.running import ServingProcess, metric

pytestmark = pytest.mark.slow

OLD, GOOD, BAD, VADER = "v0.9.0-fickle", "v1.0.0-fickle", "v1.0.1-fickle", "v1.0.0-vader"
CALM = "Harbour Mills reports great profit"


class World:
    """One process and what is deployed to it."""

    def __init__(self, settings: Settings) -> None:
        self.engine: Engine = create_platform_engine(settings.database_url)
        self.publisher = Publisher(settings, self.engine)
        self.alone = fickle_version(self.publisher, OLD, fails=True)
        self.good = fickle_version(self.publisher, GOOD)
        self.bad = fickle_version(self.publisher, BAD, fails=True)
        self.vader = fickle_version(self.publisher, VADER)
        self.publisher.deploy(self.alone)
        self.serving = ServingProcess(settings, program=PLUGGED_IN, SENTIMENT_DEADLINE_MS="5000").start()

    def deploy(self, *champions: Manifest, **beside: Any) -> Deployment:
        """Returns once all of it is loaded, and what a rollback would bring back."""
        document = msgspec.structs.replace(self.publisher.document(champions), **beside)
        self.publisher.registry.publish_deployment(document, self.publisher.keys, fence=lambda: None)
        self.publisher.deployed.append(document)
        self.serving.wait_until(
            lambda: (
                (now := self.serving.status())["deployment"]["revision"] == document.revision
                and now["rollback"]["held"]
                and (not now["experiment"] or all(one["loaded"] for one in now["experiment"]["versions"]))
            )
        )
        return document

    def post(self, text: str, path: str = "/predict", **fields: Any) -> Any:
        return self.serving.client.post(path, json={"text": text, **fields})

    def counted(self, name: str, **labels: str) -> float:
        return metric(self.serving.client.get("/metrics").text, name, **labels)

    def row(self, prediction_id: str) -> Any:
        def read() -> Any:
            with self.engine.connect() as connection:
                return connection.execute(select(Prediction.__table__).where(Prediction.id == prediction_id)).one_or_none()

        return self.serving.wait_until(read)


@pytest.fixture(scope="module")
def world(module_settings: Settings) -> Iterator[World]:
    world = World(module_settings)
    yield world
    world.serving.stop()
    world.publisher.close()
    world.engine.dispose()


def test_where_nothing_can_stand_in_it_is_503_with_a_code_of_its_own_and_other_texts_are_answered(world: World) -> None:
    """The control of all that follows."""
    for text in (f"{CALM} in {RAISES}", f"{CALM} in {NO_NUMBER}"):
        for path in ("/predict", "/predict/fickle", "/predict/compare"):
            reply = world.post(text, path)
            assert (reply.status_code, reply.json()["code"]) == (503, "model_error"), path
            assert int(reply.headers["retry-after"]) > 0
            assert OLD in reply.json()["detail"]
        batch = world.serving.client.post("/predict/batch", json={"items": [{"text": CALM}, {"text": text}]})
        assert (batch.status_code, batch.json()["code"]) == (503, "model_error")
    calm = world.serving.predict(CALM)
    assert (calm["performance"]["model_version"], calm["degraded"]) == (OLD, False)
    unexplained = world.post(f"{CALM} unexplained", explain=True)
    assert (unexplained.status_code, unexplained.json()["code"]) == (503, "model_error")
    assert world.post(f"{CALM} unexplained").status_code == 200, "the control: the answer alone is there"


def test_the_cheaper_family_stands_in_and_the_row_names_who_failed(world: World) -> None:
    world.deploy(world.good, world.vader)
    assert world.serving.predict(f"{CALM} in {RAISES}")["degraded"] is False, "the control: this version does not fail"
    world.deploy(world.bad, world.vader)
    before = world.counted("serving_model_errors_total", version=BAD)
    for number, word in enumerate((RAISES, NO_NUMBER, RAISES), start=1):
        answer = world.serving.predict(f"{CALM} in {word}")
        said = answer["performance"]["model_version"], answer["degraded"], answer["degraded_reason"], answer["path"]
        assert said == (VADER, True, "model_error", "fallback")
        assert world.counted("serving_model_errors_total", family="fickle", version=BAD) == before + number, "nothing is cached"
    row = world.row(world.serving.predict(f"{CALM} in {RAISES}")["prediction_id"])
    assert (row.model_version, row.instead_of, row.degraded_reason) == (VADER, BAD, "model_error")
    told = world.serving.client.get(f"/predictions/{row.id}").json()
    assert (told["model"]["chosen_by"], told["answer"]["instead_of"]) == ("stand_in", BAD)
    hour = world.serving.client.get("/monitoring/service").json()["stored"]["last_hour"]
    assert hour["stood_in"]["model_error"] >= 4
    assert world.row(world.serving.predict(CALM)["prediction_id"]).instead_of is None
    assert world.counted("serving_degraded_total", reason="model_error") >= 3
    log = world.serving.log.read_text()
    assert log.count(f"{BAD} failed at a text") == 1
    assert f"{CALM} in {RAISES}" not in log


def test_a_family_that_was_named_answers_by_its_version_before(world: World) -> None:
    answer = world.serving.predict(f"{CALM} in {RAISES}", "/predict/fickle")
    assert (answer["performance"]["model_version"], answer["degraded_reason"]) == (GOOD, "model_error")
    assert answer["prediction"]["model_used"] == "fickle"


def test_a_text_at_which_a_model_fails_costs_its_neighbours_nothing(world: World) -> None:
    items = [{"text": f"{CALM} {number} in {RAISES if number == 3 else 'May'}"} for number in range(8)]
    answers = world.serving.client.post("/predict/batch", json={"items": items}).json()["answers"]
    assert [answer["degraded"] for answer in answers] == [number == 3 for number in range(8)]
    compared = world.post(f"{CALM} in {RAISES}", "/predict/compare").json()
    assert (compared["results"]["fickle"], compared["missing"]["fickle"]) == (None, "model_error")
    assert compared["results"]["vader"]["performance"]["model_version"] == VADER


def test_an_arm_that_fails_is_answered_by_the_control_and_counts_the_failure_alone(world: World) -> None:
    def arm(manifest: Manifest) -> Arm:
        return Arm(manifest.version, digest(manifest), 0.5)

    experiment = Experiment("storm", 1, {CONTROL: arm(world.good), CHALLENGER: arm(world.bad)})
    world.deploy(world.good, world.vader, experiment=experiment)
    unit = next(name for name in (f"reader {n}" for n in range(99)) if arm_of(experiment, name) == CHALLENGER)
    calm = world.post(f"{CALM} once more", unit_id=unit)
    assert (calm.headers["x-experiment-arm"], calm.json()["performance"]["model_version"]) == (CHALLENGER, BAD)
    reply = world.post(f"{CALM} in {RAISES}", unit_id=unit)
    answer = reply.json()
    assert (answer["performance"]["model_version"], answer["degraded_reason"]) == (GOOD, "model_error")
    assert "x-experiment-arm" not in reply.headers
    row = world.row(answer["prediction_id"])
    assert (row.arm, row.model_version, row.instead_of, row.degraded) == (CHALLENGER, GOOD, BAD, True)
    became = {
        outcome: world.counted("serving_experiment_answers_total", arm=CHALLENGER, outcome=outcome)
        for outcome in ("answered", "failed")
    }
    assert became == {"answered": 1, "failed": 1}
    assert world.counted("serving_answers_total", version=GOOD, arm=CHALLENGER) == 0


def test_the_cheapest_family_that_fails_on_the_event_loop_is_answered_for_too(world: World) -> None:
    failing = fickle_version(world.publisher, "v1.0.1-vader", fails=True)
    world.deploy(failing)
    answer = world.serving.predict(f"{CALM} in {NO_NUMBER}")
    assert (answer["performance"]["model_version"], answer["degraded_reason"]) == (VADER, "model_error")
    calm = world.serving.predict(CALM)
    assert (calm["performance"]["model_version"], calm["degraded"]) == ("v1.0.1-vader", False)
