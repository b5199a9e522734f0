"""Claims about versions that do not fit beside each other: the old one is unloaded first, another family answers, and it is told."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from sentiment_platform.models.families import FAMILIES, FamilyEntry
from sentiment_platform.registry.cache import RegistryCache
from sentiment_platform.registry.deployment import Shadow
from sentiment_platform.registry.documents import digest
from sentiment_platform.registry.manifest import Manifest
from sentiment_platform.registry.reader import RegistryReader
from sentiment_platform.settings import Settings
from sentiment_platform_tests.serving.live.selected import selection
from sentiment_platform_tests.serving.publishing import Publisher
from serving.live.live import LiveModels
from serving.live.loading import ModelLoader
from serving.live.machine import Machine
from serving.live.memory import fits, free_mb
from serving.live.snapshot import Snapshot
from serving.live.trial import TrialLimits, Trials, limits_of
from serving.metrics import Metrics
from serving.work.scheduler import Scheduler

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
NEEDS_MB = 300.0
LARGE = FamilyEntry(
    description="slow", loader="sentiment_platform_tests.serving.turtle:load", trainer="nowhere:trained", cost=100
)


def needing(megabytes: float) -> Callable[[Manifest], Manifest]:
    technical = {"technical": {"latency_p50_ms": 5.0, "loaded_mb": megabytes * 2**20 / 1e6}}
    return lambda manifest: msgspec.structs.replace(manifest, figures=technical)


class Room:
    """A process of 512 MiB, of which its code takes 100, vader 20 and each version of the large family what its manifest says."""

    def __init__(self) -> None:
        self.live: LiveModels | None = None
        self.metrics = Metrics()
        self.seen: list[tuple[str, bool, str]] = []
        """(version that is tried, whether the large family answers meanwhile, default family)."""

    def limits(self, manifest: Manifest) -> TrialLimits:
        """Of a trial; whoever asks for them is about to try the version."""
        if self.live and (now := self.live.current):
            self.seen.append((manifest.version, "turtle" in now.versions, now.default_family))
        return limits_of(manifest)

    def free(self) -> float:
        live = self.live.current if self.live else None
        large = [one for one in live.loaded.values() if one.family == "turtle"] if live else []
        return 512 - 120 - NEEDS_MB * len(large)


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture
def live(settings: Settings, publisher: Publisher, room: Room, tmp_path: Path) -> Iterator[LiveModels]:
    FAMILIES["turtle"] = LARGE
    keys = publisher.keys.public()
    reader = RegistryReader(
        settings.registry_repository, url=settings.registry_url, token=settings.registry_token, public_keys=keys
    )
    cache = RegistryCache(tmp_path / "copies", keys)
    with ThreadPoolExecutor(1) as threads:
        machine = Machine(cache.folder, fresh_s=0, clock=lambda: NOW)
        loader = ModelLoader(cache, reader, Trials(cache.folder, limits=room.limits), Scheduler(threads, 1), machine)
        room.live = LiveModels(loader, cache, reader, room.metrics, clock=lambda: NOW, free=room.free)
        yield room.live
    reader.close()
    del FAMILIES["turtle"]


def polled(live: LiveModels) -> Snapshot:
    live.poll([])
    assert live.current is not None
    return live.current


@pytest.mark.slow
def test_where_two_do_not_fit_the_old_one_goes_first_and_vader_bridges_and_a_bad_successor_brings_it_back(
    publisher: Publisher, live: LiveModels, room: Room
) -> None:
    vader = publisher.model("v1.0.0-vader")
    first = publisher.model("v1.0.0-turtle", steepness=2.0, change=needing(NEEDS_MB))
    publisher.deploy(first, vader)
    assert polled(live).versions == {"turtle": "v1.0.0-turtle", "vader": "v1.0.0-vader"}
    assert (room.seen, room.metrics.total(room.metrics.gaps)) == ([], 0), "the control: the first one has room"
    publisher.deploy(publisher.model("v1.0.1-turtle", steepness=1.0, change=needing(NEEDS_MB)), vader)
    after = polled(live)
    assert room.seen == [("v1.0.1-turtle", False, "vader")], "vader bridged while it was tried"
    assert after.versions["turtle"] == "v1.0.1-turtle"
    assert (after.default_family, after.gap) == ("turtle", None)
    assert live.refusals.last_attempt
    assert live.refusals.last_attempt.outcome == "swapped"

    def wrong(manifest: Manifest) -> Manifest:
        golden = tuple(msgspec.structs.replace(one, probabilities=(0.98, 0.01, 0.01)) for one in manifest.golden)
        return needing(NEEDS_MB)(msgspec.structs.replace(manifest, golden=golden))

    publisher.deploy(publisher.model("v1.0.2-turtle", steepness=3.0, change=wrong), vader)
    again = polled(live)
    assert live.refusals.candidate
    assert live.refusals.candidate.reason == "golden"
    assert (again.versions["turtle"], again.default_family, again.gap) == ("v1.0.1-turtle", "turtle", None)
    assert room.metrics.total(room.metrics.gaps) == 2


@pytest.mark.slow
def test_a_choice_of_a_person_for_which_the_old_one_has_to_go_first_is_live_at_once_and_after_a_poll(
    publisher: Publisher, live: LiveModels, room: Room
) -> None:
    vader = publisher.model("v1.0.0-vader")
    for number in range(3):
        version = publisher.model(f"v1.0.{number}-turtle", steepness=3.0 - number, change=needing(NEEDS_MB))
        publisher.deploy(version, vader)
        polled(live)
    chosen = replace(selection("v1.0.0-turtle"), family="turtle", expected_revision=3)
    _, after = live.select([chosen], record=lambda before, after: None)
    assert after.versions["turtle"] == "v1.0.0-turtle"
    live.poll([chosen])
    assert live.current is not None
    assert (live.current.versions["turtle"], live.current.gap) == ("v1.0.0-turtle", None)
    gaps = room.metrics.total(room.metrics.gaps)
    live.poll([])
    assert live.current.versions["turtle"] == "v1.0.2-turtle"
    assert room.metrics.total(room.metrics.gaps) == gaps + 1, "the control: it did not fit beside the other"


def test_what_shall_answer_beside_the_champions_never_unloads_one(publisher: Publisher, live: LiveModels) -> None:
    vader = publisher.model("v1.0.0-vader")
    first = publisher.model("v1.0.0-turtle", steepness=2.0, change=needing(NEEDS_MB))
    tried = publisher.model("v1.0.1-turtle", steepness=1.0, change=needing(NEEDS_MB))
    plan = Shadow(
        name="trial",
        phase=1,
        version=tried.version,
        manifest_digest=digest(tried),
        beside=first.version,
        share=1.0,
        daily_cap=10,
    )
    document = msgspec.structs.replace(publisher.document([first, vader]), shadow=plan)
    publisher.registry.publish_deployment(document, publisher.keys, fence=lambda: None)
    after = polled(live)
    assert after.versions["turtle"] == first.version
    assert after.beside.shadow is None
    assert "does not fit beside the champions" in after.beside.absent[tried.version].why
    began = time.monotonic()
    polled(live)
    assert time.monotonic() - began < 1, "it is not tried again"


@pytest.mark.parametrize(
    ("files", "free"),
    [
        ({"sys/fs/cgroup/memory.max": "536870912", "sys/fs/cgroup/memory.current": "268435456"}, 256.0),
        (
            {
                "sys/fs/cgroup/memory.max": "536870912",
                "sys/fs/cgroup/memory.current": "268435456",
                "sys/fs/cgroup/memory.stat": "anon 1\ninactive_file 67108864\n",
            },
            320.0,
        ),
        ({"sys/fs/cgroup/memory.max": "max", "sys/fs/cgroup/memory.current": "268435456", "proc/meminfo": "MemTotal: 9 kB\nMemAvailable: 1024 kB\n"}, 1.0),
        (
            {
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "104857600",
                "sys/fs/cgroup/memory/memory.usage_in_bytes": "52428800",
                "proc/meminfo": "MemAvailable: 10240000 kB\n",
            },
            50.0,
        ),
        ({"proc/meminfo": "nonsense"}, float("inf")),
        ({}, float("inf")),
    ],
)  # fmt: skip
def test_free_memory_is_what_container_and_machine_leave(tmp_path: Path, files: dict[str, str], free: float) -> None:
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    assert free_mb(tmp_path) == free


def test_this_machine_says_how_much_is_free() -> None:
    assert 0 < free_mb() < 10**8
    assert fits(1.0, 1000.0)
    assert not fits(1000.0, 1000.0)
