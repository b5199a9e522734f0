"""A holdout, versions with answers on it and releases of them, made in milliseconds: nothing is trained here."""

from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import msgspec
import numpy as np
from sqlalchemy import Engine

from sentiment_platform.experiments.holdout_comparison import compare_on_holdout, store_comparison
from sentiment_platform.models.family import LABELS, Floats, Integers
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.registry.manifest import Manifest
from sentiment_platform.registry.reader import LatestDeployment
from sentiment_platform.store.selections import RequestedSelection, request_selection
from sentiment_platform.store.training_sets import StoredExample
from sentiment_platform_tests import versions
from sentiment_platform_tests.registry.examples import manifest_of

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
TRAINING_SET = "ab" * 32
_ticks = count()


def clock() -> datetime:
    """A second later at each call."""
    return NOW + timedelta(seconds=next(_ticks))


def truth(n: int, seed: int = 0) -> Integers:
    return np.random.default_rng(seed).integers(0, 3, n)


def answers(labels: Integers, right: float, seed: int) -> Floats:
    """(n, 3) probabilities of a version that is right with probability `right`, independently of every other seed."""
    rng = np.random.default_rng([seed, 1])
    wrong = (labels + rng.integers(1, 3, labels.size)) % 3
    said = np.where(rng.random(labels.size) < right, labels, wrong)
    return 0.7 * np.eye(3)[said] + 0.1


def write_holdout(engine: Engine, labels: Integers, name: str = TRAINING_SET, label_set: str = "made") -> None:
    examples = [
        StoredExample(
            example_id=f"{n:04}",
            part="test",
            text=f"Text {n}",
            label=LABELS[label],
            label_set=label_set,
            story_id=f"s{n}",
            available_at=None,
            features=(None,) * 15,
        )
        for n, label in enumerate(labels)
    ]
    versions.store_training_set(engine, name, examples)


def register(
    engine: Engine, version: str, probabilities: Floats | None = None, name: str = TRAINING_SET, base: str = "made"
) -> Manifest:
    """The index row of a version made from `base`, and what it answered on the holdout."""
    manifest = msgspec.structs.replace(manifest_of(version), base_model=base)
    versions.register(engine, manifest)
    if probabilities is not None:
        versions.answer_holdout(engine, version, name, {f"{n:04}": list(row) for n, row in enumerate(probabilities)})
    return manifest


def release(
    engine: Engine,
    access: RegistryAccess,
    folder: Path,
    version: str,
    probabilities: Floats | None = None,
    base: str = "made",
) -> Manifest:
    """A signed release of the version, registered."""
    manifest = register(engine, version, probabilities, base=base)
    versions.release(access, folder, manifest, clock)
    return manifest


def make_evidence(engine: Engine, run: str = "evidence") -> str:
    """What `ab_evaluation` does; returns the digest of the evidence."""
    return store_comparison(engine, compare_on_holdout(engine, NOW), run_id=run, made_at=NOW)


def ask(engine: Engine, name: str, family: str, version: str, *, default_family: str | None = None) -> None:
    """Ada selects a version in serving."""
    selection = RequestedSelection(
        request_id=name,
        family=family,
        version=version,
        actor="ada",
        reason=f"because of {name}",
        requested_at=NOW,
        default_family=default_family,
    )
    with engine.begin() as connection:
        request_selection(connection, selection)


def offered(access: RegistryAccess) -> LatestDeployment:
    """What the registry offers, verified by its reader."""
    with access.reader() as reader:
        latest = reader.poll_latest()
    assert isinstance(latest, LatestDeployment)
    return latest
