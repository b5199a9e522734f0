from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import Engine, func, insert, select

from sentiment_platform.served.performance import (
    MIN_LABELS,
    SELF_SELECTED,
    PerformanceReport,
    VersionPerformance,
    measure_performance,
)
from sentiment_platform.store.figures import StoredFigure, newest_figures
from sentiment_platform.store.tables import Feedback, ModelPerformance
from sentiment_platform_tests.monitoring.seeding import (
    NOW,
    VERSION,
    answering,
    features,
    seed_deployed,
    seed_feedback,
    seed_predictions,
)

WEEK = (7,)


def serve(engine: Engine, answers: list[str], **options: object) -> list[str]:
    probabilities = np.array([answering(label) for label in answers])
    return seed_predictions(engine, features(len(answers), 3), probabilities, **options)  # type: ignore[arg-type]


def stored_figures(engine: Engine, window: str = "feedback:7d") -> dict[str, StoredFigure]:
    with engine.connect() as connection:
        return {figure.metric: figure for figure in newest_figures(connection, [VERSION]) if figure.window == window}


def of_window(report: PerformanceReport, window: str = "feedback:7d") -> VersionPerformance:
    (row,) = (row for row in report.rows if row.window == window)
    return row


def revisions(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(ModelPerformance)).scalar_one()


def forty_labelled(engine: Engine) -> list[str]:
    """80 predictions, 40 of them labelled: 12 of 16 negative, 8 of 12 neutral and 10 of 12 positive ones are right."""
    truth = ["negative"] * 16 + ["neutral"] * 12 + ["positive"] * 12
    answers = ["negative"] * 12 + ["positive"] * 4 + ["neutral"] * 8 + ["negative"] * 4 + ["positive"] * 10 + ["neutral"] * 2
    ids = serve(engine, answers + ["neutral"] * 40)
    for prediction, label in zip(ids, truth, strict=False):
        seed_feedback(engine, prediction, label=label)
    return ids


def test_the_figures_are_those_of_a_computation_by_hand(engine: Engine) -> None:
    forty_labelled(engine)
    report = measure_performance(engine, NOW, WEEK)
    stored = stored_figures(engine)
    assert stored["accuracy"].value == 30 / 40
    # F1 = 2 * right / (true + predicted): 24/32, 16/22, 20/26.
    assert stored["macro_f1"].value == pytest.approx((24 / 32 + 16 / 22 + 20 / 26) / 3)
    assert stored["precision_negative"].value == 12 / 16
    assert stored["ece"].value == pytest.approx(0.8 - 0.75)
    accuracy = stored["accuracy"]
    assert accuracy.low is not None
    assert accuracy.high is not None
    assert accuracy.low < 0.75 < accuracy.high
    assert (accuracy.n, accuracy.label_coverage, accuracy.in_sample) == (40, 0.5, False)
    row = of_window(report)
    assert (row.version, row.predictions, row.labelled, row.in_sample, row.note) == (VERSION, 80, 40, 0, SELF_SELECTED)
    assert {figure.note for figure in row.figures} == {SELF_SELECTED}


def test_measuring_again_adds_nothing_and_a_late_label_adds_revisions(engine: Engine) -> None:
    ids = forty_labelled(engine)
    first = measure_performance(engine, NOW, WEEK)
    assert measure_performance(engine, NOW, WEEK).added == 0
    assert revisions(engine) == first.added
    seed_feedback(engine, ids[-1], label="neutral")
    second = measure_performance(engine, NOW, WEEK)
    assert second.added > 0
    assert second.digest() != first.digest()
    assert stored_figures(engine)["accuracy"].value == 31 / 41
    assert stored_figures(engine)["accuracy"].revision == 2


def test_a_later_label_replaces_an_earlier_one_and_a_later_utility_does_not(engine: Engine) -> None:
    ids = serve(engine, ["positive"] * MIN_LABELS)
    for prediction in ids:
        seed_feedback(engine, prediction, label="negative", received_at=NOW - timedelta(minutes=9), number=1)
        seed_feedback(engine, prediction, label="positive", received_at=NOW - timedelta(minutes=6), number=2)
        seed_feedback(engine, prediction, utility=0.5, received_at=NOW - timedelta(minutes=3), number=3)
    measure_performance(engine, NOW, WEEK)
    stored = stored_figures(engine)
    assert stored["accuracy"].value == 1.0
    assert (stored["utility"].value, stored["utility"].n) == (0.5, MIN_LABELS)


def test_few_labels_give_no_figure_but_a_note(engine: Engine) -> None:
    ids = serve(engine, ["positive"] * 100)
    for prediction in ids[: MIN_LABELS - 1]:
        seed_feedback(engine, prediction, label="positive")
    row = of_window(measure_performance(engine, NOW, WEEK))
    assert (row.labelled, row.figures, row.note) == (29, (), f"{SELF_SELECTED}; 29 usable labels, 30 are needed")
    assert revisions(engine) == 0


def test_texts_that_the_version_was_fitted_on_prove_nothing(engine: Engine) -> None:
    seed_deployed(engine)
    known = serve(engine, ["positive"] * 50, prefix="known", texts=[f"fitted {i}" for i in range(50)])
    new = serve(engine, ["negative"] * MIN_LABELS, prefix="new")
    for prediction in [*known, *new]:
        seed_feedback(engine, prediction, label="positive")
    row = of_window(measure_performance(engine, NOW, WEEK))
    assert (row.labelled, row.in_sample) == (80, 50)
    assert stored_figures(engine)["accuracy"].value == 0.0  # with the known texts it would be 0.625
    assert stored_figures(engine)["accuracy"].n == MIN_LABELS


def test_ten_thousand_anonymous_words_move_no_figure_and_those_of_one_key_are_one_voice(engine: Engine) -> None:
    ids = forty_labelled(engine)
    before = measure_performance(engine, NOW, WEEK)
    with engine.begin() as connection:
        for voice, texts in ((None, ids), ("loud", ids[-1:])):
            rows = [
                {
                    "id": f"{voice} {n}",
                    "prediction_id": texts[n % len(texts)],
                    "utility": -1.0,
                    "voice": voice,
                    "received_at": NOW,
                }
                | {"label": "positive"}
                for n in range(10_000)
            ]
            connection.execute(insert(Feedback), rows)
    after = measure_performance(engine, NOW, WEEK)
    assert [of_window(report).labelled for report in (before, after)] == [40, 41]
    assert (before.anonymous, after.anonymous) == (0, 10_000)
    assert stored_figures(engine)["accuracy"].value == 30 / 41
    # The control: where a setting says so, all who have no key are one voice, on 80 texts.
    assert of_window(measure_performance(engine, NOW, WEEK, anonymous=True)).labelled == 41 + 80


def test_preference_counts_for_the_family_that_answered(engine: Engine) -> None:
    ids = serve(engine, ["positive"] * 40)
    for i, prediction in enumerate(ids):
        seed_feedback(engine, prediction, preference="vader" if i < 10 else "finbert")
    measure_performance(engine, NOW, WEEK)
    assert stored_figures(engine)["preferred_share"].value == 0.25
    assert set(stored_figures(engine)) == {"preferred_share", "feedback_score"}
    assert {figure.note for figure in stored_figures(engine).values()} == {SELF_SELECTED}


def test_feedback_counts_in_the_window_of_its_prediction(engine: Engine) -> None:
    ids = serve(engine, ["positive"] * 40, until=NOW - timedelta(days=10), prefix="old")
    for prediction in ids:
        seed_feedback(engine, prediction, label="positive")
    assert measure_performance(engine, NOW, WEEK).rows == ()
    rows = measure_performance(engine, NOW).rows
    assert [(row.window, row.labelled) for row in rows] == [("audit:30d", 0), ("feedback:30d", 40)]
