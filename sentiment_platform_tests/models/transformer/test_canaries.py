"""A checkpoint's own head is used only with a label map that clear sentences prove."""

import itertools
import json
import os
from pathlib import Path

import pytest
import torch

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.family import LABELS, TrainingOptions
from sentiment_platform.models.transformer.tokens import encode, padded, tokenizer_from_json
from sentiment_platform.models.transformer.training.base import resolve_base
from sentiment_platform.models.transformer.training.canaries import CANARIES, verified_network
from sentiment_platform.models.transformer.training.fine_tuning import train_transformer
from sentiment_platform.models.transformer.training.network import tokenizer_json
from sentiment_platform_tests.models.tiny_transformer import tiny_data, write_tiny_checkpoint

FINBERT, FINBERT_TONE = ("positive", "negative", "neutral"), ("neutral", "positive", "negative")
"""The orders of two public checkpoints."""


@pytest.fixture(scope="module")
def sentiment_head(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny classifier whose outputs mean what FINBERT says, taught on the canaries."""
    from transformers import AutoModelForSequenceClassification

    directory = write_tiny_checkpoint(tmp_path_factory.mktemp("own-head"), id2label=dict(enumerate(FINBERT)))
    tokenizer = tokenizer_from_json(tokenizer_json(directory), 64)
    batch = padded(encode(tokenizer, list(itertools.chain(*CANARIES))), 0)
    targets = torch.tensor([FINBERT.index(label) for label, texts in zip(LABELS, CANARIES, strict=True) for _ in texts])
    with torch.random.fork_rng():
        torch.manual_seed(5)
        model = AutoModelForSequenceClassification.from_pretrained(directory)
        optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
        for _ in range(40):
            given = {"input_ids": torch.from_numpy(batch.input_ids), "attention_mask": torch.from_numpy(batch.attention_mask)}
            torch.nn.functional.cross_entropy(model(**given).logits, targets).backward()
            optimizer.step()
            optimizer.zero_grad()
    model.save_pretrained(directory)
    return directory


def renamed(source: Path, directory: Path, names: tuple[str, ...]) -> Path:
    """The same weights under another label map."""
    for file in source.iterdir():
        (directory / file.name).write_bytes(file.read_bytes())
    config = json.loads((directory / "config.json").read_text())
    config["id2label"] = {str(index): name for index, name in enumerate(names)}
    config["label2id"] = {name: index for index, name in enumerate(names)}
    (directory / "config.json").write_text(json.dumps(config))
    return directory


def answers(network: torch.nn.Module, path: Path) -> list[int]:
    tokenizer = tokenizer_from_json(tokenizer_json(path), 64)
    batch = padded(encode(tokenizer, [texts[0] for texts in CANARIES]), 0)
    with torch.no_grad():
        return network.eval()(torch.from_numpy(batch.input_ids), torch.from_numpy(batch.attention_mask)).argmax(1).tolist()


def test_a_true_map_is_accepted_and_answers_in_our_order(sentiment_head: Path) -> None:
    network, pooling = verified_network(sentiment_head, "auto")
    assert pooling == "own"
    assert answers(network, sentiment_head) == [0, 1, 2]


def test_the_order_of_another_public_checkpoint_is_refused_and_the_map_that_fits_is_named(
    sentiment_head: Path, tmp_path: Path
) -> None:
    wrong = renamed(sentiment_head, tmp_path, FINBERT_TONE)
    with pytest.raises(PermanentError, match=r"is wrong: only") as refused:
        train_transformer(resolve_base(str(wrong)), tiny_data(), TrainingOptions(threads=1), lambda _: None)
    assert "{0: 'positive', 1: 'negative', 2: 'neutral'}" in refused.value.remedy


@pytest.mark.parametrize("names", [("Bullish", "Bearish", "Neutral"), ("LABEL_0", "LABEL_1", "LABEL_2")])
def test_synonyms_are_checked_and_numbered_classes_are_told_apart_by_their_answers(
    sentiment_head: Path, tmp_path: Path, names: tuple[str, ...]
) -> None:
    network, pooling = verified_network(renamed(sentiment_head, tmp_path, names), "auto")
    assert pooling == "own"
    assert answers(network, tmp_path) == [0, 1, 2]


def test_a_head_that_knows_nothing_of_sentiment_is_refused_where_it_claims_to_and_replaced_where_it_does_not(
    tmp_path: Path,
) -> None:
    claims = write_tiny_checkpoint(tmp_path / "claims", id2label=dict(enumerate(LABELS)))
    with pytest.raises(PermanentError, match="No other map fits"):
        verified_network(claims, "auto")
    silent = write_tiny_checkpoint(tmp_path / "silent", id2label=dict(enumerate(("LABEL_0", "LABEL_1", "LABEL_2"))))
    assert verified_network(silent, "auto")[1] == "mean"
    with pytest.raises(PermanentError, match="under any label map"):
        verified_network(silent, "own")
    assert verified_network(claims, "mean")[1] == "mean", "a new layer needs no map"


def test_a_head_of_other_classes_starts_anew(tmp_path: Path) -> None:
    stars = write_tiny_checkpoint(tmp_path, id2label={number: f"{number + 1} stars" for number in range(5)})
    network, pooling = verified_network(stars, "auto")
    assert pooling == "own"
    assert len(answers(network, stars)) == 3


def test_a_real_checkpoint_answers_the_canaries() -> None:
    """SENTIMENT_TEST_CHECKPOINT: a directory, for example a clone of ProsusAI/finbert."""
    named = os.environ.get("SENTIMENT_TEST_CHECKPOINT")
    if not named:
        pytest.skip("no real checkpoint: SENTIMENT_TEST_CHECKPOINT names no directory")
    base = resolve_base(named)
    network, pooling = verified_network(base.path, "own")
    assert pooling == "own"
    assert answers(network, base.path) == [0, 1, 2]
