"""Explanations add up: on many texts and for any model, base, features and contributions are the sentiment of the answer."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from sentiment_platform.features.compute import NO_CONTEXT, compute_v1
from sentiment_platform.models.explanation import MAX_PARTS, explain_by_reading
from sentiment_platform.models.family import Floats, Model
from sentiment_platform.models.transformer.runtime import load_transformer
from sentiment_platform.models.vader.family import load_vader
from sentiment_platform.models.vader.training import VaderFamily
from sentiment_platform.text.normalise import normalise
from sentiment_platform_tests.models.conftest import TinyArtefact
from sentiment_platform_tests.serving.publishing import trained
from sentiment_platform_tests.text.adversarial import adversarial_texts

TEXTS = [normalise(text) for text in adversarial_texts(seed=3, count=2_000)]


def features_of(text: str) -> Floats:
    return np.array([[np.nan if value is None else value for value in compute_v1(text, NO_CONTEXT)]])


def off_by(model: Model, text: str, features: Floats | None) -> float:
    """How far the parts of an explanation are from the sentiment that the model answers with."""
    said = model.predict([text], features)[0]
    explanation = model.explain(text, features)
    parts = [explanation.base, explanation.features, *(part.contribution for part in explanation.contributions)]
    assert explanation.sum == pytest.approx(sum(parts), abs=1e-12)
    return abs(sum(parts) - float(said[2] - said[0]))


@pytest.fixture(scope="module")
def vader(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Its head uses the features."""
    state, data = trained()
    directory = tmp_path_factory.mktemp("vader")
    VaderFamily().export(state, data, directory, lambda _: None)
    return load_vader(directory)


def test_vader_adds_up_with_and_without_features(vader: Model) -> None:
    assert vader.uses_features
    assert max(off_by(vader, text, features_of(text)) for text in TEXTS) < 1e-9
    assert max(off_by(vader, text, None) for text in TEXTS) < 1e-9


def test_every_word_is_there_in_order(vader: Model) -> None:
    for text in TEXTS:
        explanation = vader.explain(text, None)
        covered = {
            position
            for part in explanation.contributions
            for position in range(part.position, part.position + len(part.token.split()))
        }
        positions = [part.position for part in explanation.contributions]
        assert positions == sorted(positions)
        assert set(range(len(text.split()))) <= covered


def test_the_control_a_contribution_left_out_is_noticed(vader: Model) -> None:
    text = "great profit and strong growth"
    explanation = vader.explain(text, features_of(text))
    moved = [part.contribution for part in explanation.contributions if part.contribution]
    assert len(moved) >= 3
    for contribution in moved:
        assert abs(contribution) > 1e-6


def test_what_the_features_add_is_told_apart_from_the_words(vader: Model) -> None:
    text = "great profit and strong growth"
    with_features, without = vader.explain(text, features_of(text)), vader.explain(text, None)
    assert with_features.base == without.base
    assert (with_features.features != 0, without.features) == (True, 0)


@pytest.mark.slow
def test_the_transformer_adds_up(tiny_artefact: TinyArtefact) -> None:
    model = load_transformer(Path(tiny_artefact.directory))
    short, features = "Alder profit fell sharply on Monday", np.array([[1.0, np.nan]])
    texts = [*TEXTS[:150], short, "profit " * 400, ""]
    assert max(off_by(model, text, some) for text in texts for some in (features, None)) < 1e-5
    assert [part.token for part in model.explain(short, features).contributions] == short.split()


def counting(texts: Sequence[str], features: Floats | None) -> Floats:
    """Positive by the share of "up" and "down" among all words, where "not" turns the next one."""
    rows = []
    for text in texts:
        words = text.split()
        value = sum(
            ((word == "up") - (word == "down")) * (-1 if at and words[at - 1] == "not" else 1) for at, word in enumerate(words)
        )
        share = 1 / (1 + np.exp(-value))
        rows.append([(1 - share) / 2, 0.5, share / 2])
    return np.array(rows)


def test_a_negation_and_its_word_share_what_they_do_together() -> None:
    explanation = explain_by_reading(counting, "sales not up", None)
    sales, negation, up = explanation.contributions
    assert (sales.contribution, negation.contribution < 0, up.contribution) == (0, True, 0)
    assert explanation.sum == pytest.approx(explanation.base + negation.contribution)


def test_a_long_text_is_read_in_parts_of_several_words() -> None:
    text = " ".join(["up", "down"] * 100)
    contributions = explain_by_reading(counting, text, None).contributions
    assert len(contributions) <= MAX_PARTS
    assert " ".join(part.token for part in contributions) == text
    assert [part.position for part in contributions][:2] == [0, len(contributions[0].token.split())]
