"""Claims about the figures of an answer: what is computed from probabilities, by hand on both sides of each threshold."""

from concurrent.futures import ThreadPoolExecutor
from math import inf, nextafter

import pytest

from sentiment_platform.features.schema import V1
from sentiment_platform.models.vader.family import VaderModel
from sentiment_platform_tests.registry.examples import NOW, manifest_of
from sentiment_platform_tests.serving.publishing import trained
from serving.contract.prediction_bodies import Comparison
from serving.live.inference import ModelRunner, Probabilities
from serving.live.loading import LoadedVersion
from serving.predict.answer_figures import Scored, comparison, prediction, price_direction
from serving.predict.online_features import OnlineFeatures


def scored(family: str, probabilities: Probabilities) -> Scored:
    """An answer of `family`; its model is not asked."""
    state, _ = trained()
    model = VaderModel(state.scorer.engine(), state.scorer, state.head)
    version = f"v1.0.0-{family}"
    runner = ModelRunner("vader", model, ThreadPoolExecutor(1), 1)
    live = LoadedVersion(
        family=family,
        version=version,
        manifest_digest="ab" * 32,
        manifest=manifest_of(version),
        schema=V1,
        model=model,
        runner=runner,
        since=NOW,
    )
    return Scored(live, OnlineFeatures((0.0,) * 15, "PRESENT"), probabilities, False, 1.0)


@pytest.mark.parametrize(
    ("sentiment", "direction"),
    [
        (1.0, "bullish"),
        (nextafter(0.15, inf), "bullish"),
        (0.15, "neutral"),
        (0.0, "neutral"),
        (-0.15, "neutral"),
        (nextafter(-0.15, -inf), "bearish"),
        (-1.0, "bearish"),
    ],
)
def test_the_direction_is_named_beyond_the_thresholds_and_neutral_on_them(sentiment: float, direction: str) -> None:
    assert price_direction(sentiment) == direction


@pytest.mark.parametrize(
    ("probabilities", "sentiment", "confidence", "direction"),
    [
        ((0.1, 0.2, 0.7), 0.6, 0.7, "bullish"),
        ((0.5, 0.3, 0.2), -0.3, 0.5, "bearish"),
        ((0.25, 0.5, 0.25), 0.0, 0.5, "neutral"),
    ],
)
def test_sentiment_is_positive_less_negative_and_confidence_that_of_the_likeliest(
    probabilities: Probabilities, sentiment: float, confidence: float, direction: str
) -> None:
    answered = prediction(scored("vader", probabilities))
    assert (answered.sentiment, answered.confidence) == (pytest.approx(sentiment), confidence)
    assert (answered.price_direction, answered.model_used, answered.features_count) == (direction, "vader", 15)


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
