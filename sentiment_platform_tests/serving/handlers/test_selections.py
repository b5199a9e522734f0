"""Claims about GET /models/selections: each request with what became of it, and what every replica answered with last."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from sentiment_platform.store.selections import (
    RequestedSelection,
    close_selection_requests,
    open_selection_requests,
    refuse_selection_request,
    request_selection,
)
from sentiment_platform_tests.monitoring.seeding import features, probabilities, seed_predictions
from sentiment_platform_tests.serving.conftest import StartServing
from sentiment_platform_tests.serving.documented import documented_answer, refuses


def ask_for(engine: Engine, request_id: str) -> int:
    """A request for a version; the number of its row."""
    with engine.begin() as connection:
        asked = RequestedSelection(
            request_id=request_id,
            family="vader",
            version="v1.0.0-vader",
            actor="a person",
            reason="a test",
            requested_at=datetime.now(UTC),
        )
        request_selection(connection, asked)
        return open_selection_requests(connection)[-1].id


@pytest.mark.slow
def test_a_request_is_open_until_it_is_published_or_refused_and_replicas_are_told_apart(
    engine: Engine, start_serving: StartServing
) -> None:
    serving = start_serving(ready=False)
    serving.wait_until(lambda: serving.answers("/models"))
    empty = documented_answer(serving, "/models/selections?limit=5")
    assert (empty["selections"], empty["replicas"]) == ([], [])

    published, superseded, *_ = (ask_for(engine, name) for name in ("first", "replaced", "second", "third"))
    with engine.begin() as connection:
        close_selection_requests(connection, [published], 7)
        close_selection_requests(connection, [superseded], 7, superseded="Superseded by another one.")
        assert refuse_selection_request(connection, "second", "nothing to publish")
    now = datetime.now(UTC)
    recent = seed_predictions(engine, features(4, 1), probabilities(4, 2), until=now, prefix="recent")
    seed_predictions(engine, features(1, 1), probabilities(1, 2), until=now - timedelta(hours=1), prefix="old")
    with engine.begin() as connection:
        statement = text("UPDATE platform.predictions SET instance = :instance, model_version = :version WHERE id = :id")
        for name, instance in zip(recent, ("host:1", "host:1", "host:2", "host:2"), strict=True):
            connection.execute(statement, {"id": name, "instance": instance, "version": f"v1.0.{recent.index(name)}-vader"})
    shown = documented_answer(serving, "/models/selections")
    states = [(row["request_id"], row["state"], row["published_revision"], row["refusal"]) for row in shown["selections"]]
    assert states == [
        ("third", "open", None, None),
        ("second", "refused", None, "nothing to publish"),
        ("replaced", "refused", None, "Superseded by another one."),
        ("first", "published", 7, None),
    ]
    assert len({answer["replica"] for answer in shown["replicas"]}) == 2
    assert {answer["version"] for answer in shown["replicas"]} == {"v1.0.1-vader", "v1.0.3-vader"}, "the newest of each"
    assert "host" not in serving.client.get("/models/selections").text
    assert refuses(serving, "/models/selections?limit=0", 400)
