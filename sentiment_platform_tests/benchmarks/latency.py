"""How long one text takes: a transformer by number of tokens (S4.6), VADER inside the API's handler (S4.1).

SENTIMENT_BENCH_MODEL names the directory of an exported transformer that S4.6 measures as well, and F.10 instead of its own.
"""

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import numpy as np

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.family import LABELS, Floats
from sentiment_platform.models.transformer.export import to_onnx
from sentiment_platform.models.transformer.quantization import QUANTIZATION, quantise_graph
from sentiment_platform.models.transformer.runtime import (
    FORMAT,
    MODEL_FILE,
    TOKENIZER_FILE,
    OnnxScorer,
    TransformerConfig,
    load_transformer,
    open_scorer,
)
from sentiment_platform.models.transformer.training.base import PACKAGED_MINILM, resolve_base
from sentiment_platform.models.transformer.training.network import build_network, tokenizer_json
from sentiment_platform_tests.benchmarks.export import write_bert_base
from sentiment_platform_tests.benchmarks.features import headline
from sentiment_platform_tests.benchmarks.rows import MODEL_VARIABLE, TABLE, Figure
from sentiment_platform_tests.benchmarks.serving_start import local_settings, publisher
from sentiment_platform_tests.models.tiny_transformer import sentences, write_tiny_checkpoint
from sentiment_platform_tests.serving.running import ServingProcess

LENGTHS = (16, 32, 64, 128)
ROUNDS = 5
CALLS = 40
"""Texts of one round of a transformer."""
TINY_LIMIT_MS = 50.0
LIMIT_MS = 100.0
VADER_LIMIT_MS = 10.0
REQUESTS = 512
"""Texts of one round of VADER; no two of all rounds are the same."""
CHARACTERS = (64, 128, 256, 512)


@dataclass(frozen=True)
class Latency:
    """Milliseconds of one call: the medians over the rounds of each round's own quantiles.

    Those of the processor count the calling thread alone: a busy neighbour hardly disturbs them.
    """

    p50_ms: float
    p95_ms: float
    processor_p50_ms: float
    processor_p95_ms: float
    rounds_p95_ms: tuple[float, ...]

    def document(self, prefix: str = "") -> dict[str, float]:
        """The single figures, their names after `prefix`."""
        names = ("p50_ms", "p95_ms", "processor_p50_ms", "processor_p95_ms")
        return {f"{prefix}{name}": _rounded(getattr(self, name)) for name in names}


@TABLE.row("S4.6", "transformers as served (int8, one thread, batch 1): p95 of one text by number of tokens")
def by_tokens() -> Iterator[Figure]:
    minilm = resolve_base(PACKAGED_MINILM).path
    with TemporaryDirectory() as folder:
        tiny, bert_base = Path(folder) / "tiny", Path(folder) / "bert-base"
        write_tiny_checkpoint(tiny)
        write_bert_base(bert_base)
        for name, checkpoint, vocabulary, limit_ms in (
            ("tiny, 2 layers of 64", tiny, tiny, TINY_LIMIT_MS),
            ("MiniLM, 6 layers of 384", minilm, minilm, LIMIT_MS),
            # Its vocabulary is BERT-base's.
            ("BERT-base (random weights), 12 layers of 768", bert_base, minilm, LIMIT_MS),
        ):
            int8, fp32 = Path(folder) / f"{name} int8", Path(folder) / f"{name} fp32"
            _write_graphs(checkpoint, vocabulary, int8, fp32)
            yield from latency_figures(name, int8, _config(name), limit_ms, fp32=fp32)
    if named := os.environ.get(MODEL_VARIABLE):
        # Loaded as serving loads it, so that a directory which serving would refuse is refused here.
        config = load_transformer(Path(named)).config
        yield from latency_figures(f"{config.base_model}, {MODEL_VARIABLE}", Path(named), config, LIMIT_MS)


def latency_figures(
    name: str,
    directory: Path,
    config: TransformerConfig,
    limit_ms: float,
    *,
    fp32: Path | None = None,
    lengths: Sequence[int] = LENGTHS,
) -> Iterator[Figure]:
    """p95 of the scorer in `directory` for each length that it can read; of the one in `fp32`, in turns with it, as an explanation."""
    for length in lengths:
        if length > config.max_length:
            continue
        # The cut at the longest length makes every text exactly that long.
        cut = msgspec.structs.replace(config, max_length=length)
        scorers = [open_scorer(place, cut, threads=1) for place in (directory, fp32) if place is not None]
        found, *exact = time_texts(scorers, texts_of_words(length))
        explains: dict[str, Any] = {**found.document(), "rounds_p95_ms": [_rounded(value) for value in found.rounds_p95_ms]}
        for other in exact:
            explains |= other.document("fp32_")
        explains |= {"tokens": length, "threads": 1, "calls_of_a_round": CALLS, "quantization": config.quantization}
        yield Figure(f"{name}, {length} tokens: p95 of one text", found.p95_ms, "ms", limit_ms, ROUNDS, explains=explains)


def time_texts(scorers: Sequence[OnnxScorer], texts: Sequence[str]) -> list[Latency]:
    """Each scorer on each text by itself, from the text to the logits; the first pass of all is not a round."""
    rounds: list[list[list[tuple[float, float]]]] = [[] for _ in scorers]
    for _ in range(ROUNDS + 1):
        for scorer, taken in zip(scorers, rounds, strict=True):
            taken.append([_milliseconds(scorer, text) for text in texts])
    return [_over_rounds(np.array(taken[1:])) for taken in rounds]


def texts_of_words(count: int) -> list[str]:
    """`CALLS` texts of `count` words, which are more than `count` tokens in any vocabulary: two more are special."""
    words = [word for text, _ in sentences() for word in text.split()]
    return [" ".join((words[start:] + words)[:count]) for start in range(0, CALLS * 7, 7)]


@TABLE.row("S4.1", "VADER inside the API's handler, texts of up to 512 characters one after another")
def vader_handler() -> Iterator[Figure]:
    with local_settings() as settings, publisher(settings) as publish:
        publish.deploy(publish.model())
        serving = ServingProcess(settings)
        try:
            serving.start()
            for number in range(REQUESTS):
                _asked(serving, -1 - number)
            asked = [[_asked(serving, at * REQUESTS + number) for number in range(REQUESTS)] for at in range(ROUNDS)]
        finally:
            serving.stop()
    times = np.array(asked)  # (rounds, requests, stated and waited)
    p50, p99 = (np.median(np.quantile(times, share, axis=1), axis=0) for share in (0.5, 0.99))
    explains: dict[str, Any] = {
        "rounds_p99_ms": [_rounded(value) for value in np.quantile(times[:, :, 0], 0.99, axis=1)],
        "client_p50_ms": _rounded(p50[1]),
        "client_p99_ms": _rounded(p99[1]),
        "largest_ms": _rounded(times[:, :, 0].max()),
        "distinct_texts": ROUNDS * REQUESTS,
        "characters": list(CHARACTERS),
    }
    yield Figure("stated response time, p99", float(p99[0]), "ms", VADER_LIMIT_MS, ROUNDS, explains=explains)
    yield Figure("stated response time, p50", float(p50[0]), "ms", VADER_LIMIT_MS, ROUNDS)


def _asked(serving: ServingProcess, number: int) -> tuple[float, float]:
    """Milliseconds that the answer to text `number` states, and that the client waited."""
    text = ". ".join(headline(number * 16 + part) for part in range(16))[: CHARACTERS[number % len(CHARACTERS)]]
    began = time.perf_counter()
    answer = serving.predict(text, "/predict/vader", traffic="load_test")
    waited_ms = (time.perf_counter() - began) * 1e3
    if answer["performance"]["cache_hit"] or answer["prediction"]["model_used"] != "vader" or answer["degraded"]:
        raise PermanentError(f"No plain answer of VADER: {answer}", remedy="Ask texts that nobody has asked before.")
    return answer["performance"]["response_time_ms"], waited_ms


def _write_graphs(checkpoint: Path, vocabulary: Path, int8: Path, fp32: Path) -> None:
    """What a scorer is opened from, once as it is served and once before quantisation."""
    network, _ = build_network(checkpoint, "auto")
    graph = to_onnx(network)
    for directory, made in ((fp32, graph), (int8, quantise_graph(graph))):
        directory.mkdir()
        (directory / MODEL_FILE).write_bytes(made.SerializeToString())
        (directory / TOKENIZER_FILE).write_text(tokenizer_json(vocabulary), "utf-8")


def _config(name: str) -> TransformerConfig:
    return TransformerConfig(
        format=FORMAT,
        labels=LABELS,
        max_length=max(LENGTHS),
        base_model=name,
        base_digest="0" * 64,
        pooling="auto",
        quantization=QUANTIZATION,
    )


def _milliseconds(scorer: OnnxScorer, text: str) -> tuple[float, float]:
    """By the clock, and of this thread's processor."""
    began, worked = time.perf_counter(), time.thread_time()
    scorer.logits([text])
    return (time.perf_counter() - began) * 1e3, (time.thread_time() - worked) * 1e3


def _over_rounds(times_ms: Floats) -> Latency:
    """From (rounds, texts, clock and processor)."""
    p50, p95 = (np.quantile(times_ms, share, axis=1) for share in (0.5, 0.95))
    (clock_p50, worked_p50), (clock_p95, worked_p95) = np.median(p50, axis=0), np.median(p95, axis=0)
    return Latency(float(clock_p50), float(clock_p95), float(worked_p50), float(worked_p95), tuple(p95[:, 0]))


def _rounded(value: float) -> float:
    return round(float(value), 3)
