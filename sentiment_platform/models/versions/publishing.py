"""From a training set to a published version: train, export, load what was exported, measure it, sign, release, register.

The same data, options and inputs give the version that exists already, also where a run died between releasing and registering it.
Nothing is served because of this: promotion decides that.
"""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Engine

from sentiment_platform.clock import Clock
from sentiment_platform.errors import ConflictError
from sentiment_platform.features.schema import schema
from sentiment_platform.labels.training_set import licence_notes
from sentiment_platform.models.evaluation.contrast_suite import score_contrast
from sentiment_platform.models.evaluation.evaluation import Evaluation, evaluate
from sentiment_platform.models.evaluation.golden import golden_answers
from sentiment_platform.models.evaluation.seen_data import in_sample
from sentiment_platform.models.evaluation.technical import measure_technical
from sentiment_platform.models.families import loader_of, trainer
from sentiment_platform.models.family import LABELS, ExportReport, Family, Model, ProgressSink, TrainingData, TrainingOptions
from sentiment_platform.models.training_data import read_training_data
from sentiment_platform.models.versions.training_inputs import (
    CHAMPION,
    change_since,
    deployed_champion,
    inputs_digest,
    start_digest,
)
from sentiment_platform.models.versions.training_world import training_world
from sentiment_platform.models.versions.working_folder import working_folder
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.registry.documents import digest
from sentiment_platform.registry.manifest import FeatureSchema, FileEntry, Golden, Manifest, Metric
from sentiment_platform.registry.refusal import Refused
from sentiment_platform.registry.versions import Change, VersionTag, next_version
from sentiment_platform.store import leases
from sentiment_platform.store.versions import (
    all_versions,
    find_version,
    latest_version,
    register_version,
)

LEASE_S = 6 * 3600.0
TAG_ATTEMPTS = 3
"""How often another writer may take the tag that was free a moment ago."""


@dataclass(frozen=True)
class TrainedVersion:
    """A registered version; `new` is False where these inputs had already made it, and then nothing was trained."""

    version: str
    manifest_digest: str
    manifest: Manifest
    new: bool
    evaluation: Evaluation | None


def train_and_publish(
    engine: Engine,
    access: RegistryAccess,
    family_name: str,
    options: TrainingOptions,
    *,
    run_id: str,
    now: Clock,
    progress: ProgressSink,
) -> TrainedVersion:
    """Train `family_name` on the newest training set and publish the result as a signed model release.

    Raises:
        ConflictError: a later run took this family's training over; nothing was registered.
    """
    data = read_training_data(engine)
    family = trainer(family_name, training_world(engine, access))
    inputs = family.inputs()
    with engine.connect() as connection:
        previous = latest_version(connection, family_name)
        champion = deployed_champion(connection, family_name)
        start = start_digest(connection, inputs, options, data, champion)
        options_digest = inputs_digest(inputs, options, data, start)
        known = find_version(connection, family_name, data.digest, options_digest)
    if known is not None:
        return TrainedVersion(known.version, known.manifest_digest, known.manifest, new=False, evaluation=None)
    # The pool keeps training single, so an older holder is a zombie: from here on its writes are refused.
    lease = leases.acquire(engine, f"train:{family_name}", run_id, LEASE_S, take_over=True)
    with working_folder(engine, access.settings.state_dir, family_name, lease) as work:
        manifest, evaluation = find_orphan(engine, access, family_name, data.digest, options_digest, now), None
        if manifest is None:
            files = access.fetch(champion.version, champion.manifest_digest)[0] if champion else None
            trained = family.train(data, replace(options, champion=files, work=work, lease_token=lease.token), progress)
            directory = work / "artefact"
            directory.mkdir()
            exported = family.export(trained, data, directory, progress)
            model = family.load(directory)
            evaluation = evaluate(model, data.test)
            figures = _figures(exported, evaluation, options, options_digest) | ({CHAMPION: start} if start else {})
            unnamed = _described(engine, family, model, data, directory, exported, evaluation, figures, now())
            change = change_since(previous, inputs, options, data)
            manifest = _release(engine, access, lease, directory, unnamed, change, now)
    # After the folder is gone: a run that finds its version registered has nothing to tidy up.
    _register(engine, lease, manifest, options_digest, run_id)
    return TrainedVersion(manifest.version, digest(manifest), manifest, new=evaluation is not None, evaluation=evaluation)


def find_orphan(
    engine: Engine,
    access: RegistryAccess,
    family: str,
    training_set: str,
    options_digest: str,
    now: Clock,
) -> Manifest | None:
    """A verified release made from exactly these inputs that is not registered: its run died, or lost its lease, after publishing it."""
    with engine.connect() as connection:
        registered = {version.version for version in all_versions(connection)}
    with access.writer(now) as registry, access.reader() as reader:
        for model in reversed(registry.list_models()):
            if VersionTag.parse(model.version).family != family or model.version in registered:
                continue
            try:
                manifest = reader.manifest(model.version, model.manifest_digest)
            except Refused:
                continue  # Not signed with our key, so not ours to take up; its tag is passed over.
            if manifest.training_set == training_set and manifest.figures.get("options_digest") == options_digest:
                return manifest
    return None


def _described(
    engine: Engine,
    family: Family,
    model: Model,
    data: TrainingData,
    directory: Path,
    exported: ExportReport,
    evaluation: Evaluation,
    figures: Mapping[str, Any],
    now: datetime,
) -> Manifest:
    """The manifest of the artefact in `directory`, which `model` was loaded from; its version number is still to be given."""
    seen = in_sample(exported.base_model, data.test.label_sets)
    return Manifest(
        family=family.name,
        version=f"v1.0.0-{family.name}",
        files={name: _entry(directory / name) for name in family.files},
        training_files={name: _entry(directory / name) for name in exported.training_files} or msgspec.UNSET,
        labels=LABELS,
        feature_schema=FeatureSchema(data.feature_schema, schema(data.feature_schema).hash, data.feature_names),
        base_model=exported.base_model,
        base_digest=exported.base_digest,
        training_set=data.digest,
        metrics=metrics_of(evaluation, data, in_sample=seen),
        golden=tuple(Golden(text, probabilities) for text, probabilities in golden_answers(model)),
        licences=(*exported.licences, *licence_notes(engine, data.digest)) or ("unstated",),
        git_sha=git_sha(),
        created_at=now,
        figures={
            **figures,
            "in_sample": seen,
            "contrast": msgspec.to_builtins(score_contrast(model)),
            "technical": msgspec.to_builtins(measure_technical(loader_of(family.name), directory, data.test.texts)),
        },
    )


def _release(
    engine: Engine,
    access: RegistryAccess,
    lease: leases.HeldLease,
    directory: Path,
    unnamed: Manifest,
    change: Change,
    now: Clock,
) -> Manifest:
    """Publish under the next tag that is free here and in the registry; returns the manifest with that tag."""
    with access.writer(now) as registry:
        attempts_left = TAG_ATTEMPTS
        while True:
            with engine.begin() as connection:
                leases.require(connection, lease)
                tags = [version.version for version in all_versions(connection)]
            tags += [model.version for model in registry.list_models()]
            manifest = msgspec.structs.replace(unnamed, version=str(next_version(tags, unnamed.family, change)))
            try:
                registry.publish_model(directory, manifest, access.private_keys)
            except ConflictError:
                # A writer that lost its lease took the tag just now; the next one is free.
                attempts_left -= 1
                if not attempts_left:
                    raise
            else:
                return manifest


def _register(engine: Engine, lease: leases.HeldLease, manifest: Manifest, options_digest: str, run_id: str) -> None:
    with engine.begin() as connection:
        leases.require(connection, lease)
        register_version(connection, manifest, options_digest=options_digest, run_id=run_id)
    leases.release(engine, lease)


def metrics_of(evaluation: Evaluation, data: TrainingData, *, in_sample: bool) -> dict[str, Metric]:
    """Holdout figures for the manifest. No fitting step saw the test part; `in_sample` where the base's own training did."""
    dataset = f"training set {data.digest[:12]}, test part"
    report = evaluation.report
    named = {"accuracy": report.accuracy, "macro_f1": report.macro_f1, "brier": evaluation.calibration.brier}
    for row in report.classes:
        named |= {f"precision_{row.label}": row.precision, f"recall_{row.label}": row.recall, f"f1_{row.label}": row.f1}
    return {name: Metric(e.value, e.low, e.high, e.n, dataset, in_sample) for name, e in named.items()}


def git_sha() -> str:
    """The commit this code comes from: what Actions says, else what git says, else `unknown`."""
    if sha := os.environ.get("GITHUB_SHA"):
        return sha
    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return found.stdout.strip() or "unknown"


def _figures(exported: ExportReport, evaluation: Evaluation, options: TrainingOptions, options_digest: str) -> dict[str, Any]:
    figures: Mapping[str, Any] = {
        **exported.figures,
        "ece": evaluation.calibration.ece,
        "reliability": msgspec.to_builtins([row for row in evaluation.calibration.bins if row.count]),
        "confusion": [list(row) for row in evaluation.report.confusion],
        "seed": options.seed,
        "parameters": dict(options.parameters),
        "options_digest": options_digest,
    }
    return dict(figures)


def _entry(path: Path) -> FileEntry:
    content = path.read_bytes()
    return FileEntry(sha256(content).hexdigest(), len(content))
