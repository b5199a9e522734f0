"""The small parts of transformer training: knobs, tokens, batches, layers, label order, device."""

from pathlib import Path

import numpy as np
import pytest
import torch

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.family import LabelledTexts
from sentiment_platform.models.transformer.tokens import encode, length_buckets, padded, tokenizer_from_json
from sentiment_platform.models.transformer.training.base import PACKAGED_MINILM, resolve_base
from sentiment_platform.models.transformer.training.device import Compute, choose_compute
from sentiment_platform.models.transformer.training.network import build_network, label_order, tokenizer_json
from sentiment_platform.models.transformer.training.optimizer import build_optimizer, class_weights, set_rate
from sentiment_platform.models.transformer.training.parameters import (
    TransformerParameters,
    chosen_for,
    epochs_for,
    learning_rate_for,
    transformer_parameters,
)
from sentiment_platform.models.transformer.training.position import condensed
from sentiment_platform.models.transformer.training.stages import judging_rows, row_weights, stages_for
from sentiment_platform_tests.models.tiny_transformer import write_tiny_checkpoint


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"learning_rat": 1e-4}, "Unknown parameters"),
        ({"epochs": "3"}, "has the wrong type"),
        ({"epochs": True}, "has the wrong type"),
        ({"batch_size": 0}, "out of range"),
        ({"learning_rate": -1e-4}, "out of range"),
        ({"learning_rate": float("nan")}, "out of range"),
        ({"device": "tpu"}, "Choose one of"),
        ({"length_buckets": 1}, "has the wrong type"),
        ({"target_sets": "one"}, "has the wrong type"),
        ({"set_weights": {"one": -1.0}}, "out of range"),
        ({"layer_decay": 1.1}, "out of range"),
    ],
)
def test_parameters_that_are_unknown_mistyped_or_out_of_range_are_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(PermanentError, match=message):
        transformer_parameters(values)


def test_parameters_keep_their_defaults_where_nothing_is_given() -> None:
    assert transformer_parameters({}) == TransformerParameters()
    assert transformer_parameters({"epochs": 2, "learning_rate": 1}).learning_rate == 1


def test_small_sets_get_more_passes_than_large_ones() -> None:
    passes = [epochs_for(n) for n in (1, 500, 4_000, 20_000)]
    assert passes == sorted(passes, reverse=True)
    assert passes[0] > passes[-1] >= 2


def test_narrow_encoders_and_few_texts_get_higher_rates() -> None:
    rates = [
        learning_rate_for(384, 500),
        learning_rate_for(384, 4_000),
        learning_rate_for(768, 500),
        learning_rate_for(768, 4_000),
    ]
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] == 3e-5


def test_wide_encoders_learn_by_thin_products_from_labels_alone_unless_somebody_says_otherwise() -> None:
    narrow, wide = (chosen_for(TransformerParameters(), width, 16_000) for width in (384, 768))
    assert (narrow.rank, narrow.consistency, narrow.distillation_share, narrow.epochs, narrow.learning_rate) == (
        0,
        1.0,
        0.3,
        3,
        1.5e-4,
    )
    assert (wide.rank, wide.consistency, wide.distillation_share, wide.epochs, wide.learning_rate) == (16, 0.0, 0.0, 2, 6e-4)
    said = TransformerParameters(rank=0, consistency=0.5, distillation_share=0.2, epochs=4, learning_rate=1e-5)
    assert chosen_for(said, 768, 16_000) == chosen_for(said, 384, 16_000) == said


def test_buckets_hold_every_row_once_and_pad_far_less_than_random_batches() -> None:
    lengths = np.random.default_rng(1).integers(5, 80, size=500)
    batches = length_buckets(lengths, 32, np.random.default_rng(2))
    assert sorted(np.concatenate(batches).tolist()) == list(range(500))
    padding = sum(int(lengths[rows].max() * len(rows) - lengths[rows].sum()) for rows in batches)
    shuffled = np.random.default_rng(2).permutation(500)
    at_random = [shuffled[start : start + 32] for start in range(0, 500, 32)]
    plain = sum(int(lengths[rows].max() * len(rows) - lengths[rows].sum()) for rows in at_random)
    assert padding < plain / 7
    firsts = [int(lengths[rows].min()) for rows in batches]
    assert firsts != sorted(firsts), "the order of batches must not follow length"


def test_no_batch_is_the_same_in_the_next_pass() -> None:
    """Sorted as a whole, texts of a length always meet the same others: 40 steps so lost 4 points of macro-F1 to random batches."""
    generator = np.random.default_rng(3)
    first, second = ({frozenset(rows.tolist()) for rows in length_buckets(np.arange(1_000), 32, generator)} for _ in range(2))
    assert len(first) == 32
    assert not first & second


def test_tokens_are_cut_at_the_longest_length_and_padding_is_masked(tiny_base: Path) -> None:
    tokenizer = tokenizer_from_json(tokenizer_json(tiny_base), 8)
    rows = encode(tokenizer, ["profit " * 50, "profit"])
    assert [len(row) for row in rows] == [8, 3]
    assert rows[0][-1] == tokenizer.token_to_id("[SEP]"), "a cut text still ends as the encoder expects"
    batch = padded(rows, 0)
    assert batch.attention_mask.sum(axis=1).tolist() == [8, 3]
    assert (batch.input_ids[1, 3:] == 0).all()


def test_a_broken_tokenizer_is_a_permanent_error() -> None:
    with pytest.raises(PermanentError, match="cannot be read"):
        tokenizer_from_json('{"version": "1.0"}', 8)


def test_a_checkpoints_own_labels_are_put_into_our_order() -> None:
    assert label_order({0: "positive", 1: "negative", 2: "neutral"}) == [1, 2, 0]
    assert label_order({0: "Bearish", 1: "Bullish", 2: "Neutral"}) == [0, 2, 1]
    assert label_order({0: "LABEL_0", 1: "LABEL_1", 2: "LABEL_2"}) is None


def test_logits_of_a_checkpoint_with_its_own_head_come_in_our_order(tmp_path: Path) -> None:
    from transformers import AutoModelForSequenceClassification

    write_tiny_checkpoint(tmp_path, id2label={0: "positive", 1: "negative", 2: "neutral"})
    network, pooling = build_network(tmp_path, "auto")
    ids, mask = torch.tensor([[2, 9, 12, 3]]), torch.ones((1, 4), dtype=torch.long)
    raw = AutoModelForSequenceClassification.from_pretrained(tmp_path).eval()(input_ids=ids, attention_mask=mask).logits
    ours = network.eval()(ids, mask)
    assert pooling == "own"
    assert torch.allclose(ours, raw[:, [1, 2, 0]], atol=1e-6)
    assert not torch.allclose(ours, raw, atol=1e-6), "without the reordering this test must fail"


def test_an_encoder_without_a_head_gets_one_on_the_mean_of_its_tokens(tiny_base: Path) -> None:
    network, pooling = build_network(tiny_base, "auto")
    ids = torch.tensor([[2, 9, 12, 3, 0, 0]])
    mask = torch.tensor([[1, 1, 1, 1, 0, 0]])
    network.eval()
    assert pooling == "mean"
    assert torch.allclose(network(ids, mask), network(ids[:, :4], mask[:, :4]), atol=1e-5), "padding must not count"


def test_a_directory_that_transformers_cannot_read_is_a_permanent_error(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "no-such-model"}', "utf-8")
    with pytest.raises(PermanentError, match="cannot be loaded"):
        build_network(tmp_path, "auto")


def test_rare_classes_weigh_more_and_weights_average_to_one_over_the_rows() -> None:
    labels = np.array([0] * 10 + [1] * 60 + [2] * 30)
    weights = class_weights(labels, 0.5)
    assert weights[0] > weights[2] > weights[1]
    assert weights[labels].mean() == pytest.approx(1.0)
    assert class_weights(labels, 0.0).tolist() == [1.0, 1.0, 1.0]
    assert class_weights(np.array([1, 1, 2]), 1.0)[0] == 0.0


def test_the_rate_rises_in_the_warm_up_and_falls_to_zero_at_the_end(tiny_base: Path) -> None:
    network, _ = build_network(tiny_base, "mean")
    optimizer = build_optimizer(network, TransformerParameters(), 1.0)
    rates = []
    for step in range(11):
        set_rate(optimizer, step, 10, 0.2)
        rates.append(optimizer.param_groups[0]["lr"])
    assert rates[:2] == [0.5, 1.0]
    assert rates[1:] == sorted(rates[1:], reverse=True)
    assert 0.0 < rates[9] <= 0.125
    assert rates[10] == 0.0


def test_lower_layers_move_more_slowly_and_vectors_do_not_decay(tiny_base: Path) -> None:
    network, _ = build_network(tiny_base, "mean")
    optimizer = build_optimizer(network, TransformerParameters(layer_decay=0.5), 0.8)
    named = {id(weight): name for name, weight in network.named_parameters()}
    peaks = {named[id(weight)]: group["peak"] for group in optimizer.param_groups for weight in group["params"]}
    decays = {named[id(weight)]: group["weight_decay"] for group in optimizer.param_groups for weight in group["params"]}
    assert len(peaks) == len(named), "every weight is trained"
    assert peaks["classifier.weight"] == 0.8
    assert peaks["encoder.encoder.layer.1.output.dense.weight"] == pytest.approx(0.4)
    assert peaks["encoder.encoder.layer.0.output.dense.weight"] == pytest.approx(0.2)
    assert peaks["encoder.embeddings.word_embeddings.weight"] == pytest.approx(0.1)
    assert (decays["classifier.weight"], decays["classifier.bias"]) == (0.01, 0.0)
    assert len(build_optimizer(network, TransformerParameters(), 0.8).param_groups) == 2, "one rate for all unless asked"


def of_sets(*names: str) -> LabelledTexts:
    n = len(names)
    return LabelledTexts(
        ids=[str(i) for i in range(n)],
        texts=["text"] * n,
        labels=np.zeros(n, dtype=np.int64),
        features=np.zeros((n, 1)),
        label_sets=names,
    )


def test_target_sets_are_trained_last_at_half_the_rate_and_judge_the_epoch() -> None:
    parameters = TransformerParameters(epochs=2, learning_rate=4e-4, target_sets=("b",), target_epochs=5, set_weights={"a": 0.25})
    texts = of_sets("a", "b", "a", "b", "c")
    first, second = stages_for(parameters, texts)
    assert (first.rows.tolist(), first.epochs, first.learning_rate) == ([0, 1, 2, 3, 4], 2, 4e-4)
    assert (second.rows.tolist(), second.epochs, second.learning_rate) == ([1, 3], 5, 2e-4)
    assert row_weights(parameters, texts).tolist() == [0.25, 1.0, 0.25, 1.0, 1.0]
    assert judging_rows(parameters, texts).tolist() == [1, 3]
    assert judging_rows(parameters, of_sets("a", "c")).tolist() == [0, 1], "without a text of the target sets all judge"
    assert len(stages_for(TransformerParameters(epochs=1, learning_rate=1e-4), texts)) == 1


@pytest.mark.parametrize("parameters", [TransformerParameters(target_sets=("d",)), TransformerParameters(set_weights={"d": 2.0})])
def test_a_label_set_without_texts_is_refused(parameters: TransformerParameters) -> None:
    with pytest.raises(PermanentError, match=r"label sets \['d'\]"):
        stages_for(parameters, of_sets("a", "b"))


def test_a_condensed_curve_covers_every_step() -> None:
    losses = [float(n) for n in range(250)]
    curve = condensed(losses)
    assert len(curve) == 100
    assert curve[-1][0] == 250
    widths = np.diff([0, *[step for step, _ in curve]])
    assert float(widths @ np.array([value for _, value in curve])) == pytest.approx(sum(losses), abs=0.1)
    assert condensed([2.0]) == [(1, 2.0)]


def test_a_device_that_is_not_here_is_refused() -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    with pytest.raises(PermanentError, match="'cuda' is not available"):
        choose_compute("cuda", "auto")
    assert choose_compute("auto", "float32").device in ("cpu", "mps")


@pytest.mark.parametrize(
    ("cuda", "cuda_bfloat16", "mps", "cpu_instructions", "expected"),
    [
        (True, True, False, {}, ("cuda", "bfloat16")),
        (True, False, True, {"amx_bf16": True}, ("cuda", "float16")),
        (False, False, True, {"amx_bf16": True}, ("mps", "float16")),
        (False, False, False, {"avx512_bf16": True}, ("cpu", "bfloat16")),
        (False, False, False, {"amx_bf16": True, "avx512_bf16": False}, ("cpu", "bfloat16")),
        (False, False, False, {"avx512_vnni": True}, ("cpu", "float32")),
    ],
)
def test_auto_takes_the_best_device_and_mixed_precision_where_the_hardware_has_it(
    cuda: bool,
    cuda_bfloat16: bool,
    mps: bool,
    cpu_instructions: dict[str, bool],
    expected: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What torch says about hardware that is not here is the one thing replaced."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: cuda_bfloat16)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: cpu_instructions)
    chosen = choose_compute("auto", "auto")
    assert (chosen.device, chosen.precision) == expected
    assert choose_compute("auto", "float32") == Compute(chosen.device, "float32")
    assert choose_compute("cpu", "bfloat16") == Compute("cpu", "bfloat16")
    assert torch.amp.is_autocast_available(chosen.device)


@pytest.mark.parametrize(("precision", "scaled"), [("float16", True), ("bfloat16", False), ("float32", False)])
def test_the_loss_is_scaled_in_float16_alone(precision: str, scaled: bool) -> None:
    for device in ("cpu", "mps"):
        assert Compute(device, precision).scaler().is_enabled() is scaled


def test_the_tokenizer_of_the_packaged_minilm_neither_pads_nor_cuts_at_its_own_length() -> None:
    tokenizer = tokenizer_from_json(tokenizer_json(resolve_base(PACKAGED_MINILM).path), 256)
    assert [len(row) for row in encode(tokenizer, ["Profit rose.", "profit " * 300])] == [5, 256]
