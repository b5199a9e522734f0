"""Claims about the figures of an answer: what follows from the probabilities, ties included, and what is counted of the features."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from sentiment_platform.features.schema import V1
from sentiment_platform.models.reading import TextReader
from sentiment_platform.models.vader.family import VaderModel
from sentiment_platform.statistics.metrics import predicted_classes
from sentiment_platform.text.sentiment import LABELS, PriceDirection, likeliest_label
from sentiment_platform_tests.registry.examples import manifest_of
from sentiment_platform_tests.serving.publishing import trained
from serving.contract.prediction_bodies import Comparison
from serving.live.loading import LoadedVersion
from serving.predict.answer_figures import Scored, comparison, prediction
from serving.predict.online_features import OnlineFeatures
from serving.work.runner import ModelRunner, Probabilities
from serving.work.scheduler import Scheduler


def scored(family: str, probabilities: Probabilities, *, uses_features: bool = True, missing: int = 0) -> Scored:
    """An answer of `family`; its model is not asked."""
    state, _ = trained()
    model = VaderModel(state.scorer.engine(), state.scorer, replace(state.head, uses_features=uses_features))
    version = f"v1.0.0-{family}"
    runner = ModelRunner("vader", model, Scheduler(ThreadPoolExecutor(1), 1))
    live = LoadedVersion(
        family=family,
        version=version,
        manifest_digest="ab" * 32,
        manifest=manifest_of(version),
        schema=V1,
        model=TextReader(model),
        runner=runner,
    )
    values = (None,) * missing + (0.0,) * (15 - missing)
    return Scored(live, OnlineFeatures(values, "PRESENT"), probabilities, False, 1.0)


@pytest.mark.parametrize(
    ("probabilities", "label", "sentiment", "confidence", "direction"),
    [
        ((0.1, 0.2, 0.7), "positive", 0.6, 0.7, "bullish"),
        ((0.5, 0.3, 0.2), "negative", -0.3, 0.5, "bearish"),
        ((0.25, 0.5, 0.25), "neutral", 0.0, 0.5, "neutral"),
        # What used to contradict itself: a sentiment far from 0 beside a neutral label, and one near 0 beside another.
        ((0.05, 0.5, 0.45), "neutral", 0.4, 0.5, "neutral"),
        ((0.4, 0.1, 0.5), "positive", 0.1, 0.5, "bullish"),
        # Of equals the first.
        ((0.4, 0.2, 0.4), "negative", 0.0, 0.4, "bearish"),
        ((0.4, 0.4, 0.2), "negative", -0.2, 0.4, "bearish"),
        ((0.2, 0.4, 0.4), "neutral", 0.2, 0.4, "neutral"),
    ],
)
def test_label_confidence_and_direction_follow_from_the_likeliest(
    probabilities: Probabilities, label: str, sentiment: float, confidence: float, direction: PriceDirection
) -> None:
    answered = prediction(scored("vader", probabilities))
    assert (answered.label, answered.confidence, answered.price_direction) == (label, confidence, direction)
    assert answered.sentiment == pytest.approx(sentiment)
    said = answered.probabilities
    assert (said.negative, said.neutral, said.positive) == probabilities


def test_accuracy_counts_the_label_that_the_answer_names() -> None:
    """One rule, written for one answer and for arrays; half of these rows have equals."""
    rng = np.random.default_rng(1)
    rows = rng.integers(0, 4, size=(3_000, 3)).astype(np.float64) + 1e-9
    rows = np.vstack([rows / rows.sum(axis=1, keepdims=True), rng.dirichlet((1, 1, 1), 3_000)])
    assert [LABELS[index] for index in predicted_classes(rows)] == [likeliest_label(row.tolist()) for row in rows]


def test_features_are_counted_where_the_answer_used_them() -> None:
    def counted(**how: object) -> tuple[int, int]:
        answered = prediction(scored("vader", (0.1, 0.2, 0.7), **how))  # pyright: ignore[reportArgumentType]
        return answered.features_count, answered.features_present

    assert counted() == (15, 15)
    assert counted(missing=5) == (15, 10)
    assert counted(missing=5, uses_features=False) == (0, 0)


@pytest.mark.parametrize("turned", [False, True], ids=["as deployed", "in the other order"])
@pytest.mark.parametrize(
    ("vader", "finbert", "expected"),
    [
        ((0.1, 0.2, 0.7), (0.05, 0.05, 0.9), (0.6, 0.85, True, 0.2)),
        ((0.1, 0.2, 0.7), (0.55, 0.4, 0.05), (0.6, -0.5, False, -0.15)),
        # The same sentiment is no agreement: the likeliest labels differ.
        ((0.2, 0.6, 0.2), (0.45, 0.1, 0.45), (0.0, 0.0, False, -0.15)),
    ],
)
def test_a_comparison_says_which_is_which_and_by_how_much_finbert_is_surer(
    vader: Probabilities, finbert: Probabilities, expected: tuple[float, float, bool, float], turned: bool
) -> None:
    done = [scored("vader", vader), scored("finbert", finbert)]
    compared = comparison(done[::-1] if turned else done)
    assert (compared.vader_sentiment, compared.finbert_sentiment) == pytest.approx(expected[:2])
    assert compared.agreement is expected[2]
    assert compared.confidence_delta == pytest.approx(expected[3])


def test_what_was_not_run_is_null_and_a_third_family_is_not_compared() -> None:
    vader, finbert = scored("vader", (0.1, 0.2, 0.7)), scored("finbert", (0.1, 0.2, 0.7))
    turtle = scored("turtle", (0.9, 0.1, 0.0))
    assert comparison([vader, turtle]) == Comparison(vader_sentiment=vader.sentiment)
    assert comparison([finbert]) == Comparison(finbert_sentiment=finbert.sentiment)
    assert comparison([turtle]) == Comparison()
    assert comparison([turtle, finbert, vader]) == comparison([vader, finbert])
