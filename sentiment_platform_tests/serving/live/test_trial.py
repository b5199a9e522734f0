"""Claims about versions that would harm whoever loads them: each is refused by a process that can be lost, in time and with its reason.

Every version here is signed and whole, and misbehaves really.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest

from sentiment_platform.models.evaluation.golden import golden_answers
from sentiment_platform.models.families import FAMILIES
from sentiment_platform.models.vader.family import load_vader
from sentiment_platform.models.vader.training import TrainedVader, VaderFamily
from sentiment_platform.registry.manifest import FileEntry, Golden, Manifest
from sentiment_platform_tests.registry.examples import manifest_of
from sentiment_platform_tests.serving.conftest import StartServing
from sentiment_platform_tests.serving.evil import ENTRY, EVIL_FILE, MANNERS, PLUGGED_IN, SLOW_S, Manner
from sentiment_platform_tests.serving.publishing import Publisher, trained
from sentiment_platform_tests.serving.running import ServingProcess
from sentiment_platform_tests.serving.under_load import load
from serving.live.model_refused import ModelRefused
from serving.live.trial import PROVEN, TrialLimits, Trials

REASONS: dict[Manner, str] = {
    "segfault": "crashed",
    "abort": "crashed",
    "silent end": "crashed",
    "chatter": "load",
    "child left behind": "timeout",
    "memory": "memory",
    "memory in pieces": "memory",
    "endless work": "timeout",
    "endless answer": "timeout",
    "nan": "golden",
    "infinite": "golden",
    "nan with features": "golden",
    "wrong shape": "golden",
    "no distribution": "golden",
    "flipped labels": "golden",
    "slow": "slow",
}
LIMITS = TrialLimits(wall_s=30.0, cpu_s=20, memory_mb=128)
IN_TIME = TrialLimits(wall_s=1.5, cpu_s=1, memory_mb=128)
MEASURED = {"technical": {"latency_p50_ms": 0.1, "loaded_mb": 20.0}}
Write = Callable[[Manner], tuple[str, Manifest]]


@pytest.fixture
def evil_family() -> Iterator[None]:
    FAMILIES["evil"] = ENTRY
    yield
    del FAMILIES["evil"]


@pytest.fixture
def write(tmp_path: Path, evil_family: None) -> Write:
    """Writes the files of a version that behaves in a manner, and says its digest and manifest."""

    def written(manner: Manner) -> tuple[str, Manifest]:
        name = f"{MANNERS.index(manner):064x}"
        directory = tmp_path / name
        directory.mkdir()
        write_files(directory, manner)
        answers = golden_answers(load_vader(directory))
        manifest = msgspec.structs.replace(
            manifest_of("v1.0.0-evil"),
            files={path.name: FileEntry("ab" * 32, path.stat().st_size) for path in directory.iterdir()},
            golden=tuple(Golden(text, probabilities) for text, probabilities in answers),
            figures=MEASURED,
        )
        return name, manifest

    return written


def write_files(directory: Path, manner: Manner) -> None:
    state, data = trained()
    VaderFamily().export(TrainedVader(scorer=state.scorer, head=state.head, fitted_macro_f1=0.9), data, directory, lambda _: None)
    (directory / EVIL_FILE).write_text(f'"{manner}"')


@pytest.mark.slow
@pytest.mark.parametrize("manner", REASONS)
def test_what_would_harm_its_loader_is_refused_in_time_and_leaves_nothing_behind(
    manner: Manner, tmp_path: Path, write: Write
) -> None:
    name, manifest = write(manner)
    limits = IN_TIME if REASONS[manner] == "timeout" else LIMITS
    children, began = psutil.Process().children(recursive=True), time.monotonic()
    with pytest.raises(ModelRefused) as refused:
        Trials(tmp_path, limits=lambda _: limits).require(manifest, name)
    assert refused.value.reason == REASONS[manner], str(refused.value)
    assert manifest.version in str(refused.value)
    assert time.monotonic() - began < limits.wall_s + 4
    assert set(psutil.Process().children(recursive=True)) <= set(children)
    assert not (tmp_path / PROVEN).exists(), "what was refused is not proven"


def test_a_good_version_passes_once_and_a_new_start_needs_no_process_for_it(tmp_path: Path, write: Write) -> None:
    name, manifest = write("good")
    cost = Trials(tmp_path).require(manifest, name)
    assert 0 < cost.latency_ms < 50
    assert 0 < cost.memory_mb < 200
    # From now on it would end whoever loads it: who tries it again would notice.
    (tmp_path / name / EVIL_FILE).write_text('"segfault"')
    assert Trials(tmp_path).require(manifest, name) == cost
    (tmp_path / name).rename(tmp_path / ("ff" * 32))
    with pytest.raises(ModelRefused, match="SIGSEGV"):
        Trials(tmp_path).require(manifest, "ff" * 32)


def test_another_build_or_a_damaged_memory_tries_again(tmp_path: Path, write: Write) -> None:
    name, manifest = write("good")
    Trials(tmp_path).require(manifest, name)
    (tmp_path / name / EVIL_FILE).write_text('"nan"')
    kept = msgspec.json.decode((tmp_path / PROVEN).read_bytes())
    for content in (msgspec.json.encode({**kept, "build": "another"}), b"{", b"[]"):
        (tmp_path / PROVEN).write_bytes(content)
        with pytest.raises(ModelRefused):
            Trials(tmp_path).require(manifest, name)


def test_slow_is_held_against_the_manifest_and_against_the_version_before_and_unmeasured_against_nothing(
    tmp_path: Path, write: Write
) -> None:
    name, manifest = write("slow")
    unmeasured = msgspec.structs.replace(manifest, figures={})
    as_slow = {"technical": {"latency_p50_ms": SLOW_S * 1000, "loaded_mb": 20.0}}
    with pytest.raises(ModelRefused, match="version before"):
        Trials(tmp_path).require(unmeasured, name, before_ms=0.5)
    assert Trials(tmp_path).require(msgspec.structs.replace(manifest, figures=as_slow), name).latency_ms > SLOW_S * 900


def test_what_a_manifest_says_of_its_cost_in_another_form_is_not_believed(tmp_path: Path, write: Write) -> None:
    name, manifest = write("good")
    for figures in ({"technical": "fast"}, {"technical": {"latency_p50_ms": "1"}}, {"technical": None}, {}):
        (tmp_path / PROVEN).unlink(missing_ok=True)
        assert Trials(tmp_path).require(msgspec.structs.replace(manifest, figures=figures), name).latency_ms > 0


def evil_model(publisher: Publisher, directory: Path, version: str, manner: Manner) -> Manifest:
    directory.mkdir()
    write_files(directory, manner)
    return publisher.publish(directory, version, load_vader(directory))


@pytest.mark.slow
def test_serving_survives_evil_versions_under_load_and_tries_none_of_them_in_a_loop(
    tmp_path: Path, publisher: Publisher, start_serving: StartServing
) -> None:
    good = publisher.model()
    publisher.deploy(good)
    serving = start_serving(program=PLUGGED_IN)
    process = serving.process
    with load(serving.url, clients=2) as seen:
        for number, manner in enumerate(("segfault", "memory", "nan", "flipped labels")):
            revision = publisher.deploy(good, evil_model(publisher, tmp_path / manner, f"v1.0.{number}-evil", manner)).revision
            candidate = candidate_of(serving, revision)
            assert (candidate["outcome"], candidate["reason"]) == ("refused", REASONS[manner])
            polled = serving.status()["registry"]["polled_at"]
            serving.wait_until(lambda polled=polled: serving.status()["registry"]["polled_at"] > polled)
            assert candidate_of(serving, revision)["at"] == candidate["at"], "it was tried once"
        fine = publisher.deploy(good, evil_model(publisher, tmp_path / "fine", "v1.1.0-evil", "good"))
        serving.wait_until(lambda: serving.status()["deployment"]["revision"] == fine.revision)
    assert {(status, version) for status, version, _ in seen} == {(200, good.version)}
    assert serving.process is process
    assert serving.predict(path="/predict/evil")["performance"]["model_version"] == "v1.1.0-evil"


def candidate_of(serving: ServingProcess, revision: int) -> dict[str, Any]:
    return serving.wait_until(lambda: (tried := serving.status()["candidate"]) and tried["revision"] == revision and tried, 30)


@pytest.mark.slow
def test_what_the_system_kills_is_refused_for_its_memory(tmp_path: Path, write: Write) -> None:
    name, manifest = write("child left behind")

    def kill() -> None:
        ends = time.monotonic() + 20
        while time.monotonic() < ends:
            for child in psutil.Process().children():
                if "serving.live.trial_worker" in child.cmdline():
                    os.kill(child.pid, signal.SIGKILL)
                    return
            time.sleep(0.05)

    thread = threading.Thread(target=kill)
    thread.start()
    with pytest.raises(ModelRefused) as refused:
        Trials(tmp_path, limits=lambda _: LIMITS).require(manifest, name)
    thread.join()
    assert refused.value.reason == "memory"
