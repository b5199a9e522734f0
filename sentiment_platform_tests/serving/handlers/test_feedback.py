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
from serving.journal.prediction_ids import SECRET_FILE, PredictionIds, signing_secret
from serving.journal.shipper import Shipper
from serving.links.database import Database, DatabaseUnavailable
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
    never = [
        str(uuid.uuid4()),
        "00000000-0000-0000-0000-000000000000",
        answered(HOUR),
        answered(-HOUR),
        answered(2 * HOUR),
        answered(timedelta(seconds=2)),
    ]
    assert [give(identity) for identity in never] == [(404, "unknown_prediction")] * len(never)
    accepted = [answering.predict()["prediction_id"], another]
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
def test_without_a_database_an_id_that_proves_nothing_is_taken_from_holders_of_a_key_alone(url: str) -> None:
    ours = PredictionIds(b"s" * 32)
    known = KnownPredictions(Database(url), ours, clock=utc_now)
    identity, hours_ago = ours.new((utc_now() - HOUR).timestamp()), answered(HOUR)

    async def ask(identity: str, *, in_doubt: bool) -> bool:
        return await known.never_was(identity, in_doubt=in_doubt)

    for in_doubt in (True, False):
        assert asyncio.run(ask(str(uuid.uuid4()), in_doubt=in_doubt))
        assert not asyncio.run(ask(identity, in_doubt=in_doubt))
    assert not asyncio.run(ask(hours_ago, in_doubt=False))
    if url:
        with pytest.raises(DatabaseUnavailable):
            asyncio.run(ask(hours_ago, in_doubt=True))
    else:
        assert asyncio.run(ask(hours_ago, in_doubt=True))


def test_no_id_with_a_bit_changed_or_of_another_secret_proves_itself() -> None:
    ours, others = PredictionIds(b"s" * 32), PredictionIds(b"t" * 32)
    identity = ours.new(utc_now().timestamp())
    assert ours.is_ours(identity)
    assert not others.is_ours(identity)
    assert uuid.UUID(identity).version == 7
    assert uuid.UUID(identity).variant == uuid.RFC_4122
    value = uuid.UUID(identity).int
    assert not any(ours.is_ours(str(uuid.UUID(int=value ^ 1 << bit))) for bit in range(128))
    for other in (identity.upper(), identity.replace("-", ""), f"{{{identity}}}", f"{identity} ", "", "nonsense"):
        assert not ours.is_ours(other)


def test_ids_of_the_processes_of_one_folder_or_one_pepper_prove_themselves_to_each_other(tmp_path: Path) -> None:
    first, second = (signing_secret("", tmp_path / "state") for _ in range(2))
    assert (first, len(first)) == (second, 32)
    assert [path.name for path in (tmp_path / "state").iterdir()] == [SECRET_FILE]
    assert (tmp_path / "state" / SECRET_FILE).stat().st_mode & 0o777 == 0o600
    peppered = signing_secret("a pepper", tmp_path / "elsewhere")
    assert peppered == signing_secret("a pepper", tmp_path / "state") != first
    assert not (tmp_path / "elsewhere").exists()


def test_a_comment_is_kept_without_what_leads_to_a_person(answering: ServingProcess, module_settings: Settings) -> None:
    said = "Wrong: on 2026-11-29 profit fell 12.5% to 1,250,000. Ask ada.lovelace@example.org or +44 20 7946 0958, IBAN DE89370400440532013000."
    body = {"prediction_id": answering.predict()["prediction_id"], "label": "negative", "comment": said}
    given = answering.client.post("/feedback", json=body).json()["feedback_id"]
    engine = create_platform_engine(module_settings.database_url)

    def kept() -> list[str]:
        with engine.connect() as connection:
            query = text("SELECT comment FROM platform.feedback WHERE id = :id")
            return list(connection.execute(query, {"id": given}).scalars())

    assert answering.wait_until(kept) == [
        "Wrong: on 2026-11-29 profit fell 12.5% to 1,250,000. Ask [e-mail] or [number], IBAN [number]."
    ]
    engine.dispose()
    for path in module_settings.state_dir.rglob("*"):
        if path.is_file():
            assert b"ada.lovelace" not in path.read_bytes(), path


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
