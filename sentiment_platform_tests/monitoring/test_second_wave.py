"""The demo's verdict: its second wave drifts, and the same number of ordinary questions instead does not."""

import numpy as np

from sentiment_platform.features.compute import compute_v1
from sentiment_platform.features.schema import V1
from sentiment_platform.local.demo.demo import FEEDBACK_PREDICTIONS, ORDINARY_QUESTIONS, TEXTS_PER_WINDOW
from sentiment_platform.local.demo.sample_data import ordinary_questions, second_wave
from sentiment_platform.monitoring.judging import judge, lasting
from sentiment_platform.monitoring.samples import Sample, Texts
from sentiment_platform.monitoring.severity import TEXT, Severity, severity_of
from sentiment_platform.news.stories.near_duplicates import counted_as


def verdict(asked: list[str]) -> tuple[Severity, set[str]]:
    """Of texts, oldest first, in windows as the demo cuts them; by the features of the text alone."""
    counted = counted_as(asked, [None] * len(asked))
    newest_first = [text for i, text in enumerate(asked) if counted[i] == i][::-1]
    windows = [newest_first[i * TEXTS_PER_WINDOW : (i + 1) * TEXTS_PER_WINDOW] for i in range(3)]
    earlier = newest_first[3 * TEXTS_PER_WINDOW :]
    before, *now = (values(texts) for texts in (earlier, *windows))
    judged = [
        judge(
            [Sample(name, "earlier", before[:, i], features[:, i]) for i, name in enumerate(V1.names)],
            Texts("earlier", earlier, texts),
            min_rows=TEXTS_PER_WINDOW,
        )
        for features, texts in zip(now, windows, strict=True)
    ]
    rows, _ = lasting(judged)
    return severity_of(rows), {row.feature for row in rows if row.drifted}


def values(texts: list[str]) -> np.ndarray:
    return np.array([[np.nan if value is None else value for value in compute_v1(text)] for text in texts])


def test_the_second_wave_alone_makes_the_verdict() -> None:
    ordinary = [headline.title for headline in ordinary_questions(ORDINARY_QUESTIONS + FEEDBACK_PREDICTIONS)]
    wave = [headline.title for headline in second_wave()[:FEEDBACK_PREDICTIONS]]
    severity, drifted = verdict(ordinary[:ORDINARY_QUESTIONS] + wave)
    assert severity in ("high", "critical")
    assert {TEXT, "number_count"} <= drifted
    assert verdict(ordinary) == ("none", set())


def test_numbers_in_brackets_as_a_load_test_adds_them_would_drift_if_it_did_not_say_that_it_is_one() -> None:
    ordinary = [headline.title for headline in ordinary_questions(ORDINARY_QUESTIONS + FEEDBACK_PREDICTIONS)]
    load = [f"{text} ({number})" for number, text in enumerate(ordinary[ORDINARY_QUESTIONS:])]
    assert "number_count" in verdict(ordinary[:ORDINARY_QUESTIONS] + load)[1]
