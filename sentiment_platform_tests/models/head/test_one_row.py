"""One row without arrays says what many rows say with them."""

import asyncio
import dataclasses
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from sentiment_platform.errors import PermanentError
from sentiment_platform.features.schema import SCHEMAS
from sentiment_platform.models.head.fitting import fit_head
from sentiment_platform.models.head.head import CalibrationHead
from sentiment_platform.models.reading import TextReader
from sentiment_platform.models.vader.family import VaderModel
from sentiment_platform_tests.models.head.scored_rows import NAMES, K, rows
from sentiment_platform_tests.serving.publishing import trained
from serving.work.runner import ModelRunner, Probabilities
from serving.work.scheduler import Scheduler


@pytest.fixture(scope="module")
def head() -> CalibrationHead:
    return fit_head(*rows(2000, 0), NAMES, "v1")


@pytest.mark.parametrize("uses_features", [True, False])
@pytest.mark.parametrize("missing_share", [0.0, 0.3, 1.0])
def test_it_says_what_the_head_says_of_many(head: CalibrationHead, missing_share: float, *, uses_features: bool) -> None:
    head = dataclasses.replace(head, uses_features=uses_features)
    rng = np.random.default_rng(3)
    logits, features = rng.normal(scale=20, size=(200, 3)), rng.normal(50, 40, size=(200, K))
    features[rng.random(features.shape) < missing_share] = np.nan
    many = head.probabilities(logits, features)
    plain = [[None if np.isnan(value) else value for value in row] for row in features.tolist()]
    single = [head.one_row.probabilities(tuple(row), given) for row, given in zip(logits.tolist(), plain, strict=True)]
    assert np.abs(many - np.array(single)).max() < 1e-12
    assert len({round(a, 6) for a, _, _ in single}) > 20


@pytest.mark.parametrize(
    ("logits", "features"),
    [
        ((np.nan, 0.0, 0.0), [0.0] * K),
        ((0.0, np.inf, 0.0), [0.0] * K),
        ((0.0,) * 3, [np.inf] + [0.0] * (K - 1)),
        ((0.0,) * 3, [0.0]),
    ],
)
def test_it_refuses_what_the_head_refuses(head: CalibrationHead, logits: tuple[float, ...], features: list[float]) -> None:
    with pytest.raises(PermanentError):
        head.one_row.probabilities(logits, features)
    with pytest.raises(PermanentError):
        head.probabilities(np.array([logits]), np.array([features]))


@pytest.mark.parametrize(
    "text", ["", "Profit rose!", "Sales fell, but the outlook is GREAT?? :)", "Shares fell. " * 40, "Tallow Foods warns of fraud"]
)
@pytest.mark.parametrize("known", [True, False])
def test_a_text_gets_the_same_answer_alone_and_in_a_batch(text: str, *, known: bool) -> None:
    state, data = trained()
    model = TextReader(VaderModel(state.scorer.engine(), state.scorer, state.head))
    row = data.test.features[0] if known else np.full(len(data.feature_names), np.nan)
    batch = model.predict([text], row[None, :])[0]
    alone = model.predict_one(text, [None if np.isnan(value) else float(value) for value in row])
    assert np.abs(batch - np.array(alone)).max() < 1e-12


def test_on_the_loop_and_on_a_thread_the_answer_is_the_same_to_the_last_digit(monkeypatch: pytest.MonkeyPatch) -> None:
    state, _ = trained()
    model = TextReader(VaderModel(state.scorer.engine(), state.scorer, state.head))
    scheduler = Scheduler(ThreadPoolExecutor(1), 1)
    runner = ModelRunner("vader", model, scheduler)
    texts = [
        f"Alder {number} profit rose, but the outlook is {word}" for number, word in enumerate(("GREAT", "weak", "poor") * 20)
    ]
    unknown = (None,) * len(SCHEMAS[model.feature_schema].names)

    async def answers() -> tuple[list[Probabilities], bool]:
        asked = asyncio.gather(*(runner.run(text, unknown, "answer", time.perf_counter() + 60) for text in texts))
        await asyncio.sleep(0)
        waited = scheduler.busy
        return await asked, waited

    monkeypatch.setattr("serving.work.runner.INLINE_S", 10.0)
    on_the_loop, waited = asyncio.run(answers())
    assert not waited
    monkeypatch.setattr("serving.work.runner.INLINE_S", 0.0)
    on_a_thread, waited = asyncio.run(answers())
    assert waited, "the control: they were handed over"
    assert on_a_thread == on_the_loop
