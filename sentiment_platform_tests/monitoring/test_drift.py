"""Claims about change: what differs from the weeks before, and keeps differing, is named; nothing else is."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import Engine, func, select, update

from sentiment_platform.features.compute import FeatureContext, compute_v1
from sentiment_platform.features.schema import V1
from sentiment_platform.monitoring.drift import measure_drift, read_drift
from sentiment_platform.monitoring.judging import judge, lasting
from sentiment_platform.monitoring.samples import Sample, Texts
from sentiment_platform.monitoring.severity import CLOCK, SCORES, TEXT, severity_of
from sentiment_platform.monitoring.windows import MAX_WINDOW, MIN_TEXTS
from sentiment_platform.store.drift import newest_drift_rows
from sentiment_platform.store.predictions import served_predictions
from sentiment_platform.store.tables import DriftMetric, Prediction
from sentiment_platform_tests.monitoring.seeding import (
    NOW,
    VERSION,
    features,
    probabilities,
    seed_deployed,
    seed_deployment,
    seed_predictions,
    seed_version,
    seed_weeks,
    without,
)
from sentiment_platform_tests.statistics.drift_of_one import ks_of, psi_of

EARLIER, LASTING = (2, 3, 4), (0, 1)


def rows_in(engine: Engine) -> int:
    with engine.connect() as connection:
        earlier = DriftMetric.reference.endswith(":earlier")
        return connection.execute(select(func.count()).select_from(DriftMetric).where(earlier)).scalar_one()


def test_weeks_like_those_before_show_no_drift_in_any_feature_score_or_text(engine: Engine) -> None:
    seed_deployed(engine)
    seed_weeks(engine)
    report = measure_drift(engine, NOW)
    assert (report.severity, report.drifted, report.moved, report.texts) == ("none", (), (), 300)
    assert {row.feature for row in report.rows} == {*V1.names, *SCORES, TEXT}
    assert report.tested == len(V1.names) - len(CLOCK) + len(SCORES) + 1
    assert rows_in(engine) == 2 * len(V1.names) + 5 + 1  # the predicted label is a category: no KS


def test_a_feature_that_moves_alarms_when_another_week_says_so_too_and_not_before(engine: Engine) -> None:
    seed_deployed(engine)
    seed_weeks(engine, (1, *EARLIER))
    seed_weeks(engine, (0,), shift={"vader_compound": 0.8}, texts="served")
    once = measure_drift(engine, NOW)
    assert (once.severity, once.drifted, once.moved) == ("none", (), ("vader_compound",))
    later = NOW + timedelta(days=7)
    seed_weeks(engine, (0,), shift={"vader_compound": 0.8}, now=later)
    twice = measure_drift(engine, later)
    assert (twice.drifted, twice.moved, twice.windows_moved["vader_compound"]) == (("vader_compound",), (), 2)
    assert {row.test for row in twice.rows if row.drifted} == {"ks", "psi"}
    assert twice.severity == "medium"  # one feature, but far beyond twice its threshold


def test_a_week_that_is_over_alarms_nobody(engine: Engine) -> None:
    seed_deployed(engine)
    seed_weeks(engine, (0, *EARLIER))
    seed_weeks(engine, (1,), shift={"vader_compound": 2.0})
    report = measure_drift(engine, NOW)
    assert (report.severity, report.moved, report.windows_moved["vader_compound"]) == ("none", (), 1)


def test_a_training_set_of_another_source_is_told_once_as_fit_and_never_as_drift(engine: Engine) -> None:
    seed_deployed(engine, features(800, 1, {"word_count": 4.0, "vader_compound": 2.0}))
    seed_weeks(engine)
    assert measure_drift(engine, NOW).severity == "none"
    assert measure_drift(engine, NOW + timedelta(hours=1)).severity == "none"
    with engine.connect() as connection:
        told = connection.execute(
            select(DriftMetric.subject, func.count())
            .where(DriftMetric.reference == f"{VERSION}:train", DriftMetric.drifted)
            .group_by(DriftMetric.subject)
        ).all()
    assert {row[0]: row[1] for row in told} == {"word_count": 2, "vader_compound": 2, TEXT: 1}


def test_a_model_that_answers_differently_is_named_by_its_scores(engine: Engine) -> None:
    seed_deployed(engine)
    seed_weeks(engine, EARLIER)
    seed_weeks(engine, LASTING, weights=(1.0, 2.0, 5.0))
    report = measure_drift(engine, NOW)
    assert set(report.drifted) <= set(SCORES)
    assert "predicted_label" in report.drifted
    assert report.severity == "medium"


def test_answers_are_never_compared_with_those_of_another_version(engine: Engine) -> None:
    seed_deployed(engine)
    seed_weeks(engine, EARLIER, version="v0.9.0-vader")
    seed_weeks(engine, LASTING, weights=(1.0, 2.0, 5.0))
    report = measure_drift(engine, NOW)
    assert (report.severity, report.drifted, report.moved) == ("none", (), ())
    assert {row.feature: row.not_testable for row in report.rows if row.feature in SCORES} == dict.fromkeys(
        SCORES, "no earlier values to compare with"
    )


def test_texts_of_other_words_are_found_by_the_texts_alone_and_their_words_are_named(engine: Engine) -> None:
    seed_deployed(engine)
    seed_weeks(engine, EARLIER)
    seed_weeks(engine, LASTING, texts="zinc cobalt")
    report = measure_drift(engine, NOW)
    assert (report.drifted, report.severity) == ((TEXT,), "high")
    assert {"zinc", "cobalt"} <= set(report.words)


def test_the_stored_figures_are_those_of_the_statistics(engine: Engine) -> None:
    seed_deployed(engine)
    seed_weeks(engine, (0, 1, 2, 3))
    measure_drift(engine, NOW)
    with engine.connect() as connection:
        stored = {(row.subject, row.test): row for row in newest_drift_rows(connection, VERSION)}
    before, served = features(300, 103), features(300, 100)
    for index, name in enumerate(V1.names):
        ks, psi = ks_of(before[:, index], served[:, index]), psi_of(before[:, index], served[:, index])
        assert stored[name, "ks"].statistic == pytest.approx(ks.statistic, abs=1e-12)
        assert stored[name, "ks"].p_value == pytest.approx(ks.p_value, abs=1e-12)
        assert stored[name, "psi"].statistic == pytest.approx(psi.statistic, abs=1e-12)
        assert (stored[name, "psi"].n_reference, stored[name, "psi"].n_current) == (300, 300)
        assert stored[name, "psi"].effect_size is None
        assert stored[name, "ks"].reference == f"{VERSION}:earlier"
    answers = [probabilities(300, seed) for seed in (203, 200)]
    shares = psi_of(*(side.argmax(axis=1).astype(float) for side in answers))
    assert stored["predicted_label", "psi"].statistic == pytest.approx(shares.statistic, abs=1e-12)


def test_measuring_the_same_predictions_again_is_the_same_report_and_writes_nothing(engine: Engine) -> None:
    seed_deployed(engine)
    seed_weeks(engine)
    first = measure_drift(engine, NOW)
    stored = rows_in(engine)
    assert measure_drift(engine, NOW + timedelta(minutes=1)) == first
    assert rows_in(engine) == stored
    seed_predictions(engine, features(1, 13), probabilities(1, 14), prefix="later")
    assert measure_drift(engine, NOW).report_id != first.report_id
    assert rows_in(engine) == 2 * stored


def test_context_that_is_missing_on_one_side_is_not_testable_instead_of_drifted(engine: Engine) -> None:
    seed_deployed(engine)
    n = 150
    for week in range(5):
        values = without(features(n, week), *(["story_outlets"] if week > 2 else ["ticker_articles_1d"]))
        texts = [f"served {week * n + i}" for i in range(n)]
        until = NOW - timedelta(days=7 * week)
        seed_predictions(engine, values, probabilities(n, week), until=until, prefix=f"week {week}", texts=texts)
    report = measure_drift(engine, NOW)
    reasons = {row.feature: row.not_testable for row in report.rows if row.not_testable}
    assert reasons == {
        "story_outlets": "missing in every row of the reference",
        "ticker_articles_1d": "missing in everything served",
    }
    assert report.drifted == ()
    assert report.missing["ticker_articles_1d"] == (0.0, 1.0)


def test_a_text_that_is_asked_a_thousand_times_is_one_observation(engine: Engine) -> None:
    seed_deployed(engine)
    seed_weeks(engine)
    same = np.repeat(features(1, 15, {"word_count": 5.0}), 400, axis=0)
    answers = np.repeat(probabilities(1, 16), 400, axis=0)
    for week in LASTING:
        until = NOW - timedelta(days=7 * week)
        seed_predictions(engine, same, answers, prefix=f"again {week}", texts=["served the same"] * 400, until=until)
    report = measure_drift(engine, NOW)
    assert (report.texts, report.drifted) == (301, ())
    for week in LASTING:
        different, until = [f"served {10_000 + week * 400 + i}" for i in range(400)], NOW - timedelta(days=7 * week)
        seed_predictions(engine, same, answers, prefix=f"others {week}", texts=different, until=until)
    assert "word_count" in measure_drift(engine, NOW).drifted


def test_what_load_tests_ask_moves_nothing(engine: Engine) -> None:
    seed_deployed(engine)
    seed_weeks(engine)
    seed_weeks(engine, LASTING, shift={"word_count": 3.0}, texts="load")
    assert "word_count" in measure_drift(engine, NOW).drifted  # the control: nothing says that it is a load test
    with engine.begin() as connection:
        connection.execute(update(Prediction).where(Prediction.text.startswith("load")).values(traffic="load_test"))
    report = measure_drift(engine, NOW)
    assert (report.severity, report.texts) == ("none", 300)


def test_a_thin_week_is_not_judged_and_one_shock_in_thin_traffic_alarms_at_no_hour(engine: Engine) -> None:
    seed_deployed(engine)
    seed_weeks(engine, tuple(range(12)), n=MIN_TEXTS - 40)
    # So few a week, and all of a sudden forty others on one day.
    assert measure_drift(engine, NOW).tested == 0
    until = NOW + timedelta(hours=1)
    shocked = [f"served {50_000 + i}" for i in range(40)]
    seed_predictions(
        engine, features(40, 9, {"word_count": 6.0}), probabilities(40, 9), prefix="shock", texts=shocked, until=until
    )
    seen = [measure_drift(engine, NOW + timedelta(hours=hour)) for hour in range(1, 24 * 21, 40)]
    assert {report.severity for report in seen} == {"none"}


def test_too_few_predictions_are_not_tested_and_say_so(engine: Engine) -> None:
    seed_deployed(engine)
    seed_weeks(engine, (3, 4))
    seed_predictions(engine, features(12, 11, {"word_count": 9.0}), probabilities(12, 12))
    report = measure_drift(engine, NOW)
    assert (report.severity, report.tested) == ("none", 0)
    assert report.rows[0].not_testable == f"600 reference and 12 current values, {MIN_TEXTS} of each needed"


def test_without_a_deployment_or_predictions_there_is_a_note_and_no_row(engine: Engine) -> None:
    assert measure_drift(engine, NOW).note == "Nothing is deployed yet."
    seed_deployment(engine)
    assert "registered in another database" in measure_drift(engine, NOW).note
    seed_version(engine)
    report = measure_drift(engine, NOW)
    assert report.note == f"Nobody asked {VERSION} anything in the 7 days before 2025-03-10 12:00 UTC."
    assert (report.rows, rows_in(engine)) == ((), 0)


def test_a_stored_report_reads_back_with_its_severity_until_nobody_asks_any_more(engine: Engine) -> None:
    seed_deployed(engine)
    seed_weeks(engine, EARLIER)
    seed_weeks(engine, LASTING, shift={"vader_compound": 0.8})
    measured = measure_drift(engine, NOW)
    with engine.connect() as connection:
        read = read_drift(connection, VERSION, NOW)
        other = read_drift(connection, "v1.0.0-vade", NOW)
        over = read_drift(connection, VERSION, NOW + timedelta(days=8))
    assert (read.report_id, read.severity, read.drifted, read.moved, read.texts) == (
        measured.report_id,
        "medium",
        ("vader_compound",),
        (),
        300,
    )
    assert other.note == "There is no drift report on v1.0.0-vade yet."
    assert (over.severity, over.note) == ("none", f"The newest drift report on {VERSION} is of 2025-03-10: nobody asked since.")


def test_of_a_busy_week_a_sample_of_all_its_days_is_compared(engine: Engine) -> None:
    for day in range(7):
        until = NOW - timedelta(days=day)
        seed_predictions(engine, features(400, day), probabilities(400, day), prefix=f"day {day}", until=until)
    with engine.connect() as connection:
        first, again = (served_predictions(connection, "v1", NOW - timedelta(days=7), NOW, 700) for _ in range(2))
    assert first == again
    assert 550 < len(first) <= MAX_WINDOW
    assert {row.id.rpartition("-")[0] for row in first} == {f"day {day}" for day in range(7)}


def sample(seed: int, shift: float = 0.0) -> list[Sample]:
    reference, current = features(1000, seed), features(1000, seed + 10_000, {"word_count": shift})
    return [Sample(name, "earlier", reference[:, i], current[:, i]) for i, name in enumerate(V1.names)]


def test_hardly_any_report_without_drift_raises_an_alarm() -> None:
    alarms = sum(any(row.drifted for row in judge(sample(seed))) for seed in range(60))
    assert alarms <= 3


def test_half_a_standard_deviation_in_a_thousand_rows_is_found() -> None:
    hits = [{row.feature for row in judge(sample(seed, 0.5)) if row.drifted} for seed in range(60)]
    assert sum("word_count" in names for names in hits) >= 57


def at(day: int, hour: float) -> FeatureContext:
    return FeatureContext(published_at=datetime(2025, 3, 3, tzinfo=UTC) + timedelta(days=day, hours=hour))


@pytest.mark.parametrize(
    "current",
    [
        [at(0, 9 + i % 3) for i in range(2000)],  # three hours of one Monday
        [at(i % 2, i % 24) for i in range(500)],  # Monday and Tuesday
        [at(5 + i % 2, i % 24) for i in range(500)],  # a weekend
        [FeatureContext(published_at=at(i % 7, 0).published_at, day_only=True) for i in range(500)],  # no hour is known
        [FeatureContext() for _ in range(500)],  # no day either
    ],
)
def test_a_part_of_the_clock_or_of_the_calendar_is_no_drift(current: list[FeatureContext]) -> None:
    texts = [f"Margin of plant {i % 50} grew {i % 9} %" for i in range(2000)]
    whole = rows_of([at(i % 28, (i * 7) % 24) for i in range(2000)], texts)
    part = rows_of(current, texts)
    samples = [Sample(name, "earlier", whole[:, i], part[:, i]) for i, name in enumerate(V1.names)]
    judged = judge(samples, Texts("earlier", texts, texts[: len(current)]))
    lasts, _ = lasting([judged, judged, judged])
    assert severity_of(lasts) == "none"
    assert [row.feature for row in judged if row.drifted] == []
    clock = [row for row in judged if row.feature in CLOCK]
    assert {row.feature for row in clock} == set(CLOCK)
    assert {row.adjusted_p for row in clock} == {None}


def rows_of(contexts: list[FeatureContext], texts: list[str]) -> np.ndarray:
    vectors = [compute_v1(text, context) for text, context in zip(texts, contexts, strict=False)]
    return np.array([[np.nan if value is None else value for value in vector] for vector in vectors])
