"""One number of what users said, and whether daily accuracy falls: by hand, and from what stands in the database."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import Engine

from sentiment_platform.served.accuracy_trend import trend_figures
from sentiment_platform.served.feedback_score import feedback_score, preferred_share
from sentiment_platform.served.performance import SELF_SELECTED, measure_performance
from sentiment_platform.store.figures import newest_figures
from sentiment_platform_tests.monitoring.seeding import (
    NOW,
    VERSION,
    answering,
    features,
    seed_feedback,
    seed_predictions,
)


@dataclass(frozen=True)
class Said:
    label: str | None = None
    preference: str | None = None
    utility: float | None = None
    family: str = "vader"
    probabilities: tuple[float, float, float] = (0.1, 0.1, 0.8)

    @property
    def prediction(self) -> "Said":
        return self


def test_a_tie_is_half_a_win_and_the_interval_is_wilsons() -> None:
    words = [Said(preference="vader")] * 20 + [Said(preference="finbert")] * 10 + [Said(preference="tie")] * 10
    share = preferred_share([*words, Said(utility=1.0)], 30)
    assert share is not None
    assert (share.value, share.n) == (25 / 40, 40)
    assert (share.low, share.high) == (pytest.approx(0.4703, abs=1e-3), pytest.approx(0.7578, abs=1e-3))


def test_the_score_is_the_mean_of_what_each_voice_says_and_few_voices_have_none() -> None:
    words = [
        Said(label="positive"),
        Said(label="negative"),
        Said(utility=0.0),
        Said(label="positive", preference="finbert", utility=-1.0),
    ]
    score = feedback_score([*words, Said()], 4)
    assert score is not None
    assert (score.value, score.n) == (pytest.approx((1 + 0 + 0.5 + 1 / 3) / 4), 4)
    assert score.low < score.value < score.high
    assert feedback_score(words, 5) is None


def test_an_accuracy_that_falls_half_a_point_a_day_shows_as_a_trend_of_its_window_and_a_steady_one_does_not() -> None:
    def trend(a_day: float) -> tuple[float, float]:
        rng = np.random.default_rng(1)
        answers = [
            (NOW - timedelta(days=13 - day), f"text {day} {row}", bool(rng.random() < 0.85 + a_day * day))
            for day in range(14)
            for row in range(400)
        ]
        (figure,) = trend_figures(VERSION, "audit:30d", [*answers, *answers], 0.1, 30)
        assert figure.n == 14 * 400  # a text that is asked again is no further evidence
        assert figure.low is not None
        assert figure.high is not None
        return figure.low, figure.high

    assert trend(-0.005)[1] < 0
    low, high = trend(0.0)
    assert low < 0 < high


def test_trend_and_score_stand_beside_the_other_figures_of_feedback_and_are_called_self_selected(engine: Engine) -> None:
    for day in range(6):
        right = 10 - day
        answers = np.array([answering("positive")] * 10)
        until = NOW - timedelta(days=5 - day, minutes=20)
        ids = seed_predictions(engine, features(10, day), answers, until=until, prefix=f"day {day}")
        for row, prediction in enumerate(ids):
            label = "positive" if row < right else "negative"
            seed_feedback(engine, prediction, label=label, received_at=until + timedelta(minutes=5))
    measure_performance(engine, NOW, (7,))
    with engine.connect() as connection:
        stored = {figure.metric: figure for figure in newest_figures(connection, [VERSION]) if figure.window == "feedback:7d"}
    assert stored["accuracy_trend"].value == pytest.approx(-0.1)
    assert stored["feedback_score"].value == pytest.approx(stored["accuracy"].value) == 0.75
    assert {stored[name].note for name in ("accuracy_trend", "feedback_score")} == {SELF_SELECTED}
