"""Claims about POST /feedback on predictions that never were: the sender is told, it is counted, and nothing learns from it."""

import asyncio
import uuid
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine, text

from sentiment_platform.clock import utc_now
from sentiment_platform.settings import Settings
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform_tests.monitoring.seeding import features, seed_predictions
from sentiment_platform_tests.serving.running import ServingProcess, metric
from serving.journal.journal import Journal
from serving.journal.journal_records import FeedbackRecord, new_record_id
from serving.journal.known_predictions import KnownPredictions
from serving.journal.shipper import Shipper
from serving.links.database import Database
from serving.metrics import Metrics

HOUR = timedelta(hours=1)


def answered(ago: timedelta) -> str:
    """An id as serving gave it so long ago."""
    return new_record_id((utc_now() - ago).timestamp())


def stored_by_another(engine: Engine, identity: str) -> None:
    seed_predictions(engine, features(1, 1), np.array([[0.1, 0.2, 0.7]]), until=utc_now() - HOUR, prefix=identity)
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE platform.predictions SET id = :id WHERE id = :seeded"), {"id": identity, "seeded": f"{identity}-0"}
        )


def test_feedback_on_what_never_was_is_refused_with_the_remedy_and_counted(
    answering: ServingProcess, module_settings: Settings
) -> None:
    def give(identity: str) -> tuple[int, str | None]:
        reply = answering.client.post("/feedback", json={"prediction_id": identity, "label": "neutral"})
        return reply.status_code, reply.json().get("code")

    another = answered(2 * HOUR)
    engine = create_platform_engine(module_settings.database_url)
    stored_by_another(engine, another)
    never = [str(uuid.uuid4()), "00000000-0000-0000-0000-000000000000", answered(HOUR), answered(-HOUR), answered(2 * HOUR)]
    assert [give(identity) for identity in never] == [(404, "unknown_prediction")] * len(never)
    accepted = [answering.predict()["prediction_id"], another, answered(timedelta(seconds=2))]
    assert [give(identity) for identity in accepted] == [(202, None)] * len(accepted)

    reply = answering.client.post("/feedback", json={"prediction_id": never[2], "label": "neutral"}).json()
    assert (reply["errors"][0]["field"], reply["detail"].split(". ")[-1]) == (
        "prediction_id",
        "Send `prediction_id` as an answer of POST /predict gave it.",
    )
    assert metric(answering.client.get("/metrics").text, "serving_feedback_rejected_total") == len(never) + 1
    assert answering.client.get("/monitoring/service").json()["process"]["feedback_rejected"] == len(never) + 1
    answering.wait_until(lambda: _speaks_of(engine) == set(accepted))
    engine.dispose()


def _speaks_of(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.execute(text("SELECT prediction_id FROM platform.feedback")).scalars())


@pytest.mark.parametrize("url", ["", "postgresql://nobody@127.0.0.1:1/nothing"])
def test_without_a_database_only_ids_of_another_form_are_refused(url: str) -> None:
    known = KnownPredictions(Database(url), clock=utc_now)
    ids = (str(uuid.uuid4()), answered(HOUR), answered(HOUR))

    async def ask() -> list[bool]:
        return [await known.never_was(identity) for identity in ids]

    assert asyncio.run(ask()) == [True, False, False]


def test_what_was_accepted_while_the_database_was_away_is_counted_when_it_is_shipped(
    engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    there, never, young = answered(HOUR), answered(HOUR), answered(timedelta())
    stored_by_another(engine, there)
    journal, database, metrics = Journal(tmp_path / "journal"), Database(settings.database_url), Metrics()
    for number, identity in enumerate((there, never, never, young)):
        journal.append(
            FeedbackRecord(
                id=f"feedback {number}",
                prediction_id=identity,
                label="neutral",
                preference=None,
                utility=None,
                comment=None,
                received_at=utc_now(),
            )
        )
    assert Shipper(journal, database, metrics).ship() == 4
    assert metrics.total(metrics.feedback_rejected) == 2
    journal.close()
    database.close()
