"""Claims about texts of any length, of the starters of both families: short ones are answered as ever, long ones by all that they say."""

import shutil
from collections.abc import Iterator

import numpy as np
import pytest

from sentiment_platform.features.compute import COMPUTE, NO_CONTEXT
from sentiment_platform.models.families import load_model
from sentiment_platform.models.family import Floats
from sentiment_platform.models.reading import TextReader, weights
from sentiment_platform.starters.packaged import packaged_folder, packaged_manifests, unpack

GOOD = "The glass works raised its forecast after a record quarter and strong orders from every market."
BAD = "But on Thursday the group filed for insolvency after inspectors uncovered fraud, and its shares plunged."
PACKAGE = packaged_folder()
MANIFESTS = packaged_manifests(PACKAGE)


@pytest.fixture(scope="module", params=MANIFESTS)
def reader(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TextReader]:
    directory = tmp_path_factory.mktemp(request.param)
    unpack(PACKAGE, request.param, MANIFESTS[request.param], directory)
    yield load_model(request.param, directory)
    shutil.rmtree(directory)


def answers(reader: TextReader, *texts: str) -> Floats:
    """(n, 3) probabilities of texts with the features of their words."""
    vectors = [COMPUTE[reader.feature_schema](text, NO_CONTEXT) for text in texts]
    return reader.predict(texts, np.array(vectors, dtype=np.float64))


def sentiment(answer: Floats) -> float:
    return float(answer[2] - answer[0])


def test_what_a_model_reads_at_once_is_answered_by_the_model_alone(reader: TextReader) -> None:
    texts = [GOOD, BAD, "Profit rose", "Net profit rose; net sales rose, and net debt fell.", ""]
    assert all(map(reader.fits, texts))
    assert (reader.predict(texts, None) == reader.model.predict(texts, None)).all()


@pytest.mark.parametrize(
    "mixed", ["good bad", "Orders grew but margins shrank.", f"{GOOD} {BAD} {GOOD}", "gain loss win lawsuit"]
)
def test_the_answer_to_a_text_does_not_change_when_it_is_said_many_times(reader: TextReader, mixed: str) -> None:
    """The same words, so the same confidence: neither grows with the length."""
    told = [" ".join([mixed] * times) for times in (1, 2, 3, 10, 40)]
    said = answers(reader, *(text[:5_000] for text in told))
    assert np.abs(said[1:4] - said[0]).max() < 1e-6


def test_long_balanced_text_is_near_zero_and_no_surer_than_its_sentences(reader: TextReader) -> None:
    lines = [f"Profit of division {number} {'rose strongly' if number % 2 else 'fell sharply'}." for number in range(60)]
    long = answers(reader, " ".join(lines))[0]
    assert abs(sentiment(long)) < 0.15
    assert long.max() <= answers(reader, *lines).max()


def test_one_sided_text_stays_one_sided_and_gets_no_surer(reader: TextReader) -> None:
    lines = [f"Profit of division {number} rose strongly in the quarter." for number in range(30)]
    each, long = answers(reader, *lines), answers(reader, " ".join(lines))[0]
    assert sentiment(long) > 0.3
    assert each.max(axis=1).min() - 0.01 <= long.max() <= each.max() + 0.01


@pytest.mark.parametrize("times", [8, 9, 12, 30])
def test_bad_news_at_the_end_of_much_good_news_is_read(reader: TextReader, times: int) -> None:
    good = " ".join([GOOD] * times)
    alone, with_the_end = answers(reader, good, f"{good} {BAD}")
    assert sentiment(alone) - sentiment(with_the_end) > 0.3


def test_an_answer_is_the_mean_of_its_sentences_weighted_by_how_likely_each_is_not_neutral(reader: TextReader) -> None:
    text = f"{GOOD} {GOOD} {BAD}"
    each = reader.predict([GOOD, BAD], None)
    assert np.allclose(reader.predict([text], None)[0], weights(each) @ each)
    mixed_batch = reader.predict(["Profit rose", text, "Profit fell"], None)
    assert np.allclose(mixed_batch[1], reader.predict([text], None)[0])
    assert np.allclose(mixed_batch[[0, 2]], reader.model.predict(["Profit rose", "Profit fell"], None))


@pytest.mark.parametrize("text", [f"{GOOD} {GOOD} {BAD}", "good bad " * 40, " ".join(f"{GOOD[:-1]} {n}." for n in range(50))])
def test_the_explanation_of_a_long_text_adds_up_to_its_answer(reader: TextReader, text: str) -> None:
    text = text.strip()
    features = np.array([COMPUTE[reader.feature_schema](text, NO_CONTEXT)], dtype=np.float64)
    assert reader.explain(text, features).sum == pytest.approx(sentiment(reader.predict([text], features)[0]), abs=1e-6)


def test_how_much_was_read_is_said(reader: TextReader) -> None:
    endless = " ".join(f"{GOOD[:-1]} {number}." for number in range(50))
    assert reader.reading(GOOD) == (1, len(GOOD))
    assert reader.reading(f"{GOOD} {GOOD} {BAD}") == (2, 2 * len(GOOD) + len(BAD) + 2)
    passages, characters = reader.reading(endless)
    assert (passages, endless[:characters].endswith(" 31.")) == (32, True)
    assert (reader.predict([endless], None) == reader.predict([endless[:characters]], None)).all()
