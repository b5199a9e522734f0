import json
import subprocess
import sys
from collections import Counter
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_platform.errors import PermanentError
from sentiment_platform.features.compute import compute_v1
from sentiment_platform.features.schema import V1
from sentiment_platform.labels.importers import phrasebank
from sentiment_platform.models.family import LABELS, Floats, Integers, LabelledTexts, TrainingData, TrainingOptions
from sentiment_platform.models.vader import HEAD_FILE, SCORER_FILE, VaderScorer, load
from sentiment_platform.models.vader_training import STEPS, VaderFamily, choose_thresholds
from sentiment_platform.statistics.metrics import classification_report
from sentiment_platform.text.explanation import explain
from sentiment_platform.text.lexicon import stock_lexicon
from sentiment_platform.text.vader import VaderEngine

PLACES = ["Oslo", "Turin", "Lyon", "Graz", "Cork", "Bonn", "Gent", "Kiel", "Bari", "Faro"]
VERBS = (
    ("suffers a terrible loss", "cuts jobs", "misses its target"),
    ("holds its meeting", "names a chair", "reports today"),
    ("enjoys great success", "wins an award", "raises its target"),
)
THINGS = ("mill", "port", "bank", "mine")


def texts_of(place: str) -> list[tuple[str, int]]:
    return [(f"{place} {thing} {verb}", label) for label, verbs in enumerate(VERBS) for verb, thing in product(verbs, THINGS)]


def labelled(places: list[str]) -> LabelledTexts:
    rows = [row for place in places for row in texts_of(place)]
    return LabelledTexts(
        [str(n) for n in range(len(rows))],
        [text for text, _ in rows],
        np.array([label for _, label in rows], dtype=np.int64),
        np.array([compute_v1(text) for text, _ in rows], dtype=np.float64),
    )


def small_data() -> TrainingData:
    return TrainingData("ab" * 32, "v1", V1.names, labelled(PLACES[:6]), labelled(PLACES[6:8]), labelled(PLACES[8:]))


def export(directory: Path, seed: int = 1) -> VaderFamily:
    family = VaderFamily()
    trained = family.train(small_data(), TrainingOptions(seed=seed), lambda _: None)
    family.export(trained, small_data(), directory, lambda _: None)
    return family


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("vader")
    export(directory)
    return directory


def decide(compound: Floats, low: float, high: float) -> Integers:
    return np.where(compound <= low, 0, np.where(compound > high, 2, 1))


def macro_f1(labels: Integers, predicted: Integers) -> float:
    """By the definition, class by class; a class that is neither there nor predicted counts 0."""
    scores = []
    for index in range(3):
        hits = int(((labels == index) & (predicted == index)).sum())
        there, said = int((labels == index).sum()), int((predicted == index).sum())
        scores.append(2 * hits / (there + said) if there + said else 0.0)
    return sum(scores) / 3


rows = st.lists(
    st.tuples(st.sampled_from([-1.0, -0.5, -0.05, -0.0312, 0.0, 0.05, 0.4404, 0.975, 1.0]), st.integers(0, 2)),
    min_size=1,
    max_size=30,
)


@settings(max_examples=12, deadline=None)
@given(rows=rows)
def test_the_chosen_thresholds_are_the_best_of_all_pairs(rows: list[tuple[float, int]]) -> None:
    compound, labels = np.array([row[0] for row in rows]), np.array([row[1] for row in rows], dtype=np.int64)
    low, high, reached = choose_thresholds(compound, labels)
    assert reached == pytest.approx(macro_f1(labels, decide(compound, low, high)), abs=1e-12)
    grid = np.unique(np.append(np.linspace(-1, 1, STEPS), [-0.05, 0.05]))
    every = {(a, b): macro_f1(labels, decide(compound, a, b)) for i, a in enumerate(grid) for b in grid[i + 1 :]}
    best = max(every.values())
    assert reached == pytest.approx(best, abs=1e-12)
    # Of equally good pairs the one nearest to VADER's own.
    nearest = min(abs(a + 0.05) + abs(b - 0.05) for (a, b), value in every.items() if value >= best - 1e-12)
    assert abs(low + 0.05) + abs(high - 0.05) == pytest.approx(nearest)


@settings(max_examples=200, deadline=None)
@given(
    thresholds=st.tuples(st.floats(-1, 1), st.floats(-1, 1)).map(sorted),
    steepness=st.floats(0.01, 100),
    compound=st.lists(st.floats(-1, 1), max_size=20),
)
def test_the_largest_logit_is_the_label_that_the_thresholds_give(
    thresholds: list[float], steepness: float, compound: list[float]
) -> None:
    low, high = thresholds
    scores = np.array([*compound, low, high, 0.0])
    # Where a difference is so small that its product with the steepness is 0 there is a tie, and no threshold is that fine.
    scores = scores[((np.abs(scores - low) > 1e-12) | (scores == low)) & ((np.abs(scores - high) > 1e-12) | (scores == high))]
    assert VaderScorer(low, high, steepness).logits(scores).argmax(axis=1).tolist() == decide(scores, low, high).tolist()


def test_texts_without_a_word_of_the_lexicon_are_served_as_they_were_fitted() -> None:
    """Many texts score exactly 0, which is on the grid: fitted as positive, they were once served as neutral."""
    compound = np.array([0.0] * 50 + [-0.5] * 20 + [-0.2] * 20)
    labels = np.array([2] * 50 + [0] * 20 + [1] * 20, dtype=np.int64)
    low, high, reached = choose_thresholds(compound, labels)
    served = VaderScorer(low, high, 4.0).logits(compound).argmax(axis=1)
    assert macro_f1(labels, served) == pytest.approx(reached)
    assert reached == 1.0


def test_the_figure_of_the_fit_is_what_the_exported_model_reaches(tmp_path: Path) -> None:
    family, data = VaderFamily(), small_data()
    trained = family.train(data, TrainingOptions(), lambda _: None)
    report = family.export(trained, data, tmp_path, lambda _: None)
    model = family.load(tmp_path)
    texts = [*data.train.texts, *data.validation.texts]
    labels = np.concatenate([data.train.labels, data.validation.labels])
    assert macro_f1(labels, model.logits(texts).argmax(axis=1)) == pytest.approx(report.figures["fitted_macro_f1"])
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(family.files)
    answers = model.predict(data.test.texts, data.test.features)
    assert answers.shape == (len(data.test), 3)
    assert np.allclose(answers.sum(axis=1), 1)
    assert macro_f1(data.test.labels, answers.argmax(axis=1)) > 0.5


def test_the_same_data_and_seed_give_the_same_bytes_in_every_process(exported: Path, tmp_path: Path) -> None:
    program = "import sys; from pathlib import Path; from sentiment_platform_tests.models.test_vader import export; export(Path(sys.argv[1]))"
    subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        env={"PYTHONHASHSEED": "7", "PATH": ""},
        check=True,
        timeout=120,
        cwd=Path(__file__).parents[2],
    )
    for name in (SCORER_FILE, HEAD_FILE):
        assert (tmp_path / name).read_bytes() == (exported / name).read_bytes()


def test_parameters_are_refused_because_there_are_none() -> None:
    with pytest.raises(PermanentError, match="no parameters \\['epochs'\\]"):
        VaderFamily().train(small_data(), TrainingOptions(parameters={"epochs": 1}), lambda _: None)


def copy(exported: Path, target: Path, **scorer: object) -> Path:
    document = json.loads((exported / SCORER_FILE).read_text()) | scorer
    (target / SCORER_FILE).write_text(json.dumps(document))
    (target / HEAD_FILE).write_bytes((exported / HEAD_FILE).read_bytes())
    return target


@pytest.mark.parametrize(
    "scorer",
    [
        {"negative_below": 0.5, "positive_above": 0.4},
        {"negative_below": -1.1},
        {"positive_above": 1.1},
        {"positive_above": float("nan")},
        {"positive_above": "0.4"},
        {"positive_above": None},
        {"steepness": 0.0},
        {"steepness": -4.0},
        {"surplus": 1},
        {"lexicon_deltas": {"profit": "a lot"}},
        {"lexicon_deltas": {"two words": 1.0}},
        {"lexicon_deltas": {"Profit": 1.0}},
        {"lexicon_deltas": [1]},
    ],
    ids=str,
)
def test_a_scorer_that_makes_no_sense_is_refused(exported: Path, tmp_path: Path, scorer: dict[str, object]) -> None:
    load(copy(exported, tmp_path))
    with pytest.raises(PermanentError):
        load(copy(exported, tmp_path, **scorer))


@pytest.mark.parametrize("name", [SCORER_FILE, HEAD_FILE])
@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b"3", b"{}", b"\xff\xfe", b"[" * 100_000])
def test_a_file_that_is_missing_or_is_something_else_is_refused(
    exported: Path, tmp_path: Path, name: str, content: bytes | None
) -> None:
    copy(exported, tmp_path)
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(PermanentError):
        load(tmp_path)


def test_a_learned_valence_moves_the_answer(exported: Path, tmp_path: Path) -> None:
    text = "The board adopted a poison pill"
    plain, learned = load(exported), load(copy(exported, tmp_path, lexicon_deltas={"pill": -3.0}))
    assert learned.logits([text])[0, 0] > plain.logits([text])[0, 0]
    assert learned.logits(["Sales rose"]).tolist() == plain.logits(["Sales rose"]).tolist()


def test_an_explanation_adds_up_to_the_score_before_its_normalisation(exported: Path) -> None:
    model = load(exported)
    for text in ("Profit is NOT great, but the outlook is very good!!!", "The meeting is on Monday", "Loss :(", ""):
        assert sum(part.contribution for part in model.explain(text)) == pytest.approx(
            explain(model.engine, text).raw_sum, abs=1e-9
        )


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
