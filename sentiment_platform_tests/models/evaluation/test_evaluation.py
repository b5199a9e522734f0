from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import Engine

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.evaluation.evaluation import evaluate, figures, predict_sorted
from sentiment_platform.models.family import Explanation, Floats, LabelledTexts
from sentiment_platform.models.training_data import read_training_data, to_training_data
from sentiment_platform.store.figures import Figure, newest_figures, write_figures
from sentiment_platform.store.training_sets import StoredExample, write_training_set

NOW = datetime(2025, 1, 6, 12, tzinfo=UTC)
N = 60


@dataclass
class Reader:
    """Reads the answer from the text's last character, and keeps the batches that it was given."""

    batch_size: int = 8
    uses_features: bool = True
    batches: list[list[str]] = field(default_factory=list[list[str]])

    def logits(self, texts: Sequence[str]) -> Floats:
        return np.eye(3)[[int(text[-1]) for text in texts]]

    def predict(self, texts: Sequence[str], features: Floats | None) -> Floats:
        assert features is not None
        assert [int(row[0]) for row in features] == [len(text) for text in texts]
        self.batches.append(list(texts))
        return 0.7 * self.logits(texts) + 0.1

    def explain(self, text: str, features: Floats | None) -> Explanation:
        return Explanation(0.0, 0.0, ())


def data(wrong: int = 0) -> LabelledTexts:
    rng = np.random.default_rng(1)
    answers = np.arange(N) % 3
    texts = ["x" * int(rng.integers(1, 200)) + str(answer) for answer in answers]
    labels = answers.copy()
    labels[:wrong] = (labels[:wrong] + 1) % 3
    return LabelledTexts(
        ids=[str(n) for n in range(N)], texts=texts, labels=labels, features=np.array([[float(len(text))] for text in texts])
    )


def test_answers_are_in_the_order_of_the_texts_and_batches_of_similar_length() -> None:
    model, rows = Reader(), data()
    answers = predict_sorted(model, rows.texts, rows.features)
    assert answers.argmax(axis=1).tolist() == rows.labels.tolist()
    assert [len(batch) for batch in model.batches] == [8] * 7 + [4]
    lengths = [len(text) for batch in model.batches for text in batch]
    assert lengths == sorted(lengths)


def test_the_figures_are_those_of_the_answers() -> None:
    evaluation = evaluate(Reader(), data(wrong=15))
    rows = {row.metric: row for row in figures("v1.0.0-vader", "holdout:x", evaluation)}
    assert set(rows) == {
        *("accuracy", "macro_f1", "brier", "ece"),
        *(f"{metric}_{label}" for metric in ("precision", "recall", "f1") for label in ("negative", "neutral", "positive")),
    }
    assert rows["accuracy"].value == pytest.approx(0.75)
    assert rows["ece"].value == pytest.approx(abs(0.8 - 0.75))
    assert all(row.n == N for row in rows.values() if not row.metric.startswith(("precision", "recall", "f1_")))
    for row in rows.values():
        if row.low is not None and row.high is not None:
            assert row.low <= row.value <= row.high
    assert evaluate(Reader(), data(wrong=15)).report == evaluation.report


def test_a_figure_is_written_once_and_a_change_is_a_revision(engine: Engine) -> None:
    first = Figure(version="v1.0.0-vader", window="w", metric="accuracy", value=0.5, low=0.4, high=0.6, n=100)
    later = Figure(version="v1.0.0-vader", window="w", metric="accuracy", value=0.6, low=0.5, high=0.7, n=120)
    other = Figure(version="v1.0.0-vader", window="w", metric="ece", value=0.1, low=None, high=None, n=100)
    with engine.begin() as connection:
        assert write_figures(connection, [first, other], NOW) == 2
        assert write_figures(connection, [first, other], NOW + timedelta(hours=1)) == 0
        assert write_figures(connection, [later, other], NOW + timedelta(hours=2)) == 1
        # Back to an earlier value is a change as well: revisions tell what was known when.
        assert write_figures(connection, [first], NOW + timedelta(hours=3)) == 1
        found = newest_figures(connection, ["v1.0.0-vader"])
        assert [(row.metric, row.revision, row.value, row.low) for row in found] == [
            ("accuracy", 3, 0.5, 0.4),
            ("ece", 1, 0.1, None),
        ]
        assert newest_figures(connection, ["v2.0.0-vader"]) == []
        assert len(newest_figures(connection)) == 2
    engine.dispose()


def example(number: int, part: str) -> StoredExample:
    return StoredExample(
        example_id=str(number),
        part=part,
        text=f"Text {number}",
        label="positive",
        label_set="made",
        story_id=f"s{number}",
        available_at=None,
        features=(float(number), *(None,) * 14),
    )


def test_missing_features_are_nan_and_each_part_is_whole(engine: Engine) -> None:
    rows = [example(n, part) for n, part in enumerate(["train", "test", "train", "validation"])]
    with engine.begin() as connection:
        write_training_set(connection, "a" * 64, "v1", {}, rows)
    with engine.begin() as connection:
        write_training_set(connection, "b" * 64, "v1", {}, rows[:1])
    older, newest = read_training_data(engine, "a" * 64), read_training_data(engine)
    assert (older.digest, newest.digest) == ("a" * 64, "b" * 64)
    assert (list(older.train.ids), list(older.validation.ids), list(older.test.ids)) == (["0", "2"], ["3"], ["1"])
    assert older.train.features[:, 0].tolist() == [0.0, 2.0]
    assert np.isnan(older.train.features[:, 1:]).all()
    # An empty part still has its columns: it can be stacked on another.
    assert newest.test.features.shape == (0, 15)
    with pytest.raises(PermanentError, match="no training set cc"):
        read_training_data(engine, "c" * 64)
    engine.dispose()


def test_without_a_training_set_the_remedy_is_named(engine: Engine) -> None:
    with pytest.raises(PermanentError, match=r"No training set.*Materialize the asset training_set"):
        read_training_data(engine)
    engine.dispose()


def test_rows_of_another_schema_are_refused() -> None:
    with pytest.raises(PermanentError, match="'v9' is unknown"):
        to_training_data("a" * 64, "v9", [example(1, "train")])
