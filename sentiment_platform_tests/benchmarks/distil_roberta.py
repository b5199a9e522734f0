"""A transformer of DistilRoBERTa's shape (82 million parameters), or RoBERTa-base's (125 million), with random weights, written by the platform's own export.

It answers nonsense and costs what a trained one costs: the same graph, the same int8 tables, a byte-level vocabulary as large.
Left out of the export are training and its parity check, which say nothing about random weights.
"""

import json
import random
from pathlib import Path

import msgspec
import numpy as np

from sentiment_platform.features.schema import V1
from sentiment_platform.models.family import LABELS
from sentiment_platform.models.head.fitting import fit_head
from sentiment_platform.models.transformer.export import to_onnx
from sentiment_platform.models.transformer.quantization import QUANTIZATION, quantise_graph
from sentiment_platform.models.transformer.runtime import (
    CONFIG_FILE,
    FORMAT,
    HEAD_FILE,
    MODEL_FILE,
    TOKENIZER_FILE,
    TransformerConfig,
    open_scorer,
)
from sentiment_platform.models.transformer.training.network import build_network

VOCABULARY = 50_265
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
MAX_LENGTH = 256
SEED = 20260101
DISTILLED_LAYERS, BASE_LAYERS = 6, 12


def write_distil_roberta(directory: Path, checkpoint: Path, layers: int = DISTILLED_LAYERS) -> None:
    """Write the family's four files into `directory`."""
    config = TransformerConfig(
        format=FORMAT,
        labels=LABELS,
        max_length=MAX_LENGTH,
        base_model=f"random weights, RoBERTa's shape, {layers} layers",
        base_digest="0" * 64,
        pooling="own",
        quantization=QUANTIZATION,
    )
    (directory / CONFIG_FILE).write_bytes(msgspec.json.encode(config))
    (directory / TOKENIZER_FILE).write_text(json.dumps(byte_level_tokenizer()), "utf-8")
    _write_checkpoint(checkpoint, layers)
    network, _ = build_network(checkpoint, "own")
    (directory / MODEL_FILE).write_bytes(quantise_graph(to_onnx(network)).SerializeToString(deterministic=True))
    labels = np.arange(60, dtype=np.int64) % len(LABELS)
    logits = open_scorer(directory, config, threads=1).logits([f"Profit of unit {row}" for row in range(len(labels))])
    features = np.random.default_rng(SEED).normal(size=(len(labels), len(V1.names)))
    head = fit_head(logits, features, labels, V1.names, V1.version, l2=1.0)
    (directory / HEAD_FILE).write_bytes(msgspec.json.encode(head.to_json()))


def _write_checkpoint(directory: Path, layers: int) -> None:
    import torch
    from transformers import RobertaConfig, RobertaForSequenceClassification

    torch.manual_seed(SEED)
    config = RobertaConfig(
        vocab_size=VOCABULARY,
        num_hidden_layers=layers,
        max_position_embeddings=514,
        type_vocab_size=1,
        id2label=dict(enumerate(LABELS)),
        label2id={label: index for index, label in enumerate(LABELS)},
    )
    RobertaForSequenceClassification(config).save_pretrained(directory)


def byte_level_tokenizer() -> dict[str, object]:
    """A byte-level BPE tokenizer.json with `VOCABULARY` tokens, its merges drawn at random among the lower-case letters' tokens."""
    from tokenizers.pre_tokenizers import ByteLevel

    rng = random.Random(SEED)
    tokens = [*SPECIAL, *sorted(ByteLevel.alphabet())]
    known = set(tokens)
    words = [*"abcdefghijklmnopqrstuvwxyz", "Ġ"]
    merges: list[list[str]] = []
    while len(tokens) < VOCABULARY - 1:
        left, right = rng.choice(words), rng.choice(words)
        # Published vocabularies have a space at the start of a token only, and tokens of some eight letters.
        if left + right in known or "Ġ" in right or len(left + right) > 10:
            continue
        known.add(left + right)
        tokens.append(left + right)
        words.append(left + right)
        merges.append([left, right])
    tokens.append("<mask>")
    ids = {token: number for number, token in enumerate(tokens)}
    return {
        "version": "1.0",
        "added_tokens": [
            {
                "id": ids[token],
                "content": token,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
                "special": True,
            }
            for token in (*SPECIAL, "<mask>")
        ],
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
        "post_processor": {
            "type": "RobertaProcessing",
            "sep": ["</s>", ids["</s>"]],
            "cls": ["<s>", ids["<s>"]],
            "trim_offsets": True,
            "add_prefix_space": False,
        },
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {"type": "BPE", "unk_token": None, "vocab": ids, "merges": merges},
    }
