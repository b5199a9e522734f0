from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, text

from sentiment_platform.labels.examples import LabelledExample
from sentiment_platform.labels.importers import phrasebank
from sentiment_platform.labels.importing import import_feedback, import_labels
from sentiment_platform.store.labels import all_labels, label_counts
from sentiment_platform.store.news_writes import StoryAssignment, insert_articles, write_stories
from sentiment_platform.store.tables import Feedback, Prediction
from sentiment_platform_tests.store.test_news import article

NOON = datetime(2025, 1, 6, 12, tzinfo=UTC)


def example(number: int, **changes: object) -> LabelledExample:
    plain = LabelledExample("mine", str(number), f"Sales of unit {number} rose", "positive", "ada", "CC0-1.0")
    return replace(plain, **changes)  # type: ignore[arg-type]


def rows(engine: Engine) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text("SELECT xmin, ctid, l.* FROM platform.labels l ORDER BY id"))]


def test_importing_again_changes_nothing_not_even_across_batches(engine: Engine) -> None:
    # The same two labels at both ends of more than one batch.
    examples = [*(example(n) for n in range(2500)), example(0), example(1)]
    assert import_labels(engine, examples) == 2500
    before = rows(engine)
    assert import_labels(engine, examples) == 0
    assert import_labels(engine, examples[::-1]) == 0
    assert rows(engine) == before


@pytest.mark.parametrize(
    "change",
    [{"label": "neutral"}, {"text": "Sales fell"}, {"weight": 2.0}, {"published_at": NOON}],
    ids=lambda change: next(iter(change)),
)
def test_a_corrected_label_replaces_itself(engine: Engine, change: dict[str, object]) -> None:
    import_labels(engine, [example(1), example(2)])
    assert import_labels(engine, [example(1, **change), example(2)]) == 1
    assert len(rows(engine)) == 2


def test_two_annotators_and_two_sets_are_different_labels(engine: Engine) -> None:
    assert import_labels(engine, [example(1), example(1, annotator="bob"), example(1, label_set="other")]) == 3


def test_labels_that_contradict_each_other_are_left_out_in_any_order(engine: Engine) -> None:
    examples = [example(1), example(1, label="negative"), example(2)]
    assert import_labels(engine, examples) == 1
    assert import_labels(engine, examples[::-1]) == 0
    with engine.connect() as connection:
        assert [label.text for label in all_labels(connection)] == [example(2).text]
        assert label_counts(connection) == [("mine", "positive", 1, "CC0-1.0")]


def test_a_label_is_linked_with_its_article_by_address_or_headline(engine: Engine) -> None:
    by_url = replace(article(1), url="https://e.example/1")
    with engine.begin() as connection:
        insert_articles(connection, [by_url, article(2, hours=5), article(3)])
        write_stories(connection, [StoryAssignment(article(2).id, article(1).id, "title_key", 1.0)])
    examples = [
        example(1, url="https://e.example/1", published_at=NOON - timedelta(days=9)),
        example(2, text="Title 2"),
        example(3, text="Nowhere", published_at=NOON),
        example(4, text="Undated"),
    ]
    import_labels(engine, examples)
    with engine.connect() as connection:
        found = [(label.article_id, label.story_id, label.available_at) for label in all_labels(connection)]
    assert found == [
        (article(1).id, None, NOON),
        (article(2).id, article(1).id, NOON + timedelta(hours=5)),
        (None, None, NOON),
        (None, None, None),
    ]


def test_a_label_is_linked_once_its_article_arrives(engine: Engine) -> None:
    assert import_labels(engine, [example(1, text="Title 1")]) == 1
    with engine.begin() as connection:
        insert_articles(connection, [article(1)])
    assert import_labels(engine, [example(1, text="Title 1")]) == 1
    assert import_labels(engine, [example(1, text="Title 1")]) == 0


def prediction(name: str) -> dict[str, object]:
    return {
        "id": name,
        "predicted_at": NOON,
        "route": "/predict",
        "family": "vader",
        "model_version": "v1.0.0-vader",
        "manifest_digest": "00",
        "deployment_revision": 1,
        "text": f"Text of {name}",
        "text_hash": name,
        "feature_schema": "v1",
        "features": [],
        "features_hash": "",
        "feature_status": "MISSING",
        "probabilities": [0.1, 0.2, 0.7],
        "sentiment": 0.6,
        "confidence": 0.7,
        "cache_hit": False,
        "degraded": False,
        "latency_ms": {},
        "instance": "test",
    }


def test_feedback_that_names_a_label_becomes_a_label_once(engine: Engine) -> None:
    said = [("f1", "p1", "negative"), ("f2", "p1", "neutral"), ("f3", "p2", None), ("f4", "not arrived yet", "positive")]
    with engine.begin() as connection:
        connection.execute(insert(Prediction), [prediction("p1"), prediction("p2")])
        connection.execute(
            insert(Feedback), [{"id": f, "prediction_id": p, "label": label, "received_at": NOON} for f, p, label in said]
        )
    assert import_feedback(engine) == 2
    assert import_feedback(engine) == 0
    with engine.connect() as connection:
        found = [(label.label_set, label.text, label.label, label.available_at) for label in all_labels(connection)]
    assert found == [("feedback", "Text of p1", "negative", NOON), ("feedback", "Text of p1", "neutral", NOON)]
    with engine.begin() as connection:
        connection.execute(insert(Prediction), [prediction("not arrived yet")])
    assert import_feedback(engine) == 1


@pytest.mark.shared_data
def test_phrasebank_is_imported_once(engine: Engine, shared_data: Path) -> None:
    examples = phrasebank(shared_data / "labelled/phrasebank/Sentences_50Agree.txt").examples
    # 8 sentences stand twice; 2 of them with two labels, which are left out.
    assert import_labels(engine, examples) == 4846 - 8 - 2
    assert import_labels(engine, examples) == 0
