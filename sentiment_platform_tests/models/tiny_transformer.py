"""A very small BERT with a vocabulary of its own and a made-up headline language, so that the transformer's code runs in seconds."""

import dataclasses
import itertools
from pathlib import Path

import numpy as np

from sentiment_platform.models.family import LABELS, LabelledTexts, TrainingData
from sentiment_platform.models.transformer.training.stages import taken
from sentiment_platform.store.training_sets import StoredExample

COMPANIES = ("Alder", "Brookvale", "Cormorant", "Dunmore", "Eastgate", "Fenwick", "Glenmoor", "Harrow")
PREDICATES = (
    ("profit fell sharply", "cut its outlook", "lost a large contract", "reported a wider loss", "warned on margins"),
    ("will publish its report", "moved its headquarters", "named an auditor", "held its annual meeting", "kept its name"),
    ("profit rose strongly", "raised its outlook", "won a large contract", "narrowed its loss", "beat every forecast"),
)
ENDINGS = ("on Monday", "in the quarter", "this year", "after a review", "in a short statement", "")
GOLDEN = (("Alder profit fell sharply", 0), ("Alder named an auditor", 1), ("Alder won a large contract", 2))


def sentences() -> list[tuple[str, int]]:
    """Every combination with its label, in a fixed shuffled order."""
    made = [
        (f"{company} {predicate} {ending}".strip(), label)
        for company, ending in itertools.product(COMPANIES, ENDINGS)
        for label, predicates in enumerate(PREDICATES)
        for predicate in predicates
    ]
    return [made[row] for row in np.random.default_rng(3).permutation(len(made))]


def tiny_data(n_train: int = 240, n_other: int = 60) -> TrainingData:
    """Three parts without a common sentence; two features, one of them often missing, neither of them informative."""
    rows = sentences()
    generator = np.random.default_rng(4)

    def part(name: str, start: int, n: int) -> LabelledTexts:
        chosen = rows[start : start + n]
        features = generator.normal(size=(n, 2))
        features[generator.random(n) < 0.5, 1] = np.nan
        return LabelledTexts(
            ids=[f"{name}-{index}" for index in range(n)],
            texts=[text for text, _ in chosen],
            labels=np.array([label for _, label in chosen], dtype=np.int64),
            features=features,
        )

    return TrainingData(
        digest="digest-of-the-tiny-data",
        feature_schema="v1",
        feature_names=("length", "age"),
        train=part("train", 0, n_train),
        validation=part("validation", n_train, n_other),
        test=part("test", n_train + n_other, n_other),
    )


def with_wrong_labels(data: TrainingData) -> tuple[TrainingData, set[str]]:
    """A seventh of the training labels is another one; also the ids of these texts."""
    generator = np.random.default_rng(1)
    wrong = generator.random(len(data.train)) < 0.15
    labels = np.where(wrong, (data.train.labels + generator.integers(1, 3, len(wrong))) % 3, data.train.labels)
    ids = {key for key, is_wrong in zip(data.train.ids, wrong, strict=True) if is_wrong}
    return dataclasses.replace(data, train=dataclasses.replace(data.train, labels=labels)), ids


def write_tiny_checkpoint(directory: Path, *, id2label: dict[int, str] | None = None) -> Path:
    """A BERT of 2 layers and 64 units with random weights; with `id2label` it also has a classification head."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertForSequenceClassification, BertModel

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    # The language's own words and letters, sorted: a trained vocabulary would be numbered anew, and the model be another, in every process.
    words = {word for text, _ in sentences() for word in text.lower().split()}
    pieces = sorted(words) + [f"{mark}{letter}" for mark in ("", "##") for letter in "abcdefghijklmnopqrstuvwxyz"]
    vocabulary = {piece: number for number, piece in enumerate([*special, *dict.fromkeys(pieces)])}
    tokenizer = Tokenizer(models.WordPiece(vocab=vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[(token, tokenizer.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    )
    config = BertConfig(
        vocab_size=5_000,  # more than the language needs, so that the table is worth quantising
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=128,
        max_position_embeddings=128,
    )
    if id2label is not None:
        config.id2label = id2label
        config.label2id = {name: index for index, name in id2label.items()}
    with torch.random.fork_rng():
        torch.manual_seed(11)
        model = BertModel(config) if id2label is None else BertForSequenceClassification(config)
    directory.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(directory)
    tokenizer.save(str(directory / "tokenizer.json"))
    return directory


def write_tiny_mpnet(directory: Path) -> Path:
    """An MPNet of 2 layers and 64 units with random weights: RoBERTa's special tokens, and BERT's padding token left in the vocabulary."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import MPNetConfig, MPNetModel

    special = ["<s>", "<pad>", "</s>", "<unk>", "[PAD]"]
    words = sorted({word for text, _ in sentences() for word in text.lower().split()})
    tokenizer = Tokenizer(models.WordPiece(vocab={piece: n for n, piece in enumerate([*special, *words])}, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    config = MPNetConfig(
        vocab_size=500,
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=128,
        max_position_embeddings=66,
        pad_token_id=1,
    )
    with torch.random.fork_rng():
        torch.manual_seed(11)
        model = MPNetModel(config)
    directory.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(directory)
    tokenizer.save(str(directory / "tokenizer.json"))
    return directory


KNOWN = 200


def earlier(data: TrainingData, digest: str = "earlier") -> TrainingData:
    """The same data before the last 40 training texts arrived."""
    return dataclasses.replace(data, digest=digest, train=taken(data.train, np.arange(KNOWN)))


def stored(data: TrainingData) -> list[StoredExample]:
    def part(name: str, texts: LabelledTexts) -> list[StoredExample]:
        rows = zip(texts.ids, texts.texts, texts.labels, strict=True)
        return [
            StoredExample(
                example_id=key,
                part=name,
                text=text,
                label=LABELS[label],
                label_set="made",
                story_id=key,
                available_at=None,
                features=(None,) * 15,
            )
            for key, text, label in rows
        ]

    return [*part("train", data.train), *part("validation", data.validation), *part("test", data.test)]
