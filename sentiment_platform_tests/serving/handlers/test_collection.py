"""Claims about GET /monitoring/sources and GET /monitoring/quality: they show the rows that collection left, source by source."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from sentiment_platform.store.collection_reports import CollectionReport, Outcome, record_collection
from sentiment_platform.store.label_sets import LabelSet, ensure_label_set
from sentiment_platform.store.quarantine import insert_quarantine, refused_row
from sentiment_platform.store.sources import SourceState, write_source_state
from sentiment_platform.store.tables import LabelRow
from sentiment_platform.text.normalise import text_hash
from sentiment_platform_tests.monitoring.seeding import features, probabilities, seed_predictions
from sentiment_platform_tests.serving.conftest import StartServing
from sentiment_platform_tests.serving.documented import documented_answer


def report(source: str, outcome: Outcome, at: datetime, fetched: int = 0, quarantined: int = 0) -> CollectionReport:
    return CollectionReport(
        source=source,
        run_id="run",
        fetched=fetched,
        stored=fetched - quarantined,
        duplicate=0,
        quarantined=quarantined,
        outcome=outcome,
        detail=None,
        finished_at=at,
    )


@pytest.mark.slow
def test_each_source_stands_there_with_its_last_turn_quota_validators_and_days(
    engine: Engine, start_serving: StartServing
) -> None:
    serving = start_serving(ready=False)
    serving.wait_until(lambda: serving.answers("/monitoring/quality"))
    assert serving.client.get("/monitoring/quality").json()["refused"] == []
    now = datetime.now(UTC).replace(microsecond=0)
    yesterday = now - timedelta(days=1)
    state = SourceState(
        source="ledger",
        etag='"a1"',
        last_success_at=now,
        last_failure_at=yesterday,
        last_failure="The feed answered 503.",
        items_seen=9,
        quota_day=now.date(),
        quota_used=4,
        quota_per_day=50,
        cursor={"page": 2},
        retry_after=yesterday,
    )
    with engine.begin() as connection:
        write_source_state(connection, state)
        write_source_state(connection, SourceState(source="silent", quota_day=yesterday.date(), quota_used=7))
        for turn in (
            report("ledger", "failed", yesterday),
            report("ledger", "collected", yesterday, 5, 1),
            report("ledger", "collected", now, 3),
            report("ledger", "replayed", now, 1),
            report("imported", "imported", now - timedelta(days=30), 2),
        ):
            record_collection(connection, turn)
    sources = {row["source"]: row for row in documented_answer(serving, "/monitoring/sources")["sources"]}
    assert list(sources) == ["imported", "ledger", "silent"]
    ledger = sources["ledger"]
    assert (ledger["requests_today"], ledger["items_seen"], ledger["more_waits"], ledger["retry_after"]) == (4, 9, True, None)
    assert (ledger["quota_per_day"], sources["silent"]["quota_per_day"]) == (50, None)
    assert ledger["last_failure"] == "The feed answered 503."
    assert ledger["validators"] == {"etag": '"a1"', "last_modified": None, "broken": False}
    assert (ledger["last_collection"]["outcome"], ledger["last_collection"]["fetched"]) == ("collected", 3)
    assert [(day["day"], day["collections"], day["failed"], day["fetched"], day["quarantined"]) for day in ledger["days"]] == [
        (yesterday.date().isoformat(), 2, 1, 5, 1),
        (now.date().isoformat(), 1, 0, 3, 0),
    ]
    assert (sources["imported"]["days"], sources["imported"]["last_success_at"]) == ([], None)
    assert (sources["silent"]["requests_today"], sources["silent"]["last_collection"]) == (0, None)


@pytest.mark.slow
def test_quality_counts_refused_rows_by_rule_and_tells_how_fresh_each_kind_is(
    engine: Engine, start_serving: StartServing
) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    (newest,) = seed_predictions(engine, features(1, 1), probabilities(1, 2), until=now)
    assert newest
    with engine.begin() as connection:
        insert_quarantine(
            connection,
            [
                refused_row("raw_news", "ledger", {"title": str(n)}, rule=rule, detail="why", run_id="run", now=now)
                for n, rule in enumerate(("no_title", "no_title", "too_old"))
            ],
        )
        record_collection(connection, report("ledger", "collected", now, 8, 3))
        ensure_label_set(connection, LabelSet("ours", "human", "CC0-1.0", True))
        for number, agreement in enumerate((1.0, 0.5, None)):
            words = f"Words {number}"
            connection.execute(
                LabelRow.__table__.insert().values(
                    id=str(number),
                    label_set="ours",
                    external_id=str(number),
                    annotator="ada",
                    text=words,
                    text_hash=text_hash(words),
                    label="neutral" if number else "positive",
                    weight=1.0,
                    agreement=agreement,
                )
            )
    serving = start_serving(ready=False)
    serving.wait_until(lambda: serving.answers("/monitoring/quality"))
    shown = documented_answer(serving, "/monitoring/quality")
    assert [(row["rule"], row["waiting"], row["released"]) for row in shown["refused"]] == [("no_title", 2, 0), ("too_old", 1, 0)]
    assert shown["days"] == [{"day": now.date().isoformat(), "stored": 5, "waiting_items": 3, "waiting_articles": 0}]
    assert shown["label_sets"] == [
        {
            "name": "ours",
            "kind": "human",
            "licence": "CC0-1.0",
            "commercial_use": True,
            "labels": {"neutral": 2, "positive": 1},
            "agreement": 0.75,
            "agreement_n": 2,
        }
    ]
    fresh = shown["freshness"]
    assert datetime.fromisoformat(fresh["prediction_at"]) == now - timedelta(minutes=1)
    assert fresh["label_inserted_at"] is not None
    assert {name for name, moment in fresh.items() if moment is None} == {
        "article_available_at",
        "vector_as_of",
        "price_available_at",
        "feedback_at",
        "drift_report_at",
    }
