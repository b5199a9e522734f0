import hmac
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from hashlib import sha256

import dagster as dg
import pytest
from sqlalchemy import Engine, insert

from sentiment_platform.alerts import assets, checks
from sentiment_platform.alerts.delivery import Delivery, Webhook, deliver, signature
from sentiment_platform.alerts.incidents import evaluate
from sentiment_platform.errors import SettingsError
from sentiment_platform.monitoring.drift import measure_drift
from sentiment_platform.served.performance import measure_performance
from sentiment_platform.settings import Settings
from sentiment_platform.store.incidents import Incident, claim_message, open_incident, open_incidents, resolve_incident
from sentiment_platform.store.resources import PlatformResource
from sentiment_platform.store.tables import CollectionRun
from sentiment_platform_tests.alerts.sink import Sink, running_sink
from sentiment_platform_tests.monitoring.seeding import (
    NOW,
    VERSION,
    audit_everything,
    features,
    probabilities,
    seed_deployed,
    seed_predictions,
    seed_weeks,
)

SECRET = "secret of the tests"
BROKEN = Incident(
    fingerprint="disk", category="system", severity="critical", source="tests", summary="The disk is full.", detail={"free": 0}
)


@pytest.fixture
def sink() -> Iterator[Sink]:
    with running_sink() as sink:
        yield sink


@pytest.fixture
def told(database_url: str, sink: Sink) -> Iterator[PlatformResource]:
    """A platform whose webhook is the sink."""
    overrides = {"DATABASE_URL": database_url, "SENTIMENT_ALERT_WEBHOOK": sink.url, "SENTIMENT_ALERT_SECRET": SECRET}
    platform = PlatformResource(overrides=overrides, fixed_now=NOW.isoformat())
    yield platform
    platform.engine().dispose()


def collect(engine: Engine, fetched: int, quarantined: int, at: datetime = NOW, *, source: str = "feed") -> None:
    counts = {"fetched": fetched, "stored": fetched - quarantined, "duplicate": 0, "quarantined": quarantined}
    with engine.begin() as connection:
        connection.execute(
            insert(CollectionRun).values(run_id="run", source=source, outcome="collected", finished_at=at, **counts)
        )


def run(platform: PlatformResource) -> bool:
    """One evaluation as the job makes it; whether the check of delivery is green."""
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([assets.alerts, checks.alerts_are_delivered], instance=instance, resources={"platform": platform})
    (check,) = result.get_asset_check_evaluations()
    return check.passed


def send(engine: Engine, sink: Sink, at: datetime = NOW) -> tuple[Delivery, list[float]]:
    pauses: list[float] = []
    return deliver(engine, Webhook(sink.url, SECRET, "RUNBOOK.md"), lambda: at, pauses.append), pauses


def record(engine: Engine, incident: Incident = BROKEN, at: datetime = NOW) -> bool:
    with engine.begin() as connection:
        return open_incident(connection, incident, at)


def test_a_partition_with_too_much_quarantine_is_told_once_and_its_recovery_once(
    engine: Engine, told: PlatformResource, sink: Sink
) -> None:
    collect(engine, 100, 90, NOW - timedelta(days=3))  # long ago
    collect(engine, 100, 4, NOW - timedelta(days=1))
    assert run(told)
    assert sink.requests == []  # the control: a share below the threshold is nobody's business
    collect(engine, 100, 12)
    collect(engine, 100_000, 0, source="archive")  # does not hide the feed
    for _ in range(3):
        assert run(told)
    collect(engine, 0, 0, NOW + timedelta(minutes=15))  # a collection without items is no recovery
    assert run(told)
    assert sink.told == [("open", "quarantine:feed")]
    collect(engine, 200, 0, NOW + timedelta(minutes=30))
    for _ in range(3):
        assert run(told)
    assert sink.told == [("open", "quarantine:feed"), ("resolve", "quarantine:feed")]
    opened, resolved = sink.messages
    assert opened["incident"]["class"] == "data_quality"
    assert re.search(
        r"^Quarantined of feed on \S+: 12 of 100 items \(12\.0%; threshold 5\.0%\)\.$", opened["incident"]["summary"]
    )
    assert opened["runbook"].endswith("RUNBOOK.md#data-quality")
    assert opened["incident"]["resolved_at"] is None
    assert resolved["incident"]["resolved_at"] is not None
    assert resolved["incident"]["id"] == opened["incident"]["id"]


def test_a_shift_of_one_feature_by_a_standard_deviation_names_that_feature_and_no_other(engine: Engine, sink: Sink) -> None:
    seed_deployed(engine)
    seed_weeks(engine, range(2, 7))
    measure_drift(engine, NOW - timedelta(days=14))
    assert evaluate(engine, NOW - timedelta(days=14)).opened == ()  # the control: the same traffic without a shift
    seed_weeks(engine, (0, 1), shift={"word_count": 1.0})
    report = measure_drift(engine, NOW)
    assert report.drifted == ("word_count",)
    assert evaluate(engine, NOW).opened == ("drift",)
    assert evaluate(engine, NOW).opened == ()
    send(engine, sink)
    (message,) = sink.messages
    assert message["incident"]["summary"].startswith(
        "What is asked or answered differs from the weeks before (medium severity, 300 stories): word_count KS"
    )
    assert [(test["subject"], test["test"]) for test in message["incident"]["detail"]["tests"]] == [
        ("word_count", "ks"),
        ("word_count", "psi"),
    ]
    assert evaluate(engine, NOW + timedelta(days=8)).resolved == ("drift",)  # nobody asks any more


def test_fallen_accuracy_is_told_as_performance(engine: Engine, sink: Sink) -> None:
    seed_deployed(engine)
    seed_predictions(engine, features(60, 13), probabilities(60, 1))
    audit_everything(engine, right=3)
    assert evaluate(engine, NOW).opened == ()
    measure_performance(engine, NOW)
    assert evaluate(engine, NOW).opened == (f"accuracy:{VERSION}",)
    send(engine, sink)
    assert sink.messages[0]["incident"]["class"] == "performance"


def test_a_message_is_signed_over_time_and_body_and_keeps_its_id(engine: Engine, sink: Sink) -> None:
    record(engine)
    sink.replies += [(503, {}), (429, {"Retry-After": "3"})]
    delivery, pauses = send(engine, sink)
    assert len(sink.requests) == 3
    assert pauses[1] == 3
    assert {headers["Idempotency-Key"] for headers, _ in sink.requests} == set(delivery.sent)
    headers, body = sink.requests[-1]
    stamp, _, given = headers["X-Sentiment-Signature"].partition(",v1=")
    assert stamp == f"t={int(NOW.timestamp())}"
    expected = hmac.new(SECRET.encode(), stamp.removeprefix("t=").encode() + b"." + body, sha256).hexdigest()
    assert given == expected
    assert signature("another", body, NOW) != headers["X-Sentiment-Signature"]
    assert signature(SECRET, body + b" ", NOW) != headers["X-Sentiment-Signature"]


@pytest.mark.parametrize(
    ("replies", "attempts", "due_after"),
    [
        ([(500, {})] * 3, 3, timedelta(minutes=1)),
        ([(404, {})], 1, timedelta(minutes=1)),
        ([(302, {"Location": "/elsewhere"})], 1, timedelta(minutes=1)),
        ([(503, {"Retry-After": "600"})], 1, timedelta(minutes=10)),
        ([(503, {"Retry-After": "Mon, 10 Mar 2025 12:20:00 GMT"})], 1, timedelta(minutes=20)),
        ([(429, {"Retry-After": "999999"})], 1, timedelta(hours=1)),
    ],
)
def test_a_sink_that_refuses_is_asked_a_few_times_and_again_when_it_said(
    engine: Engine, sink: Sink, replies: list[tuple[int, dict[str, str]]], attempts: int, due_after: timedelta
) -> None:
    record(engine)
    record(
        engine, Incident(fingerprint="other", category="deployment", severity="warning", source="tests", summary="Another one.")
    )
    sink.replies += replies
    delivery, _ = send(engine, sink)
    assert delivery.sent == ()
    assert str(replies[0][0]) in delivery.error
    assert len(sink.requests) == attempts  # the second incident did not knock at the same door
    sink.replies.clear()
    first = sink.messages[0]["id"]
    early, _ = send(engine, sink, NOW + due_after - timedelta(seconds=1))
    assert first not in early.sent
    late, _ = send(engine, sink, NOW + due_after)
    assert [*early.sent, *late.sent].count(first) == 1
    assert send(engine, sink, NOW + timedelta(days=1))[0].sent == ()


@pytest.mark.slow
def test_a_sink_that_is_away_holds_up_nobody_and_turns_the_check_red_until_it_has_heard_all(
    engine: Engine, database_url: str
) -> None:
    record(engine)
    with running_sink() as gone:
        url = gone.url
    overrides = {"DATABASE_URL": database_url, "SENTIMENT_ALERT_WEBHOOK": url, "SENTIMENT_ALERT_SECRET": SECRET}
    assert not run(PlatformResource(overrides=overrides, fixed_now=NOW.isoformat()))
    with engine.begin() as connection:
        resolve_incident(connection, "disk", NOW)
    with running_sink() as back:
        later = (NOW + timedelta(hours=2)).isoformat()
        # Only what this evaluation finds is resolved by it: the incident of another source was left alone.
        assert run(PlatformResource(overrides=overrides | {"SENTIMENT_ALERT_WEBHOOK": back.url}, fixed_now=later))
        assert back.told == [("open", "disk"), ("resolve", "disk")]


def test_of_one_fingerprint_one_incident_is_open_and_one_message_is_sent_whoever_races(engine: Engine, sink: Sink) -> None:
    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(lambda _: record(engine), range(16))) == 1
        sent = [delivery.sent for delivery, _ in threads.map(lambda _: send(engine, sink), range(8))]
    assert sum(len(ids) for ids in sent) == len(sink.requests) == 1
    with engine.connect() as connection:
        assert [incident.summary for incident in open_incidents(connection)] == [BROKEN.summary]


def test_a_message_whose_sender_was_killed_is_sent_again_by_the_next_one_under_its_id(engine: Engine, sink: Sink) -> None:
    record(engine)
    with engine.begin() as connection:
        claimed = claim_message(connection, NOW)
    assert claimed is not None
    assert send(engine, sink, NOW + timedelta(seconds=30))[0].sent == ()
    assert send(engine, sink, NOW + timedelta(minutes=3))[0].sent == (claimed.id,)


def test_without_a_webhook_incidents_are_recorded_and_a_webhook_without_a_secret_is_refused(
    engine: Engine, platform: PlatformResource
) -> None:
    collect(engine, 10, 9)
    assert run(platform)
    with engine.connect() as connection:
        (incident,) = open_incidents(connection)
    assert (incident.fingerprint, incident.open_sent_at) == ("quarantine:feed", None)
    with pytest.raises(SettingsError, match="SENTIMENT_ALERT_SECRET is not set"):
        Webhook.of(Settings.from_environment({"SENTIMENT_ALERT_WEBHOOK": "http://127.0.0.1:1/"}))
