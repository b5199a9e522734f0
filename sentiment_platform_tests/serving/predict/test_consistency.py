"""No answer contradicts itself: 10,000 texts through a loaded model and the figures of the answer, and a control that finds the old rule."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st

from sentiment_platform.features.compute import compute_v1
from sentiment_platform.features.schema import V1
from sentiment_platform.models.family import Model
from sentiment_platform.models.vader.family import VaderModel, load_vader
from sentiment_platform.models.vader.training import VaderFamily
from sentiment_platform.text.normalise import normalise
from sentiment_platform_tests.registry.examples import manifest_of
from sentiment_platform_tests.serving.predict.consistency import contradictions, side_by_side
from sentiment_platform_tests.serving.publishing import trained
from sentiment_platform_tests.text.adversarial import adversarial_texts
from serving.live.loading import LoadedVersion
from serving.predict.answer_figures import Scored, comparison, prediction
from serving.predict.online_features import OnlineFeatures
from serving.work.runner import ModelRunner, Probabilities, predict_batch
from serving.work.scheduler import Scheduler

N = 10_000


@pytest.fixture(scope="module")
def model() -> Model:
    """VADER as serving loads it, fitted on generated sentences."""
    state, data = trained()
    with TemporaryDirectory() as folder:
        VaderFamily().export(state, data, Path(folder), lambda _: None)
        return load_vader(Path(folder))


@pytest.fixture(scope="module")
def texts() -> list[str]:
    return [normalise(text) for text in adversarial_texts(seed=12, count=N)]


def answer_of(model: Model, text: str, probabilities: Probabilities, family: str = "vader") -> dict[str, Any]:
    """The part of an answer that follows from the probabilities, as a client reads it."""
    live = LoadedVersion(
        family=family,
        version=f"v1.0.0-{family}",
        manifest_digest="ab" * 32,
        manifest=manifest_of(f"v1.0.0-{family}"),
        schema=V1,
        model=model,
        runner=ModelRunner("vader", model, Scheduler(ThreadPoolExecutor(1), 1)),
    )
    scored = Scored(live, OnlineFeatures(compute_v1(text), "MISSING"), probabilities, False, 0.0)
    return msgspec.json.decode(msgspec.json.encode({"prediction": prediction(scored), "comparison": comparison([scored])}))


def probabilities_of(model: Model, texts: list[str]) -> list[Probabilities]:
    return predict_batch(model, texts, [compute_v1(text) for text in texts])


def test_none_of_ten_thousand_answers_contradicts_itself(model: Model, texts: list[str]) -> None:
    said = probabilities_of(model, texts)
    answers = [answer_of(model, text, probabilities) for text, probabilities in zip(texts, said, strict=True)]
    assert len(answers) == N
    assert [(text, wrong) for text, answer in zip(texts, answers, strict=True) if (wrong := contradictions(answer))] == []
    assert {answer["prediction"]["label"] for answer in answers} == {"negative", "neutral", "positive"}


def test_the_control_a_direction_from_thresholds_of_the_sentiment_contradicts_the_label(model: Model, texts: list[str]) -> None:
    """The rule that this one replaced: bullish above +0.15, bearish below -0.15."""
    caught = 0
    for text, probabilities in zip(texts, probabilities_of(model, texts), strict=True):
        answer = answer_of(model, text, probabilities)
        sentiment = answer["prediction"]["sentiment"]
        answer["prediction"]["price_direction"] = "bullish" if sentiment > 0.15 else "bearish" if sentiment < -0.15 else "neutral"
        caught += bool(contradictions(answer))
    assert caught > N / 100


@given(st.tuples(*[st.floats(0, 1)] * 3).filter(lambda weights: sum(weights) > 1e-6), st.text(min_size=1, max_size=80))
@how(max_examples=300, deadline=None)
def test_no_probabilities_whatsoever_lead_to_a_contradiction(weights: tuple[float, float, float], text: str) -> None:
    state, _ = trained()
    model = VaderModel(state.scorer.engine(), state.scorer, state.head)
    negative, neutral, positive = (weight / sum(weights) for weight in weights)
    assert contradictions(answer_of(model, text, (negative, neutral, positive))) == []


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("label", "neutral"),
        ("confidence", 0.5),
        ("sentiment", 0.1),
        ("sentiment", -0.6),
        ("price_direction", "bearish"),
        ("price_direction", "neutral"),
        ("probabilities", {"negative": 0.1, "neutral": 0.2, "positive": 0.6}),
        ("features_present", 16),
    ],
)
def test_the_control_a_changed_figure_is_noticed(model: Model, part: str, value: object) -> None:
    answer = answer_of(model, "profit", (0.1, 0.2, 0.7))
    assert contradictions(answer) == []
    answer["prediction"][part] = value
    assert contradictions(answer)


def test_the_control_an_agreement_of_different_labels_is_noticed(model: Model) -> None:
    vader, finbert = (
        answer_of(model, "profit", probabilities, family)
        for family, probabilities in (("vader", (0.1, 0.2, 0.7)), ("finbert", (0.2, 0.7, 0.1)))
    )
    said = {"agreement": False, "confidence_delta": finbert["prediction"]["confidence"] - vader["prediction"]["confidence"]}
    compared = {"results": {"vader": vader, "finbert": finbert}, "comparison": said}
    assert side_by_side(compared) == []
    assert side_by_side(compared | {"comparison": said | {"agreement": True}}) == ["agreement is the same label"]
