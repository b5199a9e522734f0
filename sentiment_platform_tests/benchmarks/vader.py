"""VADER: the engine against the package `vaderSentiment` (F.1), and how long its training takes (T.9). Real texts, one core."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from statistics import median
from typing import Any

import numpy as np

from sentiment_platform.features.schema import V1
from sentiment_platform.labels.importers import phrasebank
from sentiment_platform.models.family import TrainingData, TrainingOptions
from sentiment_platform.models.vader.training import VaderFamily
from sentiment_platform.text.lexicon import stock_lexicon
from sentiment_platform.text.vader import VaderEngine
from sentiment_platform_tests.benchmarks.labelled_data import labelled, shared_data
from sentiment_platform_tests.benchmarks.rows import TABLE, Figure
from sentiment_platform_tests.text.adversarial import adversarial_texts
from sentiment_platform_tests.text.reference import UnroundedAnalyzer, figures, labelled_texts

ROUNDS = 5
GENERATED = 100_000
LENGTHS = (100, 200, 500, 1_000, 2_000, 5_000)
SEED = 20260101
SENTENCES = 10_000


@TABLE.row("F.1", "VADER engine against the package vaderSentiment on the same real texts, one core")
def engine() -> Iterator[Figure]:
    path = shared_data() / "labelled" / "phrasebank" / "Sentences_50Agree.txt"
    texts = [example.text for example in phrasebank(path).examples]
    ours, package = VaderEngine(stock_lexicon()), UnroundedAnalyzer()
    # In turns, so that whatever else the machine does meets both alike.
    pairs = [(_seconds(package.polarity_scores, texts), _seconds(ours.score, texts)) for _ in range(ROUNDS)]
    theirs, mine = (median(side) / len(texts) * 1e6 for side in zip(*pairs, strict=True))
    explains = {"package_us": round(theirs, 2), "ours_us": round(mine, 2), "rounds": [round(a / b, 2) for a, b in pairs]}
    yield Figure("times as fast as vaderSentiment", median(a / b for a, b in pairs), "times", 4.0, len(texts), True, explains)
    yield _growth(ours, texts)
    real = [text for part in labelled_texts().values() for text in part]
    for what, compared in (("labelled", real), ("generated", adversarial_texts(SEED, GENERATED))):
        differ = sum(
            any(abs(a - b) > 1e-9 for a, b in zip(figures(ours.score(t)), figures(package.polarity_scores(t)), strict=True))
            for t in compared
        )
        yield Figure(f"{what} texts that differ by more than 1e-9 from the package", differ, "texts", 0, len(compared))


@TABLE.row("T.9", "VADER training, search included, on 10,000 real sentences")
def training() -> Iterator[Figure]:
    sets = ("phrasebank", "sentfin")
    validation = labelled("validation", sets)
    data = TrainingData(
        digest="bench",
        feature_schema=V1.version,
        feature_names=V1.names,
        train=labelled("train", sets, at_most=SENTENCES),
        validation=validation,
        test=validation,
    )
    started, worked = time.perf_counter(), time.process_time()
    trained = VaderFamily().train(data, TrainingOptions(seed=SEED), lambda _: None)
    worked = time.process_time() - worked
    explains = {
        "processor_s": round(worked, 1),
        "terms": len(trained.scorer.terms),
        "trials": len(trained.search["trials"]),
        "warning": trained.warning,
    }
    yield Figure("training", time.perf_counter() - started, "s", 30.0, len(data.train), explains=explains)


def _growth(ours: VaderEngine, texts: Sequence[str]) -> Figure:
    """Slope of log time over log length; 1 is linear."""
    joined = " ".join(texts)
    costs = list[float]()
    for length in LENGTHS:
        pieces = [joined[start : start + length] for start in range(0, 200_000, length)]
        costs.append(median(_seconds(ours.score, pieces) / len(pieces) for _ in range(ROUNDS)) * 1e6)
    slope = float(np.polyfit([math.log(length) for length in LENGTHS], [math.log(cost) for cost in costs], 1)[0])
    by_length = {str(length): round(cost, 2) for length, cost in zip(LENGTHS, costs, strict=True)}
    return Figure("log-log slope of time over 100 to 5,000 characters", slope, "", 1.1, len(LENGTHS), explains={"us": by_length})


def _seconds(score: Callable[[str], Any], texts: Sequence[str]) -> float:
    """Processor time, which a busy neighbour disturbs less than the clock."""
    started = time.process_time()
    for text in texts:
        score(text)
    return time.process_time() - started
