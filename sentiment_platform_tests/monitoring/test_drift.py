from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import Engine, func, select

from sentiment_platform.features.schema import V1
from sentiment_platform.monitoring.drift import judge, measure_drift, read_drift
from sentiment_platform.monitoring.samples import MIN_PREDICTIONS, Sample
from sentiment_platform.monitoring.severity import SCORES
from sentiment_platform.store.drift import newest_drift_rows
from sentiment_platform.store.tables import DriftMetric
from sentiment_platform_tests.monitoring.seeding import (
    CONTEXT,
    NOW,
    VERSION,
    features,
    probabilities,
    seed_deployed,
    seed_deployment,
    seed_predictions,
    seed_version,
    without,
)
from sentiment_platform_tests.statistics.drift_of_one import ks_of, psi_of


def rows_in(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(DriftMetric)).scalar_one()


def test_predictions_like_the_training_set_show_no_drift_in_any_feature_or_score(engine: Engine) -> None:
    seed_deployed(engine)
    seed_predictions(engine, features(600, 11), probabilities(600, 12))
    report = measure_drift(engine, NOW)
    assert (report.severity, report.drifted, report.texts) == ("none", (), 600)
    assert {row.feature for row in report.rows} == {*V1.names, *SCORES}
    assert report.tested == len(V1.names) + len(SCORES)
    assert rows_in(engine) == 2 * len(V1.names) + 5  # the predicted label is a category: no KS


def test_a_shifted_feature_is_named_and_nothing_else(engine: Engine) -> None:
    seed_deployed(engine)
    seed_predictions(engine, features(600, 11, {"vader_compound": 0.8}), probabilities(600, 12))
    report = measure_drift(engine, NOW)
    assert report.drifted == ("vader_compound",)
    assert {row.test for row in report.rows if row.drifted} == {"ks", "psi"}
    assert report.severity == "medium"  # one feature, but far beyond twice its threshold


def test_a_model_that_answers_differently_is_named_by_its_scores(engine: Engine) -> None:
    seed_deployed(engine)
    seed_predictions(engine, features(600, 11), probabilities(600, 12, (1.0, 2.0, 5.0)))
    report = measure_drift(engine, NOW)
    assert set(report.drifted) <= set(SCORES)
    assert "predicted_label" in report.drifted
    assert report.severity == "medium"


def test_the_stored_figures_are_those_of_the_statistics(engine: Engine) -> None:
    train, served = features(800, 1), features(600, 11, {"word_count": 0.5})
    seed_deployed(engine, train)
    answers = probabilities(600, 12)
    seed_predictions(engine, served, answers)
    measure_drift(engine, NOW)
    with engine.connect() as connection:
        stored = {(row.subject, row.test): row for row in newest_drift_rows(connection, VERSION)}
    for index, name in enumerate(V1.names):
        ks = ks_of(train[:, index], served[:, index])
        psi = psi_of(train[:, index], served[:, index])
        assert stored[name, "ks"].statistic == pytest.approx(ks.statistic, abs=1e-12)
        assert stored[name, "ks"].p_value == pytest.approx(ks.p_value, abs=1e-12)
        assert stored[name, "psi"].statistic == pytest.approx(psi.statistic, abs=1e-12)
        assert (stored[name, "psi"].n_reference, stored[name, "psi"].n_current) == (800, 600)
        assert stored[name, "ks"].adjusted_p_value >= stored[name, "ks"].p_value
        assert stored[name, "ks"].reference == f"{VERSION}:train"
    held_out = probabilities(400, 2)
    sentiment = ks_of(held_out[:, 2] - held_out[:, 0], answers[:, 2] - answers[:, 0])
    assert stored["score:sentiment", "ks"].statistic == pytest.approx(sentiment.statistic, abs=1e-12)
    assert stored["score:sentiment", "ks"].reference == f"{VERSION}:test"
    shares = psi_of(held_out.argmax(axis=1).astype(float), answers.argmax(axis=1).astype(float))
    assert stored["predicted_label", "psi"].statistic == pytest.approx(shares.statistic, abs=1e-12)


def test_measuring_the_same_predictions_again_is_the_same_report_and_writes_nothing(engine: Engine) -> None:
    seed_deployed(engine)
    seed_predictions(engine, features(600, 11), probabilities(600, 12))
    first = measure_drift(engine, NOW)
    stored = rows_in(engine)
    assert measure_drift(engine, NOW + timedelta(hours=1)) == first
    assert rows_in(engine) == stored
    seed_predictions(engine, features(1, 13), probabilities(1, 14), prefix="later")
    assert measure_drift(engine, NOW).report_id != first.report_id
    assert rows_in(engine) == 2 * stored


def test_context_that_is_missing_on_one_side_is_not_testable_instead_of_drifted(engine: Engine) -> None:
    seed_deployed(engine, without(features(800, 1), "story_outlets", "hour_utc"))
    seed_predictions(engine, without(features(600, 11), "weekday", "hour_utc"), probabilities(600, 12))
    report = measure_drift(engine, NOW)
    reasons = {row.feature: row.not_testable for row in report.rows if row.not_testable}
    assert reasons == {
        "story_outlets": "missing in every row of the reference",
        "hour_utc": "missing in every row of the reference",
        "weekday": "missing in everything served",
    }
    assert report.drifted == ()
    assert report.missing["weekday"] == (0.0, 1.0)


def test_a_version_whose_training_set_is_elsewhere_as_a_starters_has_nothing_to_test_and_alarms_nobody(engine: Engine) -> None:
    seed_deployed(engine, features(0, 1))
    seed_predictions(engine, features(600, 11), probabilities(600, 12))
    report = measure_drift(engine, NOW)
    reasons = {row.feature: row.not_testable for row in report.rows}
    assert reasons[V1.names[0]] == "no train part of this version is stored here"
    assert (report.severity, {row.statistic for row in report.rows if row.feature in V1.names}) == ("none", {None})


def test_a_feature_missing_more_often_is_compared_where_it_is_present(engine: Engine) -> None:
    train, served = features(800, 1), features(600, 11)
    train[:600, [V1.names.index(name) for name in CONTEXT]] = np.nan
    seed_deployed(engine, train)
    seed_predictions(engine, served, probabilities(600, 12))
    report = measure_drift(engine, NOW)
    assert report.drifted == ()
    assert report.missing["hour_utc"] == (0.75, 0.0)
    assert next(row.n_reference for row in report.rows if row.feature == "hour_utc") == 200


def test_a_text_that_is_asked_a_thousand_times_is_one_observation(engine: Engine) -> None:
    seed_deployed(engine)
    seed_predictions(engine, features(600, 11), probabilities(600, 12))
    same = np.repeat(features(1, 15, {"word_count": 5.0}), 400, axis=0)
    seed_predictions(engine, same, np.repeat(probabilities(1, 16), 400, axis=0), prefix="again", texts=["the same"] * 400)
    report = measure_drift(engine, NOW)
    assert (report.texts, report.drifted) == (601, ())
    different = [f"another {i}" for i in range(400)]
    seed_predictions(engine, same, np.repeat(probabilities(1, 16), 400, axis=0), prefix="others", texts=different)
    assert "word_count" in measure_drift(engine, NOW).drifted


def test_a_thin_window_is_widened_to_the_last_predictions(engine: Engine) -> None:
    seed_deployed(engine)
    seed_predictions(engine, features(700, 11), probabilities(700, 12), until=NOW - timedelta(days=30), prefix="old")
    seed_predictions(engine, features(20, 13), probabilities(20, 14))
    report = measure_drift(engine, NOW)
    assert report.texts == MIN_PREDICTIONS
    assert report.window_end is not None
    assert report.window_end > NOW - timedelta(days=1)


def test_too_few_predictions_are_not_tested_and_say_so(engine: Engine) -> None:
    seed_deployed(engine)
    seed_predictions(engine, features(12, 11, {"word_count": 9.0}), probabilities(12, 12))
    report = measure_drift(engine, NOW)
    assert (report.severity, report.tested) == ("none", 0)
    assert report.rows[0].not_testable == "800 reference and 12 current values, 30 of each needed"


def test_answers_of_another_version_count_as_questions_but_not_as_answers(engine: Engine) -> None:
    seed_deployed(engine)
    seed_predictions(engine, features(600, 11), probabilities(600, 12, (1.0, 2.0, 5.0)), version="v9.0.0-finbert")
    report = measure_drift(engine, NOW)
    tested = {row.feature for row in report.rows if row.statistic is not None}
    assert tested == set(V1.names)
    assert report.drifted == ()


def test_without_a_deployment_or_predictions_there_is_a_note_and_no_row(engine: Engine) -> None:
    assert measure_drift(engine, NOW).note == "Nothing is deployed yet."
    seed_deployment(engine)
    assert "registered in another database" in measure_drift(engine, NOW).note
    seed_version(engine)
    report = measure_drift(engine, NOW)
    assert report.note == f"No prediction with the features of {VERSION} has arrived yet."
    assert (report.rows, rows_in(engine)) == ((), 0)


def test_a_stored_report_reads_back_with_its_severity(engine: Engine) -> None:
    seed_deployed(engine)
    seed_predictions(engine, features(600, 11, {"vader_compound": 0.8}), probabilities(600, 12))
    measured = measure_drift(engine, NOW)
    with engine.connect() as connection:
        read = read_drift(connection, VERSION)
        other = read_drift(connection, "v1.0.0-vade")
    assert (read.report_id, read.severity, read.drifted, read.texts) == (
        measured.report_id,
        measured.severity,
        measured.drifted,
        measured.texts,
    )
    assert other.note == "There is no drift report on v1.0.0-vade yet."


def sample(seed: int, shift: float = 0.0) -> list[Sample]:
    reference, current = features(1000, seed), features(1000, seed + 10_000, {"word_count": shift})
    return [Sample(name, "train", reference[:, i], current[:, i]) for i, name in enumerate(V1.names)]


def test_hardly_any_report_without_drift_raises_an_alarm() -> None:
    alarms = sum(any(row.drifted for row in judge(sample(seed))) for seed in range(60))
    assert alarms <= 3


def test_half_a_standard_deviation_in_a_thousand_rows_is_found() -> None:
    found = [{row.feature for row in judge(sample(seed, 0.5)) if row.drifted} for seed in range(60)]
    assert sum("word_count" in names for names in found) >= 57
