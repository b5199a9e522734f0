"""What int8 gives and costs: speed at batch 1, size, and macro-F1 of a transformer trained on real sentences."""

import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from sentiment_platform.models.evaluation.evaluation import predict_sorted
from sentiment_platform.models.family import LABELS, TrainingOptions
from sentiment_platform.models.head.head import CalibrationHead
from sentiment_platform.models.transformer.export import to_onnx
from sentiment_platform.models.transformer.family import TransformerFamily
from sentiment_platform.models.transformer.quantization import quantise_graph
from sentiment_platform.models.transformer.runtime import MODEL_FILE, OnnxScorer, OnnxTransformer, load_transformer, open_session
from sentiment_platform.models.transformer.tokens import pad_id_of, tokenizer_from_json
from sentiment_platform.models.transformer.training.base import PACKAGED_MINILM, resolve_base
from sentiment_platform.models.transformer.training.network import build_network
from sentiment_platform.statistics.significance import paired_bootstrap
from sentiment_platform_tests.benchmarks.labelled_data import SPLIT, training_data
from sentiment_platform_tests.benchmarks.rows import TABLE, Figure

LENGTHS = (16, 32, 64)
ROUNDS = 15
SEED = 1
TRAINING_S = 120.0
SHAPES = ("BERT-base (random weights)", "MiniLM, 6 layers of 384")


@TABLE.row("F.9", "int8 against fp32: speed at batch 1, size, macro-F1")
def int8() -> Iterator[Figure]:
    with TemporaryDirectory() as folder:
        write_bert_base(Path(folder))
        paths = (Path(folder), resolve_base(PACKAGED_MINILM).path)
        for shape, path in zip(SHAPES, paths, strict=True):
            network, _ = build_network(path, "auto")
            fp32 = to_onnx(network)
            yield from _speed_and_size(shape, fp32.SerializeToString(), quantise_graph(fp32).SerializeToString())
    yield _macro_f1()


def _speed_and_size(shape: str, fp32: bytes, int8: bytes) -> Iterator[Figure]:
    """The processor time of one thread: other processes disturb it less than the clock's time."""
    sessions = (plain_session(fp32), open_session(int8, 1))
    for length in LENGTHS:
        ids = np.random.default_rng(length).integers(1000, 30_000, size=(1, length))
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        taken: list[list[float]] = [[], []]
        for _ in range(ROUNDS):
            for session, times in zip(sessions, taken, strict=True):
                began = time.thread_time()
                session.run(None, feed)
                times.append(time.thread_time() - began)
        slow, fast = (float(np.median(times[1:])) for times in taken)
        explains = {"fp32_ms": round(slow * 1e3, 2), "int8_ms": round(fast * 1e3, 2), "threads": 1}
        yield Figure(f"{shape}, {length} tokens: fp32 time over int8 time", slow / fast, "", 3.0, ROUNDS, True, explains)
    yield Figure(f"{shape}: size of int8 over fp32", len(int8) / len(fp32), "", 0.30, 1, explains={"int8_bytes": len(int8)})


def _macro_f1() -> Figure:
    data = training_data(("phrasebank",))
    family = TransformerFamily(PACKAGED_MINILM)
    trained = family.train(data, TrainingOptions(seed=SEED, parameters={"max_seconds": TRAINING_S}), lambda _: None)
    with TemporaryDirectory() as folder:
        report = family.export(trained, data, Path(folder), lambda _: None)
        served = load_transformer(Path(folder))
        size = (Path(folder) / MODEL_FILE).stat().st_size
    tokenizer = tokenizer_from_json(trained.tokenizer_json, trained.parameters.max_length)
    session = open_session(to_onnx(trained.network).SerializeToString(), 1)
    # The head of the int8 graph over both: only the graphs differ.
    head: CalibrationHead = served.head
    exact = OnnxTransformer(OnnxScorer(session, tokenizer, pad_id_of(trained.tokenizer_json)), head, served.config)
    answers = [predict_sorted(model, data.test.texts, data.test.features) for model in (exact, served)]
    moved = paired_bootstrap(data.test.labels, *answers, seed=SEED)
    agreement = float((answers[0].argmax(axis=1) == answers[1].argmax(axis=1)).mean())
    explains = {
        "split": SPLIT,
        "seed": SEED,
        "fp32_macro_f1": round(moved.a, 4),
        "int8_macro_f1": round(moved.b, 4),
        "interval": [round(moved.difference.low, 4), round(moved.difference.high, 4)],
        "agreement": round(agreement, 4),
        "int8_bytes": size,
        "parity_on_validation": dict(report.figures["parity"]),
    }
    lost = moved.a - moved.b
    return Figure(
        "MiniLM on the test part of PhraseBank 50Agree: macro-F1 lost by int8", lost, "", 0.005, len(data.test), explains=explains
    )


def plain_session(content: bytes) -> Any:
    """fp32 as onnxruntime runs it by itself, every optimisation on."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def write_bert_base(directory: Path) -> None:
    """A checkpoint of the shape of ProsusAI/finbert, its weights random."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    torch.manual_seed(SEED)
    config = BertConfig(id2label=dict(enumerate(LABELS)), label2id={label: index for index, label in enumerate(LABELS)})
    BertForSequenceClassification(config).save_pretrained(directory)
