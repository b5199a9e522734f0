import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_platform.errors import PermanentError
from sentiment_platform.features.compute import compute_v1
from sentiment_platform.labels.importers import phrasebank
from sentiment_platform.models.family import LABELS, Integers, TrainingOptions
from sentiment_platform.models.vader.family import HEAD_FILE, SCORER_FILE, VaderScorer, load_vader
from sentiment_platform.models.vader.training import VaderFamily
from sentiment_platform.statistics.metrics import classification_report
from sentiment_platform.text.lexicon import stock_lexicon
from sentiment_platform.text.vader import VaderEngine
from sentiment_platform_tests.models.vader.small_vader import Exported, export, small_data


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return export(tmp_path_factory.mktemp("vader"))


def macro_f1(labels: Integers, predicted: Integers) -> float:
    """By the definition, class by class; a class that is neither there nor predicted counts 0."""
    scores = []
    for index in range(3):
        hits = int(((labels == index) & (predicted == index)).sum())
        there, said = int((labels == index).sum()), int((predicted == index).sum())
        scores.append(2 * hits / (there + said) if there + said else 0.0)
    return sum(scores) / 3


@settings(max_examples=200, deadline=None)
@given(
    thresholds=st.tuples(st.floats(-5, 5), st.floats(-5, 5)).map(sorted),
    steepness=st.floats(0.01, 100),
    sums=st.lists(st.tuples(st.floats(-20, 20), st.floats(-20, 20)), max_size=20),
)
def test_the_largest_logit_is_the_label_that_the_thresholds_give(
    thresholds: list[float], steepness: float, sums: list[tuple[float, float]]
) -> None:
    low, high = thresholds
    for polarity, emphasis in sums:
        negative, positive = low + emphasis - polarity, polarity - high + emphasis
        if min(abs(negative), abs(positive), abs(negative - positive)) < 1e-9:
            continue  # On a threshold.
        expected = 1 if max(negative, positive) < 0 else 0 if negative > positive else 2
        logits = VaderScorer(negative_below=low, positive_above=high, steepness=steepness).logits(
            np.array([polarity]), np.array([emphasis])
        )
        assert logits.argmax() == expected


def test_a_text_far_longer_than_any_in_training_does_not_seem_certain() -> None:
    scorer = VaderScorer(negative_below=-0.2, positive_above=0.2, steepness=0.5, largest_sum=9.0)
    far, edge = (scorer.logits(np.array([value]), np.array([-value])) for value in (900.0, 9.0))
    assert far.tolist() == edge.tolist()


def test_the_figure_of_the_fit_is_what_the_exported_model_reaches(exported: Exported) -> None:
    data, model = small_data(), load_vader(exported.directory)
    answers = model.predict(data.train.texts, data.train.features)
    assert macro_f1(data.train.labels, answers.argmax(axis=1)) == pytest.approx(exported.report.figures["fitted_macro_f1"])
    assert sorted(path.name for path in exported.directory.iterdir()) == sorted(VaderFamily.files)
    answers = model.predict(data.test.texts, data.test.features)
    assert np.allclose(answers.sum(axis=1), 1)
    # Places are new in the test part, phrases are not.
    assert macro_f1(data.test.labels, answers.argmax(axis=1)) > 0.95


def test_the_same_data_and_seed_give_the_same_bytes_in_every_process(exported: Exported, tmp_path: Path) -> None:
    program = "import sys; from pathlib import Path; from sentiment_platform_tests.models.vader.small_vader import export; export(Path(sys.argv[1]))"
    subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        # The rest stays as it is: which kernels BLAS uses may be part of it, and they round differently.
        env={**os.environ, "PYTHONHASHSEED": "7"},
        check=True,
        timeout=120,
        cwd=Path(__file__).parents[3],
    )
    for name in (SCORER_FILE, HEAD_FILE):
        assert (tmp_path / name).read_bytes() == (exported.directory / name).read_bytes()


@pytest.mark.parametrize("parameters", [{"epochs": 1}, {"trials": -1}, {"trials": 2.0}, {"trials": True}], ids=str)
def test_a_parameter_that_it_does_not_have_is_refused(parameters: dict[str, object]) -> None:
    with pytest.raises(PermanentError, match=r"epochs|trials"):
        VaderFamily().train(small_data(), TrainingOptions(parameters=parameters), lambda _: None)


def copy(exported: Exported, target: Path, *, term: dict[str, object] | None = None, **scorer: object) -> Path:
    """The artefact with fields of the scorer replaced, and terms added."""
    document = json.loads((exported.directory / SCORER_FILE).read_text()) | scorer
    if term:
        document["terms"].update(term)
    (target / SCORER_FILE).write_text(json.dumps(document))
    (target / HEAD_FILE).write_bytes((exported.directory / HEAD_FILE).read_bytes())
    return target


@pytest.mark.parametrize(
    "scorer",
    [
        {"positive_above": float("nan")},
        {"negative_below": 1e999},
        {"positive_above": "0.4"},
        {"positive_above": None},
        {"steepness": 0.0},
        {"steepness": -4.0},
        {"largest_sum": 0.0},
        {"surplus": 1},
        {"constants": {"negation": 1.0}},
        {"constants": {"exclamation_limit": 3}},
        {"constants": {"compound_alpha": 0.0}},
        {"terms": [1]},
        {"terms": {"profit": {"valence": "a lot"}}},
        {"terms": {"profit": {"valence": 1.0}}},
        {"terms": {"profit": {"valence": 1.0, "stock": 1.8}}},
        {"terms": {"profit": {"valence": -0.1, "stock": 1.9}}},
        {"terms": {"pill": {"valence": 1.0, "stock": 0.3}}},
        {"terms": {"four words are many": {"valence": 1.0}}},
        {"terms": {"Pill": {"valence": 1.0}}},
    ],
    ids=str,
)
def test_a_scorer_that_makes_no_sense_is_refused(exported: Exported, tmp_path: Path, scorer: dict[str, object]) -> None:
    load_vader(copy(exported, tmp_path))
    with pytest.raises(PermanentError):
        load_vader(copy(exported, tmp_path, **scorer))


@pytest.mark.parametrize("name", [SCORER_FILE, HEAD_FILE])
@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b"3", b"{}", b"\xff\xfe", b"[" * 100_000])
def test_a_file_that_is_missing_or_is_something_else_is_refused(
    exported: Exported, tmp_path: Path, name: str, content: bytes | None
) -> None:
    copy(exported, tmp_path)
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(PermanentError):
        load_vader(tmp_path)


def test_a_learned_term_moves_the_answer_and_only_where_it_stands(exported: Exported, tmp_path: Path) -> None:
    text = "The board adopted a poison pill"
    plain, learned = load_vader(exported.directory), load_vader(copy(exported, tmp_path, term={"poison pill": {"valence": -3.0}}))
    assert learned.logits([text])[0, 0] > plain.logits([text])[0, 0]
    assert learned.logits(["Sales rose"]).tolist() == plain.logits(["Sales rose"]).tolist()


def test_a_word_at_zero_has_left_the_lexicon(exported: Exported, tmp_path: Path) -> None:
    gone = load_vader(copy(exported, tmp_path, terms={"liability": {"valence": 0.0, "stock": -0.8}}))
    assert gone.engine.sums(gone.engine.weigh("a LIABILITY")).polarity == 0
    assert "liability" in stock_lexicon().valences


def test_an_explanation_has_every_word_in_order_and_adds_up_to_the_sentiment(exported: Exported) -> None:
    model = load_vader(exported.directory)
    for text in ("Profit is NOT great, but the outlook is very good!!!", "The meeting is on Monday!", "Loss :(", ""):
        features = np.array([compute_v1(text)], dtype=np.float64)
        for some in (features, None):
            explanation = model.explain(text, some)
            probabilities = model.predict([text], some)[0]
            assert explanation.sum == pytest.approx(probabilities[2] - probabilities[0], abs=1e-12)
            positions = [part.position for part in explanation.contributions]
            assert positions == sorted(positions)
            assert set(range(len(text.split()))) <= set(positions)
    unmoved = model.explain("The meeting is on Monday", None).contributions
    assert [part.token for part in unmoved] == ["The", "meeting", "is", "on", "Monday"]
    assert {(part.rule, part.contribution) for part in unmoved if part.token == "The"} == {("", 0.0)}


@pytest.mark.shared_data
def test_stock_vader_is_as_good_on_phrasebank_as_reported(shared_data: Path) -> None:
    examples = phrasebank(shared_data / "labelled/phrasebank/Sentences_50Agree.txt").examples
    engine = VaderEngine(stock_lexicon())
    compound = np.array([engine.score(example.text).compound for example in examples])
    predicted = np.where(compound >= 0.05, 2, np.where(compound <= -0.05, 0, 1))
    labels = np.array([LABELS.index(example.label) for example in examples], dtype=np.int64)
    report = classification_report(labels, np.eye(3)[predicted], seed=1)
    assert report.accuracy.value == pytest.approx(0.54, abs=0.02)
    assert report.macro_f1.value == pytest.approx(0.50, abs=0.02)
    # Below the class that is always right most often.
    assert report.accuracy.value < Counter(labels.tolist()).most_common(1)[0][1] / len(labels)
