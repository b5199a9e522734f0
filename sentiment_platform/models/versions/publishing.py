"""From a training set to a published version: train, export, load what was exported, measure it, sign, release, register.

The same data, options and inputs give the version that exists already, also where a run died between releasing and registering it.
Nothing is served because of this: promotion decides that.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
from sqlalchemy import Engine

from sentiment_platform.clock import Clock
from sentiment_platform.errors import ConflictError
from sentiment_platform.labels.training_set import licence_notes
from sentiment_platform.models.evaluation.evaluation import Evaluation, evaluate
from sentiment_platform.models.evaluation.folds import measure_folds
from sentiment_platform.models.families import load_model, trainer
from sentiment_platform.models.family import ProgressSink, TrainingOptions
from sentiment_platform.models.model_card import model_card
from sentiment_platform.models.training_data import read_training_data
from sentiment_platform.models.version_figures import origin_figures
from sentiment_platform.models.versions.champion_then import beside_champion
from sentiment_platform.models.versions.description import described, figures_of
from sentiment_platform.models.versions.training_inputs import (
    change_since,
    deployed_champion,
    inputs_digest,
    origin_of,
    start_digest,
)
from sentiment_platform.models.versions.training_world import training_world
from sentiment_platform.models.versions.working_folder import working_folder
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.registry.documents import digest
from sentiment_platform.registry.drafts import SpentTagError
from sentiment_platform.registry.manifest import Manifest
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
MOST_DELETED = 50
"""So many tags of deleted immutable releases, of which nobody knows, are stepped over."""
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
        origin = origin_of(connection, champion, start)
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
            model = load_model(family.name, directory)
            evaluation = evaluate(model, data.test)
            figures = figures_of(exported, evaluation, options, options_digest) | origin
            figures["folds"] = msgspec.to_builtins(measure_folds(family, model, data, options, progress))
            if champion and files:
                figures["deployed_then"] = msgspec.to_builtins(beside_champion(engine, champion.version, files, data, evaluation))
            licences = licence_notes(engine, data.digest)
            unnamed = described(family, model, data, directory, exported, licences, evaluation, figures, now())
            change = change_since(previous, inputs, options, data)
            manifest = release(engine, access, lease, directory, unnamed, change, now)
    # After the folder is gone: a run that finds its version registered has nothing to tidy up.
    register(engine, lease, manifest, options_digest, run_id)
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
            if manifest.training_set == training_set and origin_figures(manifest).options_digest == options_digest:
                return manifest
    return None


def release(
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
        attempts_left, spent = TAG_ATTEMPTS, list[str]()
        while True:
            with engine.begin() as connection:
                leases.require(connection, lease)
                tags = [version.version for version in all_versions(connection)]
            # A tag outlives its deleted release, and a deployment may have named what it was.
            tags += [*registry.used_tags(), *spent]
            manifest = msgspec.structs.replace(unnamed, version=str(next_version(tags, unnamed.family, change)))
            try:
                registry.publish_model(directory, manifest, access.private_keys, card=model_card(manifest))
            except SpentTagError:
                spent.append(manifest.version)
                if len(spent) > MOST_DELETED:
                    raise
            except ConflictError:
                # A writer that lost its lease took the tag just now; the next one is free.
                attempts_left -= 1
                if not attempts_left:
                    raise
            else:
                return manifest


def register(engine: Engine, lease: leases.HeldLease, manifest: Manifest, options_digest: str, run_id: str) -> None:
    """Enter a released version into the index, and give the lease back.

    Raises:
        ConflictError: a later holder has the lease.
    """
    with engine.begin() as connection:
        leases.require(connection, lease)
        register_version(connection, manifest, options_digest=options_digest, run_id=run_id)
    leases.release(engine, lease)
