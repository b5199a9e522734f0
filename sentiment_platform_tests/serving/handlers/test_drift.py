"""Claims about GET /monitoring/drift-reports: what was measured is shown over time, and each report with what it compared."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from sentiment_platform.features.schema import V1
from sentiment_platform.monitoring.drift import measure_drift
from sentiment_platform.monitoring.severity import SCORES
from sentiment_platform_tests.monitoring.seeding import NOW, VERSION, seed_deployed, seed_weeks
from sentiment_platform_tests.serving.conftest import StartServing
from sentiment_platform_tests.serving.documented import documented_answer, refuses


@pytest.mark.slow
def test_reports_stand_there_over_time_each_with_both_distributions(engine: Engine, start_serving: StartServing) -> None:
    serving = start_serving(ready=False)
    serving.wait_until(lambda: serving.answers("/monitoring/drift-reports"))
    assert documented_answer(serving, "/monitoring/drift-reports")["reports"] == []
    seed_deployed(engine)
    seed_weeks(engine, range(2, 7))
    first = measure_drift(engine, NOW - timedelta(days=14))
    seed_weeks(engine, (0, 1), shift={"word_count": 1.0})
    second = measure_drift(engine, NOW)

    reports = documented_answer(serving, f"/monitoring/drift-reports?version={VERSION}")["reports"]
    shown = [(row["report_id"], row["severity"], row["texts"]) for row in reports]
    assert shown == [(report.report_id, report.severity, 300) for report in (second, first)]
    assert [cell["subject"] for cell in reports[0]["tests"] if cell["drifted"]] == ["word_count", "word_count"]
    assert len(documented_answer(serving, "/monitoring/drift-reports?limit=1")["reports"]) == 1
    assert documented_answer(serving, "/monitoring/drift-reports?version=v9.9.9-vader")["reports"] == []

    path = "/monitoring/drift-reports/{report_id}"
    whole = documented_answer(serving, f"/monitoring/drift-reports/{second.report_id}", path)
    assert len(whole["tests"]) == len(second.rows)
    by_subject = {row["subject"]: row for row in whole["distributions"]}
    assert by_subject.keys() == {*V1.names, *SCORES}
    assert {(row["subject"], row["windows_moved"]) for row in whole["tests"] if row["drifted"]} == {("word_count", 2)}
    words = by_subject["word_count"]
    assert (sum(words["reference"]), sum(words["current"])) == (1200, 300)
    middle = [(low + high) / 2 for low, high in zip(words["edges"], words["edges"][1:], strict=False)]
    means = [sum(m * n for m, n in zip(middle, words[side], strict=True)) / sum(words[side]) for side in ("reference", "current")]
    assert means[1] - means[0] == pytest.approx(1.0, abs=0.15)
    assert len(by_subject["predicted_label"]["reference"]) == 3

    # A report of an older platform has no distributions, and is measured again without a second row.
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM platform.drift_distributions"))
    assert documented_answer(serving, f"/monitoring/drift-reports/{second.report_id}", path)["distributions"] == []
    measure_drift(engine, NOW)
    assert len(documented_answer(serving, f"/monitoring/drift-reports/{second.report_id}", path)["distributions"]) == 18
    assert refuses(serving, f"/monitoring/drift-reports/{'0' * 32}", 404, "unknown_report")
    assert refuses(serving, "/monitoring/drift-reports/latest", 400)
