"""Training by products of thin matrices, and keeping what it changed in few numbers."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.family import TrainingOptions
from sentiment_platform.models.transformer.changes import DOWN, EXPONENTS, UP, changed, changed_matrices, changes_between
from sentiment_platform.models.transformer.graph_filling import graph_tensors, without_weights
from sentiment_platform.models.transformer.runtime import MODEL_FILE
from sentiment_platform.models.transformer.training.base import resolve_base
from sentiment_platform.models.transformer.training.checkpoints import STATE
from sentiment_platform.models.transformer.training.fine_tuning import TrainedTransformer, train_transformer
from sentiment_platform.models.transformer.training.low_rank import fold, widen
from sentiment_platform.models.transformer.training.network import build_network
from sentiment_platform.models.transformer.training.position import Epoch
from sentiment_platform_tests.models.conftest import TINY_PARAMETERS, TinyArtefact
from sentiment_platform_tests.models.tiny_transformer import tiny_data

pytestmark = pytest.mark.slow

RANK = 4
Tensors = dict[str, np.ndarray]


def tensors(network: object) -> Tensors:
    return {name: value.numpy() for name, value in network.state_dict().items()}  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def before(tiny_base: Path) -> Tensors:
    return tensors(build_network(tiny_base, "mean")[0])


@pytest.fixture(scope="module")
def trained(tiny_base: Path) -> TrainedTransformer:
    parameters = {**TINY_PARAMETERS, "rank": RANK, "learning_rate": 1e-2, "consistency": 0.0}
    options = TrainingOptions(seed=7, threads=1, parameters=parameters)
    return train_transformer(resolve_base(str(tiny_base)), tiny_data(), options, lambda _: None)


def test_few_numbers_learn_the_language_and_leave_embeddings_and_the_form_of_the_network_alone(
    trained: TrainedTransformer, before: Tensors
) -> None:
    assert trained.best.macro_f1 > 0.85
    after = tensors(trained.network)
    assert after.keys() == before.keys()
    embeddings = [name for name in before if "embeddings.weight" in name]
    assert embeddings
    assert all(np.array_equal(before[name], after[name]) for name in embeddings)
    assert all(weight.requires_grad for weight in trained.network.parameters())


def test_a_matrix_changes_by_the_rank_that_was_asked_for(trained: TrainedTransformer, before: Tensors) -> None:
    after = tensors(trained.network)
    matrices = [name for name in before if ".layer." in name and before[name].ndim == 2]
    for name in matrices:
        strengths = np.linalg.svd(after[name].astype(np.float64) - before[name], compute_uv=False)
        assert strengths[RANK - 1] > 1e-3 > 1e-5 > strengths[RANK]


def test_a_checkpoint_holds_only_what_is_trained_and_leads_to_the_same_weights(
    trained: TrainedTransformer, before: Tensors, tiny_base: Path, tmp_path: Path
) -> None:
    parameters = {**dataclasses.asdict(trained.parameters), "checkpoint_steps": 10}

    def go(on_epoch: Callable[[Epoch], None] | None = None) -> TrainedTransformer:
        options = TrainingOptions(seed=7, threads=1, parameters=parameters)
        return train_transformer(
            resolve_base(str(tiny_base)), tiny_data(), options, lambda _: None, checkpoints=tmp_path, on_epoch=on_epoch
        )

    def stop(epoch: Epoch) -> None:
        if epoch.epoch == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        go(stop)
    (state,) = tmp_path.rglob(STATE)
    kept = load_file(state)
    assert any(name.endswith("embeddings.weight") for name in before)
    assert not any(name.endswith("embeddings.weight") for name in kept)
    assert any(name.endswith(".up") for name in kept)
    resumed = go()
    assert resumed.resumed_from > 0
    after = tensors(resumed.network)
    assert all(np.array_equal(value, after[name]) for name, value in tensors(trained.network).items())


def test_folding_changes_no_answer(tiny_base: Path) -> None:
    import torch

    network, _ = build_network(tiny_base, "mean")
    widen(network, RANK)
    torch.manual_seed(1)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if name.endswith(".up"):
                weight.normal_(std=0.1)
    ids, mask = torch.arange(2, 12).reshape(2, 5), torch.ones((2, 5), dtype=torch.int64)
    wide = network.eval()(ids, mask)
    fold(network)
    assert torch.allclose(network(ids, mask), wide, atol=1e-5)
    # Negative control: without the products it answers otherwise.
    assert not torch.allclose(build_network(tiny_base, "mean")[0].eval()(ids, mask), wide, atol=1e-2)


def test_the_kept_changes_restore_the_weights_and_a_lower_rank_does_not(trained: TrainedTransformer, before: Tensors) -> None:
    after = {name: value for name, value in tensors(trained.network).items() if value.dtype == np.float32}
    known = {name: value for name, value in before.items() if name in after and not name.startswith("classifier")}

    def off(rank: int) -> float:
        restored = changed(known, changes_between(known, after, rank))
        assert restored.keys() == after.keys()
        return max(float(np.abs(restored[name] - after[name]).max()) for name in after)

    assert off(RANK) < 1e-4 < 1e-2 < off(1)


def test_the_product_of_kept_factors_is_exact_whatever_is_added_up_first() -> None:
    generator = np.random.default_rng(1)
    then, now = (generator.normal(size=(96, 64)).astype(np.float32) for _ in range(2))
    changes = changes_between({"w": then}, {"w": now}, 16)
    order = generator.permutation(16)
    other = {
        "w" + UP: changes["w" + UP][:, order],
        "w" + DOWN: changes["w" + DOWN][order],
        "w" + EXPONENTS: changes["w" + EXPONENTS],
    }
    assert changed_matrices(changes) == {"w"}
    assert np.array_equal(changed({"w": then}, changes)["w"], changed({"w": then}, other)["w"])


def test_a_graph_of_other_weights_is_refused(tiny_artefact: TinyArtefact) -> None:
    weights = tensors(tiny_artefact.trained.network)
    linear = {name for name, value in weights.items() if ".layer." in name and value.ndim == 2}
    model = (tiny_artefact.directory / MODEL_FILE).read_bytes()
    assert len(without_weights(model, graph_tensors(weights, linear))) < len(model)
    with pytest.raises(PermanentError, match="none of the network's weights"):
        without_weights(model, graph_tensors({name: value + 1 for name, value in weights.items()}, linear))
