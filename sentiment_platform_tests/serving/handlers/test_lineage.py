"""Claims about GET /predictions/{id}: the way from an answer back to what it rests on, the same that `explain` prints."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, text

from sentiment_platform.commands.explain import lineage
from sentiment_platform.errors import PermanentError
from sentiment_platform.features.schema import V1
from sentiment_platform.registry.documents import digest
from sentiment_platform.store.selections import RequestedSelection, request_selection
from sentiment_platform.store.training_sets import write_training_set
from sentiment_platform_tests.serving.conftest import StartServing
from sentiment_platform_tests.serving.documented import documented_answer, refuses
from sentiment_platform_tests.serving.publishing import TRAINING_SET, Publisher
from serving.journal.prediction_ids import PredictionIds, signing_secret

VERSION, OTHER = "v1.0.0-vader", "v1.0.7-vader"
UNKNOWN = "0192f0c0-0000-7000-8000-000000000000"


@pytest.mark.slow
def test_an_answer_leads_back_to_text_features_model_training_set_deployment_and_feedback(
    engine: Engine, publisher: Publisher, start_serving: StartServing
) -> None:
    manifest = publisher.model(VERSION)
    publisher.deploy(manifest)
    with engine.begin() as connection:
        summary = {"examples": 240, "stories": 200, "label_sets": {"made": 240}}
        write_training_set(connection, TRAINING_SET, "v1", summary, [])
    serving = start_serving()
    answer = serving.predict("Harbour Mills reports great profit and strong growth", ticker="HBM")
    identity = answer["prediction_id"]
    serving.client.post("/feedback", json={"prediction_id": identity, "label": "positive"})
    path = "/predictions/{prediction_id}"
    serving.wait_until(lambda: serving.answers(f"/predictions/{identity}"))
    shown = serving.wait_until(
        lambda: (read := documented_answer(serving, f"/predictions/{identity}", path))["feedback"] and read
    )

    assert shown["answer"]["text"] == "Harbour Mills reports great profit and strong growth"
    assert (shown["answer"]["ticker"], shown["answer"]["route"]) == ("HBM", "/predict")
    assert shown["answer"]["sentiment"] == answer["prediction"]["sentiment"]
    probabilities = shown["answer"]["probabilities"]
    assert list(probabilities) == ["negative", "neutral", "positive"]
    assert max(probabilities.values()) == answer["prediction"]["confidence"]
    assert tuple(shown["features"]["values"]) == V1.names
    assert shown["features"]["values"]["word_count"] == 8
    assert (shown["model"]["version"], shown["model"]["manifest_digest"]) == (VERSION, digest(manifest))
    assert (shown["model"]["base_model"], shown["model"]["run_id"]) == (manifest.base_model, "test")
    assert (shown["training_set"]["examples"], shown["training_set"]["label_sets"]) == (240, ["made"])
    assert (shown["deployment"]["tag"], shown["deployment"]["rule"]) == ("deploy-000001", "bootstrap")
    assert shown["deployment"]["names_version"]
    assert [given["label"] for given in shown["feedback"]] == ["positive"]

    printed = lineage(engine, identity)
    assert list(printed) == ["Answer", "Features", "Model", "Training set", "Deployment", "Feedback"]
    assert "why" not in printed["Model"]
    assert printed["Answer"]["text"] == shown["answer"]["text"]
    assert printed["Features"] == {"status": shown["features"]["status"], **shown["features"]["values"]}
    assert printed["Model"]["git"] == shown["model"]["git_sha"]

    # Why another version answered than the one that the deployment names.
    def told(change: str) -> tuple[Any, ...]:
        with engine.begin() as connection:
            connection.execute(text(change))
        read = documented_answer(serving, f"/predictions/{identity}", path)
        why = lineage(engine, identity)["Model"].get("why", "")
        model, given = read["model"], read["answer"]
        return model["chosen_by"], model["selected_by"], given["instead_of"], read["deployment"]["names_version"], why

    change = "UPDATE platform.predictions SET"
    assert told(f"{change} cache_hit = cache_hit") == ("deployment", None, None, True, "")
    newer = "the deployment names a newer one, which answered a share of the units at first: this one still answered the rest"
    assert told(f"{change} model_version = '{OTHER}'") == ("canary", None, None, False, newer)
    selection = RequestedSelection(
        request_id="one", family="vader", version=OTHER, actor="mara", reason="better", requested_at=datetime.now(UTC)
    )
    with engine.begin() as connection:
        request_selection(connection, selection)
    assert told(f"{change} cache_hit = cache_hit")[0] == "canary", "whoever selects it afterwards did not choose it then"
    chosen = told(f"{change} predicted_at = now()")
    assert chosen == ("selection", "mara", None, False, "selected by mara; the deployment names another one")
    stood_in = told(f"{change} degraded = true, degraded_reason = 'model_error', instead_of = 'v1.0.8-vader'")
    assert stood_in == ("stand_in", None, "v1.0.8-vader", False, "it stood in for v1.0.8-vader: model_error")
    arm = told(f"{change} degraded = false, instead_of = NULL, experiment = 'newer', arm = 'challenger'")
    assert arm == ("experiment", None, None, False, "arm challenger of experiment newer")

    assert refuses(serving, f"/predictions/{UNKNOWN}", 404, "unknown_prediction")
    ids = PredictionIds(signing_secret("", serving.settings.state_dir))
    told = [serving.client.get(f"/predictions/{one}").headers.get("retry-after") for one in (UNKNOWN, ids.new(time.time()))]
    assert told == [None, "1"], "an id that proves itself is told to be on its way"
    for malformed in (UNKNOWN.upper(), "1", f"{UNKNOWN}%0A"):
        assert refuses(serving, f"/predictions/{malformed}", 400), malformed
    with pytest.raises(PermanentError, match="Serving ships its journal"):
        lineage(engine, UNKNOWN)
