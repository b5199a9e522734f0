"""A killed training goes on where its last checkpoint was, to the same weights; what another run left is never read."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from sentiment_platform.models.transformer.training.checkpoints import ABANDONED_S, Checkpoint, CheckpointFolder
from sentiment_platform.models.transformer.training.position import Epoch
from sentiment_platform_tests.models.transformer.killed_training import run

pytestmark = pytest.mark.slow

EVERY = 4


@pytest.fixture(scope="module")
def killed(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the checkpoints of a process that was killed with SIGKILL in the middle of its second or third epoch."""
    folder = tmp_path_factory.mktemp("checkpoints")
    arguments = [str(tiny_base), str(folder), str(EVERY), str(folder / "never-written.json")]
    command = [sys.executable, "-m", f"{run.__module__}", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    limit = time.monotonic() + 120
    while time.monotonic() < limit and process.poll() is None:
        if any(int(path.stem.removeprefix("step-")) >= 20 for path in folder.glob("*/step-*")):
            break
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    said = process.communicate(timeout=30)[0]
    assert process.returncode == -signal.SIGKILL, said
    return folder


def copied(source: Path, target: Path) -> Path:
    subprocess.run(["cp", "-r", f"{source}/.", str(target)], check=True)
    return target


def test_a_killed_run_resumes_and_ends_with_the_same_losses_and_weights(killed: Path, tiny_base: Path, tmp_path: Path) -> None:
    folder = copied(killed, tmp_path)
    whole = run(str(tiny_base), None, 0)
    resumed = run(str(tiny_base), folder, EVERY)
    assert resumed.resumed_from >= 20
    assert resumed.steps == whole.steps == 45
    assert [loss for _, loss in resumed.losses] == pytest.approx([loss for _, loss in whole.losses], abs=1e-6)
    assert [e.log_loss for e in resumed.epochs] == pytest.approx([e.log_loss for e in whole.epochs], abs=1e-6)
    for name, weight in whole.network.state_dict().items():
        assert torch.equal(weight, resumed.network.state_dict()[name]), name
    assert list(folder.glob("*/step-*")) == [], "a finished run leaves no checkpoint"


def test_without_its_random_state_a_resumed_run_ends_elsewhere(killed: Path, tiny_base: Path, tmp_path: Path) -> None:
    """Negative control: the comparison above notices one wrong piece of state."""
    folder = copied(killed, tmp_path)
    store = _reopened(next(folder.glob("*/step-*")).parent)
    found = store.newest()
    assert found is not None
    with torch.random.fork_rng():
        torch.manual_seed(99)
        store.save(Checkpoint({**found.tensors, "random/cpu": torch.random.get_rng_state()}, found.position))
    resumed, whole = run(str(tiny_base), folder, EVERY), run(str(tiny_base), None, 0)
    assert resumed.resumed_from >= 20
    assert resumed.epochs[-1].log_loss != pytest.approx(whole.epochs[-1].log_loss, abs=1e-6)


def test_another_recipe_starts_anew_and_another_cap_of_the_clock_does_not(killed: Path, tiny_base: Path, tmp_path: Path) -> None:
    folder = copied(killed, tmp_path)
    assert run(str(tiny_base), folder, EVERY, weight_decay=0.02, epochs=1).resumed_from == 0
    assert run(str(tiny_base), folder, EVERY, max_seconds=900.0).resumed_from >= 20


def test_the_cap_counts_the_time_before_the_interruption(killed: Path, tiny_base: Path, tmp_path: Path) -> None:
    stopped = run(str(tiny_base), copied(killed, tmp_path), EVERY, max_seconds=0.001)
    assert stopped.stopped_by_clock
    assert stopped.steps == stopped.resumed_from + 1, "a run at its cap takes one more step and keeps the best so far"


def _reopened(folder: Path) -> CheckpointFolder:
    store = CheckpointFolder(folder.parent, {})
    store._folder = folder  # pyright: ignore[reportPrivateUsage]
    return store


def state(steps: int) -> Checkpoint:
    return Checkpoint({"network/weight": torch.full((2, 3), float(steps))}, {"steps": steps, "order": {"state": 2**127}})


def test_the_newest_whole_checkpoint_is_read_and_older_ones_go(tmp_path: Path) -> None:
    store = CheckpointFolder(tmp_path, {"seed": 1})
    assert store.newest() is None
    for steps in (5, 10):
        store.save(state(steps))
    found = store.newest()
    assert found is not None
    assert (found.position, found.tensors["network/weight"][0, 0].item()) == (state(10).position, 10.0)
    assert len(list(tmp_path.glob("*/*"))) == 1
    assert CheckpointFolder(tmp_path, {"seed": 2}).newest() is None


def test_a_checkpoint_that_was_cut_off_is_passed_over(tmp_path: Path) -> None:
    store = CheckpointFolder(tmp_path, {})
    store.save(state(5))
    (good,) = tmp_path.glob("*/step-*")
    newer = good.with_name("step-000000009.0")
    newer.mkdir()
    for name in ("state.safetensors", "position.json"):
        (newer / name).write_bytes((good / name).read_bytes()[:30])
    found = store.newest()
    assert found is not None
    assert found.position["steps"] == 5


def test_an_orphan_leaves_the_checkpoints_of_its_retry_alone(tmp_path: Path) -> None:
    orphan, retry, third = (CheckpointFolder(tmp_path, {}, token) for token in (1, 2, 3))
    orphan.save(state(5))
    adopted = retry.newest()
    assert adopted is not None
    assert adopted.position["steps"] == 5
    retry.save(state(10))
    orphan.save(state(15))
    assert len(list(tmp_path.glob("*/step-*"))) == 2, "the orphan's own earlier one is gone, the retry's is not"
    orphan.clear()
    found = third.newest()
    assert found is not None
    assert found.position["steps"] == 10
    # The control: a holder of the lease after it may.
    third.clear()
    assert list(tmp_path.iterdir()) == []


def test_an_orphan_that_finishes_while_its_retry_is_at_work_costs_the_retry_nothing(tiny_base: Path, tmp_path: Path) -> None:
    """The retry is killed after the orphan's end, and whoever comes then goes on from the retry's checkpoint."""

    def retried(epoch: Epoch) -> None:
        if epoch.epoch == 1:
            with pytest.raises(KeyboardInterrupt):
                run(str(tiny_base), tmp_path, EVERY, token=2, on_epoch=killed_later)

    def killed_later(epoch: Epoch) -> None:
        if epoch.epoch == 2:
            raise KeyboardInterrupt

    orphan = run(str(tiny_base), tmp_path, EVERY, token=1, on_epoch=retried)
    assert orphan.steps == 45
    third = run(str(tiny_base), tmp_path, EVERY, token=3)
    assert (third.resumed_from, third.steps) == (28, 45)
    assert third.losses == orphan.losses
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_costs_the_checkpoint_and_not_the_training(tiny_base: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    assert run(str(tiny_base), blocked, EVERY, epochs=1).steps == 15


def test_what_nobody_takes_up_is_deleted_after_two_weeks(tmp_path: Path) -> None:
    old, fresh, mine = (CheckpointFolder(tmp_path, {"run": name}) for name in ("old", "fresh", "mine"))
    for store in (old, fresh, mine):
        store.save(state(5))
    past = time.time() - ABANDONED_S - 60
    os.utime(old._folder, (past, past))  # pyright: ignore[reportPrivateUsage]
    mine.clear()
    assert (old.newest(), mine.newest()) == (None, None)
    assert fresh.newest() is not None
