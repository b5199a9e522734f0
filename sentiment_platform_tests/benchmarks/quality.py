"""Quality on real data, one row of the table each: `make bench-quality`. Nothing here is fitted or tuned on the test part."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from math import sqrt
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from sentiment_platform.labels.importers import phrasebank
from sentiment_platform.models.evaluation.evaluation import Evaluation, evaluate
from sentiment_platform.models.family import LABELS, Floats, Integers, TrainingData, TrainingOptions
from sentiment_platform.models.vader.family import VaderModel, load_vader
from sentiment_platform.models.vader.training import VaderFamily
from sentiment_platform.statistics.estimate import Estimate
from sentiment_platform.statistics.metrics import classification_report, confusion_matrix, ratios
from sentiment_platform.text.explanation import explain
from sentiment_platform.text.lexicon import stock_lexicon
from sentiment_platform.text.vader import VaderEngine
from sentiment_platform_tests.benchmarks.labelled_data import SPLIT, shared_data, training_data
from sentiment_platform_tests.benchmarks.rows import TABLE, Figure
from sentiment_platform_tests.benchmarks.seeds import SEEDS, mean_of_seeds, with_interval


@TABLE.row("Q.1", "stock VADER on PhraseBank 50Agree, all rows")
def stock_vader() -> Iterator[Figure]:
    examples = phrasebank(shared_data() / "labelled" / "phrasebank" / "Sentences_50Agree.txt").examples
    labels = np.array([LABELS.index(example.label) for example in examples])
    report = classification_report(labels, np.eye(3)[stock_labels([e.text for e in examples])], seed=SEEDS[0])
    for name, estimate, published in (("accuracy", report.accuracy, 0.54), ("macro-F1", report.macro_f1, 0.50)):
        explains = {"measured": round(estimate.value, 4), "interval": interval(estimate), "published": published}
        yield Figure(f"stock VADER: {name}, distance", abs(estimate.value - published), "", 0.02, report.n, explains=explains)


@TABLE.row("Q.2", "trained VADER on the test part of PhraseBank 50Agree")
def trained_vader() -> Iterator[Figure]:
    data = training_data(("phrasebank",))
    runs = [vader_run(seed) for seed in SEEDS]
    labels = data.test.labels
    stock, thresholds = (
        classification_report(labels, np.eye(3)[predicted], seed=SEEDS[0]).macro_f1
        for predicted in (stock_labels(data.test.texts), thresholds_only(data))
    )
    explains = {
        "seeds": list(SEEDS),
        "split": SPLIT,
        "trained_on": f"train part of PhraseBank 50Agree, {len(data.train)} rows; head and label rule: {len(data.validation)} rows",
        "stock": {"macro_f1": round(stock.value, 4), "interval": interval(stock)},
        "thresholds_only": {"macro_f1": round(thresholds.value, 4), "interval": interval(thresholds)},
        "runs": [run.document() for run in runs],
    }
    evaluations = [run.evaluation for run in runs]
    mean_f1 = mean_of_seeds(labels, evaluations)
    explains |= {
        "interval": with_interval(mean_f1)[1:],
        "accuracy": with_interval(mean_of_seeds(labels, evaluations, "accuracy")),
        "in_sample": False,
    }
    yield Figure("macro-F1, mean of the seeds", mean_f1.value, "", 0.66, len(labels), True, explains)
    yield Figure("one text, features not counted", median(run.text_ms for run in runs), "ms", 1.0, len(labels))
    wrong = max(explanation_error(run.model, data.test.texts) for run in runs)
    yield Figure(
        "largest difference between the compound that an explanation sums to and the score", wrong, "", 1e-9, len(labels)
    )


@dataclass(frozen=True)
class VaderRun:
    """One seed: the version as it would be served, and what it answered on the test part."""

    seed: int
    model: VaderModel
    evaluation: Evaluation
    text_ms: float
    label_balance: float | None

    def document(self) -> dict[str, Any]:
        """What a reader needs to believe the mean."""
        report = self.evaluation.report
        return {
            "seed": self.seed,
            "macro_f1": round(report.macro_f1.value, 4),
            "interval": interval(report.macro_f1),
            "accuracy": round(report.accuracy.value, 4),
            "accuracy_interval": interval(report.accuracy),
            "ece": round(self.evaluation.calibration.ece, 4),
            "f1": {row.label: round(row.f1.value, 4) for row in report.classes},
            "terms": len(self.model.scorer.terms),
            "label_balance": self.label_balance,
        }


@cache
def vader_run(seed: int) -> VaderRun:
    """Trained on PhraseBank's training part; once a process."""
    return train_vader(training_data(("phrasebank",)), seed)


def train_vader(data: TrainingData, seed: int) -> VaderRun:
    """Train, export, load, ask: the way a version goes."""
    family = VaderFamily()
    trained = family.train(data, TrainingOptions(seed=seed), lambda _: None)
    with TemporaryDirectory() as folder:
        family.export(trained, data, Path(folder), lambda _: None)
        model = load_vader(Path(folder))
    started = time.perf_counter()
    evaluation = evaluate(model, data.test)
    text_ms = (time.perf_counter() - started) / len(data.test) * 1e3
    return VaderRun(seed, model, evaluation, text_ms, trained.label_balance)


def stock_labels(texts: Sequence[str]) -> Integers:
    """What the published thresholds of compound say."""
    return by_thresholds(stock_compound(texts), -0.05, 0.05)


def thresholds_only(data: TrainingData) -> Integers:
    """The stock lexicon with the two thresholds that are best on the training part."""
    compound, grid = stock_compound(data.train.texts), np.linspace(-1, 1, 41)

    def macro_f1(low: float, high: float) -> float:
        predicted = by_thresholds(compound, low, high)
        return float(ratios(confusion_matrix(data.train.labels, predicted).astype(np.float64)).macro_f1)

    _, low, high = max((macro_f1(low, high), low, high) for low in grid for high in grid if low < high)
    return by_thresholds(stock_compound(data.test.texts), low, high)


def stock_compound(texts: Sequence[str]) -> Floats:
    """(n,) compound scores of the stock lexicon."""
    stock = VaderEngine(stock_lexicon())
    return np.array([stock.score(text).compound for text in texts])


def by_thresholds(compound: Floats, low: float, high: float) -> Integers:
    """(n,) class indices."""
    return np.where(compound >= high, 2, np.where(compound <= low, 0, 1)).astype(np.int64)


def explanation_error(model: VaderModel, texts: Sequence[str]) -> float:
    """The largest difference between compound as the explanation's parts give it and as the engine scores it."""
    alpha = model.engine.constants.compound_alpha

    def difference(text: str) -> float:
        total = sum(part.valence for part in explain(model.engine, text).parts)
        return abs(total / sqrt(total * total + alpha) - model.engine.score(text).compound)

    return max(map(difference, texts))


def interval(estimate: Estimate) -> list[float]:
    """The 95 % bootstrap interval."""
    return [round(estimate.low, 4), round(estimate.high, 4)]
