"""Claims about live accuracy: a random sample of what was served, labelled by people, and nothing else."""

import random
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import Engine, delete, select

from sentiment_platform.alerts.incidents import degraded
from sentiment_platform.labels.examples import AUDIT_SET
from sentiment_platform.monitoring.retraining import decide_and_store
from sentiment_platform.served.performance import (
    MIN_LABELS,
    SELF_SELECTED,
    VersionPerformance,
    live_accuracy,
    measure_performance,
)
from sentiment_platform.statistics.shares import share_estimate
from sentiment_platform.store.audit_sample import A_DAY, draw_sample, sample_counts, sampled_answers
from sentiment_platform.store.figures import newest_figures
from sentiment_platform.store.predictions import insert_new
from sentiment_platform.store.tables import AuditedPrediction, Prediction
from sentiment_platform.text.normalise import text_hash
from sentiment_platform.text.sentiment import Label
from sentiment_platform_tests.monitoring.seeding import (
    NOW,
    VERSION,
    answering,
    features,
    seed_audit,
    seed_deployed,
    seed_feedback,
    seed_predictions,
)


def served(identity: str, at: datetime, text: str, *, traffic: str | None = None, supported: bool = True) -> dict[str, object]:
    """A record as serving's journal ships it."""
    return {
        "id": identity,
        "predicted_at": at,
        "route": "/predict",
        "family": "vader",
        "model_version": VERSION,
        "manifest_digest": "m" * 64,
        "deployment_revision": 1,
        "text": text,
        "text_hash": text_hash(text),
        "feature_schema": "v1",
        "features": [0.0] * 15,
        "features_hash": "f",
        "feature_status": "PRESENT",
        "probabilities": answering("positive"),
        "sentiment": 0.7,
        "confidence": 0.8,
        "supported": supported,
        "traffic": traffic,
        "cache_hit": False,
        "degraded": False,
        "latency_ms": {"total": 1.0},
        "instance": "tests",
    }


def in_the_sample(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(
            connection.execute(select(AuditedPrediction.prediction_id).order_by(AuditedPrediction.prediction_id)).scalars()
        )


def serve(engine: Engine, answers: list[Label], **options: object) -> list[str]:
    probabilities = np.array([answering(label) for label in answers])
    return seed_predictions(engine, features(len(answers), 3), probabilities, **options)  # type: ignore[arg-type]


def audit_row(engine: Engine, window: str = "audit:7d") -> VersionPerformance:
    return next(row for row in measure_performance(engine, NOW).rows if (row.version, row.window) == (VERSION, window))


def test_the_sample_is_the_same_in_whatever_order_and_however_often_predictions_are_shipped(engine: Engine) -> None:
    days = [NOW - timedelta(days=n) for n in range(3)]
    records = [served(f"{day:%d} {n}", day - timedelta(minutes=n), f"text {n}") for day in days for n in range(A_DAY + 50)]
    draws: list[list[str]] = []
    for seed in range(2):
        order = random.Random(seed).sample(records, len(records))
        with engine.begin() as connection:
            connection.execute(delete(Prediction))
        for start in range(0, len(order), 150):
            with engine.begin() as connection:
                insert_new(connection, predictions=order[start : start + 150])
                insert_new(connection, predictions=order[: start // 2])
                draw_sample(connection, NOW)
        draws.append(in_the_sample(engine))
    assert draws[0] == draws[1]
    assert len(draws[0]) == 3 * A_DAY


def test_load_tests_unreadable_texts_and_old_days_are_not_in_the_sample_and_a_deleted_prediction_leaves_it(
    engine: Engine,
) -> None:
    records = [
        served("user", NOW, "a"),
        served("load", NOW, "b", traffic="load_test"),
        served("finnish", NOW, "c", supported=False),
        served("old", NOW - timedelta(days=40), "d"),
        served("erased", NOW, "e"),
    ]
    with engine.begin() as connection:
        insert_new(connection, predictions=records)
        draw_sample(connection, NOW - timedelta(days=20))
        assert sample_counts(connection, AUDIT_SET).answers == 1
        draw_sample(connection, NOW)
    assert in_the_sample(engine) == ["erased", "user"]
    with engine.begin() as connection:
        connection.execute(delete(Prediction).where(Prediction.id == "erased"))
    assert in_the_sample(engine) == ["user"]


def test_an_answer_of_a_quiet_day_counts_no_more_than_one_of_a_busy_day(engine: Engine) -> None:
    noon = datetime(2025, 3, 8, 12, tzinfo=UTC)
    with engine.begin() as connection:
        busy = [served(f"busy {n}", noon, f"busy {n}") for n in range(8 * A_DAY)]
        quiet = [served(f"quiet {n}", noon + timedelta(days=1), f"quiet {n}") for n in range(A_DAY)]
        insert_new(connection, predictions=[*busy, *quiet])
        draw_sample(connection, NOW)
        sampled = [one.prediction_id for one in sampled_answers(connection, NOW - timedelta(days=7), NOW)]
    assert len([one for one in sampled if one.startswith("busy")]) == A_DAY
    # One in eight of the busy day is kept, so about one in eight of the quiet one counts, and not all of it.
    assert 10 <= len([one for one in sampled if one.startswith("quiet")]) <= 45


def test_live_accuracy_counts_the_labelled_answers_of_the_sample_and_leaves_out_what_the_version_learned(engine: Engine) -> None:
    seed_deployed(engine)
    serve(engine, ["positive"] * 40, prefix="new")
    serve(engine, ["positive"] * 20, prefix="known", texts=[f"fitted {n}" for n in range(20)])
    said: dict[str, Label] = {f"new {n}": "positive" if n < 30 else "negative" for n in range(36)}
    learned: dict[str, Label] = {f"fitted {n}": "negative" for n in range(20)}
    seed_audit(engine, said | learned)
    row = audit_row(engine)
    assert (row.sampled, row.labelled, row.in_sample, row.note) == (60, 56, 20, "")
    accuracy = next(figure for figure in row.figures if figure.metric == "accuracy")
    assert (accuracy.value, accuracy.n, accuracy.label_coverage) == (30 / 36, 36, 36 / 60)
    # Clopper and Pearson for 30 of 36.
    assert (accuracy.low, accuracy.high) == (pytest.approx(0.6719, abs=5e-5), pytest.approx(0.9363, abs=5e-5))
    with engine.connect() as connection:
        assert live_accuracy(connection, VERSION, NOW) is not None
        assert live_accuracy(connection, VERSION, NOW + timedelta(days=31)) is None, "an old figure says nothing of today"


def test_a_text_that_is_asked_often_counts_as_often_as_it_was_answered_and_is_no_more_evidence(engine: Engine) -> None:
    texts = ["asked all day"] * 36 + [f"asked once {n}" for n in range(36)]
    serve(engine, ["positive"] * 72, texts=texts)
    seed_audit(engine, {text: "negative" if text == "asked all day" else "positive" for text in texts})
    row = audit_row(engine)
    assert (row.labelled, row.figures) == (72, ())
    assert row.note == f"3 usable labels of different stories, {MIN_LABELS} are needed"  # 72 * 72 / (36 * 36 + 36)


def test_labels_of_other_sets_of_machines_and_of_other_texts_do_not_count_and_ties_are_left_out(engine: Engine) -> None:
    serve(engine, ["positive"] * 40)
    asked: dict[str, Label] = {f"served {n}": "positive" for n in range(40)}
    seed_audit(engine, asked, label_set="desk")
    assert audit_row(engine).labelled == 0
    seed_audit(engine, {f"never asked {n}": "positive" for n in range(40)})
    assert audit_row(engine).labelled == 0
    seed_audit(engine, asked)
    seed_audit(engine, {"served 0": "negative"}, annotator="another reader")
    assert audit_row(engine).labelled == 39


def test_complaints_alone_are_self_selected_judge_nothing_and_the_audit_says_how_it_is(engine: Engine) -> None:
    """Of 90 answers 72 are right; the users of the 18 wrong ones complain, and of the others only each sixth says a word."""
    seed_deployed(engine)
    ids = serve(engine, ["positive"] * 90)
    truth: dict[str, Label] = {f"served {n}": "negative" if n % 5 == 0 else "positive" for n in range(90)}
    for n, prediction in enumerate(ids):
        if n % 5 == 0 or n % 6 == 0:
            seed_feedback(engine, prediction, label=truth[f"served {n}"])
    measure_performance(engine, NOW)
    with engine.connect() as connection:
        told = next(one for one in newest_figures(connection) if (one.window, one.metric) == ("feedback:7d", "accuracy"))
        assert told.value == pytest.approx(12 / 30)
        assert told.note == SELF_SELECTED
        assert live_accuracy(connection, VERSION, NOW) is None
        assert degraded(connection, NOW) == []
    outcome = decide_and_store(engine, NOW, run_id="run")
    assert outcome.decision is not None
    assert (outcome.decision.retrain, outcome.decision.causes) == (False, ())

    seed_audit(engine, truth)
    measure_performance(engine, NOW)
    with engine.connect() as connection:
        live = live_accuracy(connection, VERSION, NOW)
        assert live is not None
        assert (live.window, live.value) == ("audit:7d", pytest.approx(0.8))
        assert degraded(connection, NOW) == []


def test_an_audit_that_is_far_below_the_holdout_is_an_incident_and_a_cause(engine: Engine) -> None:
    """The control of the claim above: the same machinery speaks where the sample does."""
    seed_deployed(engine)
    serve(engine, ["positive"] * 90)
    seed_audit(engine, {f"served {n}": "negative" if n % 2 else "positive" for n in range(90)})
    measure_performance(engine, NOW)
    with engine.connect() as connection:
        (incident,) = degraded(connection, NOW)
    assert incident.summary.startswith(f"{VERSION} is right on 50.0% of an audit sample of 90 answers")
    outcome = decide_and_store(engine, NOW, run_id="run")
    assert outcome.decision is not None
    assert [cause.kind for cause in outcome.decision.causes] == ["performance_degradation"]


@pytest.mark.parametrize("repeated", [0.0, 0.3, 0.7])
@pytest.mark.parametrize("labelled", [40, 150, 400])
def test_the_interval_covers_the_truth_in_95_percent_of_windows_or_more(labelled: int, repeated: float) -> None:
    """Of the traffic a share `repeated` asks for twenty popular texts; a model is right on a text or it is not, wherever it is asked."""
    rng = np.random.default_rng(labelled)
    windows, covered, naive = 1000, 0, 0
    for _ in range(windows):
        accuracy = rng.uniform(0.6, 0.95)
        popular = rng.random(labelled) < repeated
        text = np.where(popular, rng.geometric(0.15, labelled) % 20, 20 + np.arange(labelled))
        right = (rng.random(20 + labelled) < accuracy)[text]
        estimate = share_estimate(right, text)
        covered += estimate.low <= accuracy <= estimate.high
        plain = share_estimate(right, np.arange(labelled))
        naive += plain.low <= accuracy <= plain.high
    assert covered >= 0.95 * windows
    if repeated == 0.7:
        assert naive < 0.9 * windows, "the control: repetitions taken for draws of their own promise too much"


def test_the_sample_covers_the_accuracy_of_the_traffic_however_uneven_its_days_are() -> None:
    """A busy day of 3,000 answers, on which half are right, and six quiet days of 60 on which all are; 40 draws of ids."""
    rng = random.Random(1)
    sizes, rights = [3000, *[60] * 6], [0.5, *[1.0] * 6]
    truth = sum(n * p for n, p in zip(sizes, rights, strict=True)) / sum(sizes)
    covered = 0
    for _ in range(40):
        days = [sorted((rng.random(), rng.random() < p) for _ in range(n))[:A_DAY] for n, p in zip(sizes, rights, strict=True)]
        cut = min((day[-1][0] for day in days if len(day) == A_DAY), default=1.0)
        right = np.array([right for day in days for digest, right in day if digest <= cut])
        estimate = share_estimate(right, np.arange(right.size))
        covered += estimate.low <= truth <= estimate.high
    assert covered >= 38
