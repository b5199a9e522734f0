"""From settings, database and registry to the world that a family trains in: the one place below `models` that reads settings for it."""

from functools import partial

from sqlalchemy import Engine

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.evaluation.seen_data import starter_hashes
from sentiment_platform.models.family import EarlierVersions, TrainingData, TrainingWorld
from sentiment_platform.models.training_data import read_training_data
from sentiment_platform.registry.access import RegistryAccess

CHECKPOINTS, BASES = "training-checkpoints", "bases"
"""Folders of the state directory."""


def training_world(engine: Engine, access: RegistryAccess) -> TrainingWorld:
    """What training may use of this platform; valid as long as `engine` is.

    Raises:
        PermanentError: the database can only be reached through a pooler, where no study can be kept.
    """
    settings = access.settings
    return TrainingWorld(
        settings.transformer_base,
        settings.state_dir / CHECKPOINTS,
        settings.direct_database_url(),
        EarlierVersions(partial(_training_set, engine), access.fetch_training_file),
        settings.state_dir / BASES,
    )


def _training_set(engine: Engine, digest: str) -> TrainingData | None:
    try:
        return read_training_data(engine, digest)
    except PermanentError:
        if digest == starter_hashes()[0]:
            return None
        raise
