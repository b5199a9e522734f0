"""Claims about GET /monitoring/service: counts and percentiles are those of the stored predictions, errors those of this process."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import Engine, text

from sentiment_platform.store.service_levels import answers_of, service_periods
from sentiment_platform_tests.monitoring.seeding import features, probabilities, seed_predictions
from sentiment_platform_tests.serving.conftest import StartServing
from sentiment_platform_tests.serving.documented import documented_answer, refuses
from serving.metrics import Metrics

NOON = datetime(2025, 3, 10, 12, tzinfo=UTC)


def seed(engine: Engine, n: int, until: datetime, *, slower_by_ms: float = 0.0, prefix: str = "served") -> list[float]:
    """`n` predictions, a minute apart, the last one a minute before `until`; returns their times to answer."""
    times = [float(number) + slower_by_ms for number in range(1, n + 1)]
    ids = seed_predictions(engine, features(n, 1), probabilities(n, 2), until=until, prefix=prefix)
    with engine.begin() as connection:
        for number, (name, time) in enumerate(zip(ids, times, strict=True)):
            statement = "UPDATE platform.predictions SET latency_ms = jsonb_build_object('total', CAST(:time AS float8)), cache_hit = :hit, degraded = :degraded WHERE id = :id"
            connection.execute(text(statement), {"id": name, "time": time, "hit": number % 2 == 0, "degraded": number < 3})
    return times


def test_percentiles_of_the_whole_window_are_not_those_of_its_hours(engine: Engine) -> None:
    earlier = seed(engine, 30, NOON - timedelta(hours=1), prefix="earlier")
    later = seed(engine, 50, NOON, slower_by_ms=100, prefix="later")
    with engine.connect() as connection:
        whole, hours = service_periods(connection, NOON - timedelta(hours=24), NOON, "hour", 20)
    assert [(hour.start, hour.predictions) for hour in hours] == [
        (NOON - timedelta(hours=2), 30),
        (NOON - timedelta(hours=1), 50),
    ]
    assert (whole.start, whole.predictions, whole.cache_hits, whole.degraded) == (None, 80, 40, 6)
    for period, times in ((whole, earlier + later), (hours[0], earlier), (hours[1], later)):
        assert (period.p50_ms, period.p95_ms, period.p99_ms) == pytest.approx(np.percentile(times, [50, 95, 99]))
    with engine.connect() as connection:
        whole, days = service_periods(connection, NOON - timedelta(days=7), NOON - timedelta(hours=1), "day", 20)
    assert [(day.start, day.predictions) for day in days] == [(NOON.replace(hour=0), 30)]
    assert whole.predictions == 30, "both ends count"
    with engine.connect() as connection:
        whole, weeks = service_periods(connection, NOON - timedelta(weeks=12), NOON, "week", 20)
    assert [(week.start, week.predictions) for week in weeks] == [(NOON.replace(hour=0), 80)], "the tenth of March was a Monday"
    assert (whole.within_deadline, weeks[0].within_deadline) == (20, 20), "20 of the earlier ones, and none of the slower"


def test_who_answered_is_told_by_version_and_arm_and_what_stood_in_by_reason(engine: Engine) -> None:
    times = seed(engine, 40, NOON)
    changes = (
        "model_version = 'v1.0.0-vader', arm = NULL",
        "arm = 'control' WHERE cache_hit",
        "degraded_reason = 'queue' WHERE degraded",
        "degraded_reason = NULL WHERE id = (SELECT min(id) FROM platform.predictions WHERE degraded)",
    )
    with engine.begin() as connection:
        for change in changes:
            connection.execute(text(f"UPDATE platform.predictions SET {change}"))
    with engine.connect() as connection:
        versions, stood_in = answers_of(connection, NOON - timedelta(hours=1), NOON)
        earlier = answers_of(connection, NOON - timedelta(hours=2), NOON - timedelta(hours=1))
    # Those of the arm are every second one from the first on; the first three were degraded, which is no answer of an arm.
    champion, arm = times[1::2] + times[0:3:2], times[4::2]
    assert [(one.version, one.arm, one.answers) for one in versions] == [
        ("v1.0.0-vader", None, len(champion)),
        ("v1.0.0-vader", "control", len(arm)),
    ]
    for one, took in zip(versions, (champion, arm), strict=True):
        assert (one.p50_ms, one.p95_ms, one.p99_ms) == pytest.approx(np.percentile(took, [50, 95, 99]))
    assert stood_in == {"queue": 2, "unknown": 1}
    assert earlier == ([], {}), "the control: what is older is not counted"


@pytest.mark.slow
def test_the_report_has_this_window_and_counts_what_this_process_refused(engine: Engine, start_serving: StartServing) -> None:
    serving = start_serving(ready=False)
    serving.wait_until(lambda: serving.answers("/monitoring/service"))
    empty = documented_answer(serving, "/monitoring/service?window=30d")
    assert (empty["unit"], empty["missing"]) == ("day", None)
    assert [empty["stored"][name] for name in ("predictions", "periods", "latency_ms")] == [0, [], None]
    seed(engine, 20, datetime.now(UTC))
    assert serving.client.get("/nowhere").status_code == 404
    shown = documented_answer(serving, "/monitoring/service?window=7d")
    stored = shown["stored"]
    assert (stored["predictions"], stored["cache_hits"], stored["degraded"]) == (20, 10, 3)
    assert stored["latency_ms"]["p50"] == 10.5
    assert (shown["deadline_ms"], stored["within_deadline"]) == (200, 20)
    assert sum(period["predictions"] for period in stored["periods"]) == 20
    assert shown["process"]["client_errors"] >= 1
    (period,) = shown["process"]["periods"]
    assert datetime.fromisoformat(period["start"]).hour == 0, "7 days are told by day"
    assert (period["requests"], period["client_errors"], period["server_errors"]) == tuple(
        shown["process"][name] for name in ("requests", "client_errors", "server_errors")
    )
    assert shown["process"]["requests"] > shown["process"]["client_errors"]
    journal = {name: value for name, value in shown["process"].items() if name.startswith("journal_")}
    assert journal == dict.fromkeys(
        ("journal_backlog_records", "journal_bytes", "journal_used", "journal_dropped", "journal_rejected"), 0
    )
    assert sum(one["answers"] for one in stored["last_hour"]["versions"]) == 20
    assert stored["last_hour"]["stood_in"] == {"unknown": 3}
    assert datetime.fromisoformat(shown["process"]["started_at"]) < datetime.fromisoformat(shown["as_of"])
    assert refuses(serving, "/monitoring/service?window=1y", 400)


def test_answers_are_counted_by_hour_for_twelve_weeks_and_probes_are_not() -> None:
    now = NOON
    metrics = Metrics(clock=lambda: now)
    metrics.observe_request("/predict", "POST", 200, 0.01)
    now += timedelta(minutes=59)
    metrics.observe_request("/predict", "POST", 503, 0.01)
    metrics.observe_request("/health", "GET", 503, 0.01)
    assert {hour: (counts["2"], counts["5"]) for hour, counts in metrics.answers_by_hour().items()} == {NOON: (1, 1)}
    metrics.observe_refusal("/predict", "answer")
    (counts,) = metrics.answers_by_hour().values()
    assert (counts["5"], counts["refused"]) == (2, 1), "a refusal is told apart from what failed"
    now += timedelta(weeks=12, hours=1)
    metrics.observe_request("/news", "GET", 400, 0.01)
    assert [counts["4"] for counts in metrics.answers_by_hour().values()] == [1], "what is older is forgotten"
