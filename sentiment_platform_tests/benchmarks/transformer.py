"""Speed of fine-tuning: batches by length in bfloat16 against the plain loop, and that nothing is lost by it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import numpy as np

from sentiment_platform.models.family import Floats, Integers, Progress, TrainingData, TrainingOptions
from sentiment_platform.models.transformer.tokens import encode, tokenizer_from_json
from sentiment_platform.models.transformer.training.base import PACKAGED_MINILM, resolve_base
from sentiment_platform.models.transformer.training.device import cpu_has_bfloat16
from sentiment_platform.models.transformer.training.fine_tuning import TrainedTransformer, train_transformer
from sentiment_platform.models.transformer.training.stages import taken
from sentiment_platform.models.transformer.training.weights import network_logits
from sentiment_platform.statistics.arrays import N_CLASSES
from sentiment_platform.statistics.estimate import Estimate
from sentiment_platform.statistics.metrics import predicted_classes, ratios
from sentiment_platform.statistics.resampling import bootstrap_counts, percentile_estimate
from sentiment_platform_tests.benchmarks.labelled_data import SPLIT, training_data
from sentiment_platform_tests.benchmarks.rows import TABLE, Figure

# By chance alone two runs differ by 1.1 points of macro-F1 (standard deviation of 60 differences): fewer seeds cannot tell half a point.
SEEDS = tuple(range(1, 9))
TEXTS = 1_600
EPOCHS = 3
PLAIN: dict[str, Any] = {"length_buckets": False, "precision": "float32"}


@dataclass(frozen=True)
class Pair:
    """Both loops from one seed, and the classes that they then give the texts that neither has seen."""

    plain: TrainedTransformer
    fast: TrainedTransformer
    plain_classes: Integers
    fast_classes: Integers

    @property
    def ratio(self) -> float:
        return self.fast.sentences_per_s / self.plain.sentences_per_s


@TABLE.row("F.8", "fine-tuning: sentences/s against the plain loop (fp32, random batches of 32) on the same texts, and macro-F1")
def fine_tuning() -> Iterator[Figure]:
    data, texts, labels = _sample()
    # Either loop goes first in turns: what warms up or slows down meanwhile favours neither.
    pairs = [_pair(data, texts, seed, fast_first=number % 2 == 1) for number, seed in enumerate(SEEDS)]
    fast = pairs[0].fast
    explains = {
        "ratios": [round(pair.ratio, 3) for pair in pairs],
        "plain_per_s": [round(pair.plain.sentences_per_s, 1) for pair in pairs],
        "fast_per_s": [round(pair.fast.sentences_per_s, 1) for pair in pairs],
        "precision": fast.compute.precision,
        "bfloat16_in_hardware": cpu_has_bfloat16(),
        "threads": fast.threads,
        "texts": TEXTS,
        "epochs": EPOCHS,
        "median_tokens": _median_tokens(fast, data.train.texts),
        "seeds": list(SEEDS),
        "split": f"{SPLIT}; training texts beyond the {TEXTS} are held out with the test part",
    }
    ratio = median(pair.ratio for pair in pairs)
    yield Figure("sentences/s, fast over plain, median of the seeds", ratio, "", 2.2, len(pairs), True, explains)
    once = np.ones((1, len(texts)))
    compared = {
        f"{name}_macro_f1": [round(float(_macro_f1(labels, classes, once)[0]), 4) for classes in answers]
        for name, answers in (
            ("plain", [pair.plain_classes for pair in pairs]),
            ("fast", [pair.fast_classes for pair in pairs]),
        )
    }
    lost = mean_macro_f1_lost(labels, [(pair.plain_classes, pair.fast_classes) for pair in pairs])
    shown = {"interval": [round(lost.low, 4), round(lost.high, 4)], **compared, "seeds": list(SEEDS)}
    yield Figure("macro-F1 that the fast loop loses, mean of the seeds", lost.value, "", 0.005, lost.n, explains=shown)


def mean_macro_f1_lost(labels: Integers, answers: Sequence[tuple[Integers, Integers]]) -> Estimate:
    """Macro-F1 of the first less that of the second of each pair, mean of the pairs.

    The interval is over rows and seeds at once: rows are drawn for all seeds together, and so are the seeds.
    """

    def lost(times_drawn: Floats) -> Floats:
        """(k, seeds)"""
        each = [_macro_f1(labels, plain, times_drawn) - _macro_f1(labels, fast, times_drawn) for plain, fast in answers]
        return np.stack(each, axis=1)

    rows, seeds = np.ones(len(labels), dtype=np.int64), np.ones(len(answers), dtype=np.int64)
    value = float(lost(np.ones((1, len(labels)))).mean())
    drawn = lost(bootstrap_counts(rows, seed=SEEDS[0])) * bootstrap_counts(seeds, seed=SEEDS[1])
    return percentile_estimate(value, drawn.sum(axis=1) / len(answers), n=len(labels))


def _macro_f1(labels: Integers, classes: Integers, times_drawn: Floats) -> Floats:
    """(k,) for the k rows of `times_drawn` (k, n): how often each text counts."""
    cells = np.eye(N_CLASSES * N_CLASSES)[labels * N_CLASSES + classes]
    return ratios((times_drawn @ cells).reshape(-1, N_CLASSES, N_CLASSES)).macro_f1


def _sample() -> tuple[TrainingData, list[str], Integers]:
    """`TEXTS` training texts of PhraseBank, drawn once; then texts and labels that neither loop sees: the other ones and the test part."""
    data = training_data(("phrasebank",))
    drawn = np.random.default_rng(SEEDS[0]).permutation(len(data.train))
    unused = taken(data.train, np.sort(drawn[TEXTS:]))
    unseen = [*unused.texts, *data.test.texts], np.concatenate([unused.labels, data.test.labels])
    return replace(data, train=taken(data.train, np.sort(drawn[:TEXTS]))), *unseen


def _pair(data: TrainingData, texts: Sequence[str], seed: int, *, fast_first: bool) -> Pair:
    if fast_first:
        fast, plain = _run(data, seed), _run(data, seed, **PLAIN)
    else:
        plain, fast = _run(data, seed, **PLAIN), _run(data, seed)
    return Pair(plain, fast, _classes(plain, texts), _classes(fast, texts))


def _run(data: TrainingData, seed: int, **parameters: Any) -> TrainedTransformer:
    given = {"epochs": EPOCHS, "patience": 0, "checkpoint_steps": 0, "consistency": 0.0, **parameters}
    return train_transformer(
        resolve_base(PACKAGED_MINILM), data, TrainingOptions(seed=seed, threads=0, parameters=given), _silent
    )


def _classes(trained: TrainedTransformer, texts: Sequence[str]) -> Integers:
    return predicted_classes(network_logits(trained.network, trained.tokenizer_json, trained.parameters.max_length, texts))


def _median_tokens(trained: TrainedTransformer, texts: Sequence[str]) -> float:
    tokenizer = tokenizer_from_json(trained.tokenizer_json, trained.parameters.max_length)
    return median(len(tokens) for tokens in encode(tokenizer, texts))


def _silent(_: Progress) -> None:
    """Progress is not part of the figure."""
