"""Fine-tuning: it learns, it is reproducible, it stops when told."""

import dataclasses
import math
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import entropy

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.family import LabelledTexts, Progress, TrainingData, TrainingOptions
from sentiment_platform.models.transformer.tokens import encode, pad_id_of, padded, tokenizer_from_json
from sentiment_platform.models.transformer.training.base import resolve_base
from sentiment_platform.models.transformer.training.fine_tuning import TrainedTransformer, train_transformer
from sentiment_platform.models.transformer.training.optimizer import disagreement
from sentiment_platform_tests.models.conftest import TINY_PARAMETERS, TinyArtefact
from sentiment_platform_tests.models.tiny_transformer import tiny_data

pytestmark = pytest.mark.slow

SHORT = {**TINY_PARAMETERS, "epochs": 2}


def ignore(_: Progress) -> None:
    pass


def short_run(base: str, seed: int = 7, **parameters: object) -> TrainedTransformer:
    return train_transformer(
        resolve_base(base), tiny_data(), TrainingOptions(seed=seed, threads=1, parameters={**SHORT, **parameters}), ignore
    )


def same_weights(a: TrainedTransformer, b: TrainedTransformer) -> bool:
    pairs = zip(a.network.state_dict().values(), b.network.state_dict().values(), strict=True)
    return all(torch.equal(left, right) for left, right in pairs)


def test_a_tiny_encoder_learns_the_made_up_language(tiny_artefact: TinyArtefact) -> None:
    trained = tiny_artefact.trained
    best = trained.epochs[trained.best_epoch - 1]
    assert best.macro_f1 > 0.9
    assert best.macro_f1 == max(epoch.macro_f1 for epoch in trained.epochs)
    assert trained.sentences_per_s > 0


def test_shuffled_labels_cannot_be_learnt(tiny_base: object) -> None:
    """Negative control of the test above: the score is not an accident of the evaluation."""
    data = tiny_data()
    labels = np.random.default_rng(0).permutation(data.train.labels)
    shuffled = dataclasses.replace(data, train=dataclasses.replace(data.train, labels=labels))
    trained = train_transformer(
        resolve_base(str(tiny_base)), shuffled, TrainingOptions(seed=7, threads=1, parameters=SHORT), ignore
    )
    assert max(epoch.macro_f1 for epoch in trained.epochs) < 0.6


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(tiny_base: object) -> None:
    first, again, other = short_run(str(tiny_base)), short_run(str(tiny_base)), short_run(str(tiny_base), seed=8)
    assert same_weights(first, again)
    assert not same_weights(first, other)


def test_the_same_data_configuration_and_seed_give_the_same_artefact(tiny_artefact: TinyArtefact, tmp_path: Path) -> None:
    """One thread on a CPU; the fixture's artefact was made by a training of its own."""
    options = TrainingOptions(seed=7, threads=1, parameters=TINY_PARAMETERS)
    tiny_artefact.family.export(
        tiny_artefact.family.train(tiny_artefact.data, options, ignore), tiny_artefact.data, tmp_path, ignore
    )
    made = {path.name: sha256(path.read_bytes()).hexdigest() for path in tmp_path.iterdir()}
    assert made == {path.name: sha256(path.read_bytes()).hexdigest() for path in tiny_artefact.directory.iterdir()}
    assert "weights.safetensors" in made


def test_training_leaves_torchs_random_state_and_threads_as_they_were(tiny_base: object) -> None:
    before, threads = torch.random.get_rng_state(), torch.get_num_threads()
    short_run(str(tiny_base), epochs=1)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.get_num_threads() == threads


def test_progress_counts_sentences_with_a_rate_a_remaining_time_and_ends_complete(tiny_artefact: TinyArtefact) -> None:
    reports = [report for report in tiny_artefact.progress if report.stage == "fine-tuning"]
    assert reports[0].total == TINY_PARAMETERS["epochs"] * len(tiny_artefact.data.train)
    assert [report.done for report in reports] == sorted(report.done for report in reports)
    assert (reports[-1].done, reports[-1].remaining_s) == (reports[-1].total, 0.0)
    assert all(report.rate > 0 for report in reports[1:])
    assert "kept epoch" in reports[-1].note


def test_the_wall_clock_cap_stops_training_and_keeps_what_was_reached(tiny_base: object) -> None:
    now = [0.0]

    def clock() -> float:
        now[0] += 0.5
        return now[0]

    options = TrainingOptions(seed=7, threads=1, parameters={**SHORT, "epochs": 50, "max_seconds": 20.0})
    trained = train_transformer(resolve_base(str(tiny_base)), tiny_data(), options, ignore, clock=clock)
    assert trained.stopped_by_clock
    assert 1 <= len(trained.epochs) < 10
    assert trained.best_epoch >= 1
    assert math.isfinite(trained.epochs[-1].log_loss)


def test_epochs_and_rate_left_open_are_chosen_and_recorded(tiny_base: object) -> None:
    chosen = short_run(str(tiny_base), epochs=0, learning_rate=0.0).parameters
    assert (chosen.epochs, chosen.learning_rate) == (8, 2e-4)


def test_the_plain_loop_learns_too(tiny_base: object) -> None:
    trained = short_run(str(tiny_base), length_buckets=False, epochs=4)
    assert max(epoch.macro_f1 for epoch in trained.epochs) > 0.8


def test_an_empty_part_is_refused(tiny_base: object) -> None:
    empty = LabelledTexts(ids=[], texts=[], labels=np.zeros(0, dtype=np.int64), features=np.zeros((0, 2)))
    data = dataclasses.replace(tiny_data(), validation=empty)
    with pytest.raises(PermanentError, match="is empty"):
        train_transformer(resolve_base(str(tiny_base)), data, TrainingOptions(), ignore)


def test_unknown_parameters_are_refused_before_anything_is_loaded(tiny_base: object) -> None:
    with pytest.raises(PermanentError, match="Unknown parameters"):
        train_transformer(resolve_base(str(tiny_base)), tiny_data(), TrainingOptions(parameters={"n_trails": 3}), ignore)


def test_training_that_no_longer_gets_better_ends_early(tiny_base: object) -> None:
    data = tiny_data()
    # What is learnt is wrong for the validation texts, so that each epoch is worse than the one before.
    against = dataclasses.replace(data.validation, labels=(data.validation.labels + 1) % 3)
    data = dataclasses.replace(data, validation=against)

    def run(patience: int) -> TrainedTransformer:
        options = TrainingOptions(
            seed=7, threads=1, parameters={**SHORT, "epochs": 6, "learning_rate": 3e-4, "patience": patience}
        )
        return train_transformer(resolve_base(str(tiny_base)), data, options, ignore)

    patient, impatient = run(0), run(2)
    assert len(patient.epochs) == 6
    assert len(impatient.epochs) == impatient.best_epoch + 2 < 6


def test_the_average_of_the_weights_judges_in_the_second_half_and_is_what_is_kept(tiny_base: object) -> None:
    # At this rate every epoch is better than the one before, so that one of the second half is kept.
    slow: dict[str, Any] = {"epochs": 4, "learning_rate": 3e-4, "patience": 0}
    trained = short_run(str(tiny_base), averaging=0.9, **slow)
    assert trained.best.averaged
    assert [epoch.averaged for epoch in trained.epochs] == [False, False, True, True]
    plain = short_run(str(tiny_base), **slow)
    assert [epoch.train_loss for epoch in plain.epochs] == [epoch.train_loss for epoch in trained.epochs], "it only watches"
    assert not same_weights(plain, trained)


def test_the_disagreement_of_two_passes_is_the_mean_of_both_divergences() -> None:
    first, second = torch.tensor([[0.2, -1.0, 0.7], [1.0, 2.0, 3.0]]), torch.tensor([[1.5, 0.0, -0.3], [1.0, 2.0, 3.0]])
    one, other = first.softmax(1).double().numpy(), second.softmax(1).double().numpy()
    expected = (entropy(one, other, axis=1) + entropy(other, one, axis=1)) / 2
    assert disagreement(first, second).tolist() == pytest.approx(expected.tolist(), abs=1e-6)
    assert disagreement(first, second).tolist() == pytest.approx(disagreement(second, first).tolist(), abs=1e-7)
    assert disagreement(first, second)[1] == 0.0


def test_training_for_consistency_makes_the_answer_hang_less_on_which_units_are_dropped(tiny_base: object) -> None:
    def hangs(consistency: float) -> float:
        trained = short_run(str(tiny_base), epochs=4, learning_rate=3e-4, consistency=consistency)
        tokenizer = tokenizer_from_json(trained.tokenizer_json, 64)
        batch = padded(encode(tokenizer, tiny_data().test.texts), pad_id_of(trained.tokenizer_json))
        ids, mask = torch.from_numpy(batch.input_ids), torch.from_numpy(batch.attention_mask)
        network = trained.network.train()
        with torch.no_grad(), torch.random.fork_rng():
            torch.manual_seed(1)
            return float(disagreement(network(ids, mask), network(ids, mask)).mean())

    assert hangs(5.0) < 0.8 * hangs(0.0)


def in_sets(data: TrainingData) -> TrainingData:
    """Every third text is of the set `target`; in the set `inverted` negative and positive are the wrong way round."""

    def part(texts: LabelledTexts) -> LabelledTexts:
        names = ["target" if row % 3 == 0 else "inverted" for row in range(len(texts))]
        labels = np.where([name == "inverted" for name in names], 2 - texts.labels, texts.labels)
        return dataclasses.replace(texts, labels=labels, label_sets=names)

    return dataclasses.replace(data, train=part(data.train), validation=part(data.validation))


def test_a_last_stage_on_the_target_set_and_a_low_weight_of_the_others_win_over_a_set_that_says_the_opposite(
    tiny_base: object,
) -> None:
    def run(**parameters: object) -> TrainedTransformer:
        options = TrainingOptions(
            seed=7, threads=1, parameters={**SHORT, "epochs": 3, "patience": 0, "consistency": 0.0, **parameters}
        )
        return train_transformer(resolve_base(str(tiny_base)), in_sets(tiny_data()), options, ignore)

    assert run().best.macro_f1 < 0.7, "without either the sets contradict each other"
    staged = run(target_sets=("target",), target_epochs=12, target_learning_rate=2e-3)
    assert [epoch.stage for epoch in staged.epochs] == ["all sets"] * 3 + ["target sets"] * 12
    assert staged.best.macro_f1 > 0.9
    weighted = run(epochs=8, set_weights={"inverted": 0.0}, target_sets=("target",), target_epochs=1)
    assert weighted.epochs[7].macro_f1 > 0.9, "all sets, and what weighs nothing teaches nothing"


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_mixed_precision_on_the_cpu_learns(tiny_base: object, precision: str) -> None:
    trained = short_run(str(tiny_base), precision=precision, epochs=6)
    assert (trained.compute.device, trained.compute.precision) == ("cpu", precision)
    assert {weight.dtype for weight in trained.network.parameters()} == {torch.float32}
    assert trained.best.macro_f1 > 0.9
    with trained.compute.autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype is getattr(torch, precision)


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_mixed_precision_on_cuda_learns(tiny_base: object, precision: str) -> None:
    """float16 needs the loss scaled: without it small gradients become zero."""
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    trained = short_run(str(tiny_base), device="cuda", precision=precision, epochs=6)
    assert trained.compute.device == "cuda"
    assert next(trained.network.parameters()).device.type == "cpu", "what is exported lies on the CPU"
    assert max(epoch.macro_f1 for epoch in trained.epochs) > 0.8
