"""A version and a deployment, left where the product looks for them by the product's own functions: in the index, in the registry.

What stands in a manifest or a deployment is in `registry.examples`; a model that really answers is published by `serving.publishing`.
"""

from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine

from sentiment_platform.clock import Clock
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.registry.deployment import Deployment
from sentiment_platform.registry.documents import digest
from sentiment_platform.registry.manifest import Manifest
from sentiment_platform.store.deployments import latest_deployment, mirror_deployment
from sentiment_platform.store.figures import write_holdout_predictions
from sentiment_platform.store.training_sets import StoredExample, write_training_set
from sentiment_platform.store.versions import register_version
from sentiment_platform_tests.registry.examples import deployment_of, write_files

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def store_training_set(engine: Engine, name: str, examples: list[StoredExample]) -> None:
    """The newest training set, under that digest."""
    with engine.begin() as connection:
        write_training_set(connection, name, "v1", {}, examples)


def register(engine: Engine, manifest: Manifest, *, options_digest: str = "") -> None:
    """Its row in the index of versions; made from options of its own where no digest is given."""
    with engine.begin() as connection:
        register_version(connection, manifest, options_digest=options_digest or manifest.version, run_id="test")


def answer_holdout(engine: Engine, version: str, training_set: str, answers: dict[str, list[float]]) -> None:
    """What the version said on the held out texts: example -> probabilities."""
    with engine.begin() as connection:
        write_holdout_predictions(connection, version, training_set, list(answers.items()))


def release(access: RegistryAccess, folder: Path, manifest: Manifest, clock: Clock = lambda: NOW) -> None:
    """A signed release with the files that the manifests of `registry.examples` name."""
    with access.writer(clock) as registry:
        registry.publish_model(write_files(folder / manifest.version), manifest, access.private_keys)


def deploy(engine: Engine, *manifests: Manifest, published_at: datetime = NOW) -> Deployment:
    """The mirror of a next deployment with these champions; the first one answers by default."""
    with engine.connect() as connection:
        document = deployment_of(*manifests, previous=latest_deployment(connection))
    mirror(engine, document, published_at)
    return document


def mirror(engine: Engine, document: Deployment, published_at: datetime) -> None:
    """The row of a deployment that the registry offers."""
    with engine.begin() as connection:
        assert mirror_deployment(connection, document, digest=digest(document), published_at=published_at)
