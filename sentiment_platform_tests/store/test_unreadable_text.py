"""Claims about predictions that are stored and count in no drift, performance or training: text that could not be read, load tests."""

from datetime import timedelta

from sqlalchemy import Engine, update

from sentiment_platform.store.labels import labelled_feedback
from sentiment_platform.store.predictions import feedback_on_predictions, get_prediction, prediction_counts, served_predictions
from sentiment_platform.store.tables import Prediction
from sentiment_platform_tests.monitoring.seeding import NOW, features, probabilities, seed_feedback, seed_predictions


def test_what_could_not_be_read_counts_nowhere_and_what_nobody_asked_does(engine: Engine) -> None:
    unread, asked, before = seed_predictions(engine, features(3, 1), probabilities(3, 1))
    for one in (unread, asked, before):
        seed_feedback(engine, one, label="negative")
    with engine.begin() as connection:
        for one, supported in ((unread, False), (asked, True), (before, None)):
            connection.execute(update(Prediction).where(Prediction.id == one).values(supported=supported))
    since = NOW - timedelta(days=1)
    with engine.connect() as connection:
        until = NOW + timedelta(days=1)
        assert {row.id for row in served_predictions(connection, "v1", since, until, 10)} == {asked, before}
        assert {row.prediction_id for row in feedback_on_predictions(connection, since, until)} == {asked, before}
        assert {word.text for word in labelled_feedback(connection)} == {"served 1", "served 2"}
        stored = get_prediction(connection, unread)
    assert stored is not None
    assert stored.supported is False


def test_what_a_load_test_asked_counts_nowhere(engine: Engine) -> None:
    load, asked = seed_predictions(engine, features(2, 1), probabilities(2, 1))
    for one in (load, asked):
        seed_feedback(engine, one, label="negative")
    with engine.begin() as connection:
        connection.execute(update(Prediction).where(Prediction.id == load).values(traffic="load_test"))
    since, until = NOW - timedelta(days=1), NOW + timedelta(days=1)
    with engine.connect() as connection:
        assert [row.id for row in served_predictions(connection, "v1", since, until, 10)] == [asked]
        assert [row.prediction_id for row in feedback_on_predictions(connection, since, until)] == [asked]
        assert [word.text for word in labelled_feedback(connection)] == ["served 1"]
        assert list(prediction_counts(connection, since, until).values()) == [1]
