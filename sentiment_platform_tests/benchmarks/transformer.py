"""Speed of fine-tuning: batches by length in bfloat16 against the plain loop, and that nothing is lost by it."""

from collections.abc import Iterator
from dataclasses import replace
from statistics import median
from typing import Any

import numpy as np

from sentiment_platform.models.family import Progress, TrainingData, TrainingOptions
from sentiment_platform.models.transformer_base import PACKAGED_MINILM, resolve_base
from sentiment_platform.models.transformer_device import cpu_has_bfloat16
from sentiment_platform.models.transformer_stages import taken
from sentiment_platform.models.transformer_training import TrainedTransformer, train_transformer
from sentiment_platform.models.transformer_weights import network_logits
from sentiment_platform.statistics.significance import paired_bootstrap
from sentiment_platform.statistics.softmax_regression import softmax
from sentiment_platform_tests.benchmarks.labelled_data import SPLIT, training_data
from sentiment_platform_tests.benchmarks.rows import TABLE, Figure

SEED = 1
TEXTS = 1_280
EPOCHS = 2
PLAIN: dict[str, Any] = {"length_buckets": False, "precision": "float32"}


@TABLE.row("F.8", "fine-tuning: sentences/s against the plain loop (fp32, random batches of 32) on the same texts, and macro-F1")
def fine_tuning() -> Iterator[Figure]:
    data = _sample()
    plain, fast = _run(data, **PLAIN), _run(data)
    speeds = {"plain_per_s": round(plain.sentences_per_s, 1), "fast_per_s": round(fast.sentences_per_s, 1)}
    explains = {
        **speeds,
        "precision": fast.compute.precision,
        "bfloat16_in_hardware": cpu_has_bfloat16(),
        "threads": fast.threads,
        "median_tokens": median(len(text.split()) for text in data.train.texts),
        "seed": SEED,
        "split": SPLIT,
    }
    ratio = fast.sentences_per_s / plain.sentences_per_s
    yield Figure("sentences/s, fast over plain", ratio, "", 2.2, EPOCHS * TEXTS, True, explains)
    answers = [
        softmax(network_logits(r.network, r.tokenizer_json, r.parameters.max_length, data.test.texts)) for r in (plain, fast)
    ]
    moved = paired_bootstrap(data.test.labels, *answers, seed=SEED)
    compared = {
        "plain_macro_f1": round(moved.a, 4),
        "fast_macro_f1": round(moved.b, 4),
        "interval": [round(moved.difference.low, 4), round(moved.difference.high, 4)],
    }
    yield Figure("macro-F1 that the fast loop loses", moved.a - moved.b, "", 0.005, len(data.test), explains=compared)


def _sample() -> TrainingData:
    """`TEXTS` training texts of PhraseBank, drawn once; few validation texts, since only training is timed."""
    data = training_data(("phrasebank",))
    rows = np.sort(np.random.default_rng(SEED).permutation(len(data.train))[:TEXTS])
    return replace(data, train=taken(data.train, rows), validation=taken(data.validation, np.arange(128)))


def _run(data: TrainingData, **parameters: Any) -> TrainedTransformer:
    given = {"epochs": EPOCHS, "patience": 0, "checkpoint_steps": 0, **parameters}
    return train_transformer(resolve_base(PACKAGED_MINILM), data, TrainingOptions(SEED, 0, given), _silent)


def _silent(_: Progress) -> None:
    """Progress is not part of the figure."""
