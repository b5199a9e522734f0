"""VADER trained and published on a few hundred made-up labels, and what then stands in the registry and the database."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count

from sqlalchemy import Engine

from sentiment_platform.features.schema import V1
from sentiment_platform.labels.examples import LabelledExample
from sentiment_platform.labels.importing import import_labels
from sentiment_platform.labels.training_set import build_and_store
from sentiment_platform.models.family import Progress, TrainingOptions
from sentiment_platform.models.versions.publishing import TrainedVersion, train_and_publish
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.settings import Settings
from sentiment_platform.store.versions import all_versions
from sentiment_platform_tests.labels.stored_labels import many

EVERY_FAMILY = {"ablation", "features_help", "label_balance", "technical", "contrast", "reliability", "ece", "confusion"}
EVERY_FAMILY |= {"seed", "parameters", "options_digest", "in_sample"}
"""What the manifest of each family holds beside figures of its own."""

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)

# Each attempt has its own time, as in life: two manifests of the same inputs are never equal.
TIMES = (NOW + timedelta(seconds=n) for n in count())


def label(engine: Engine, extra: int = 0) -> None:
    """The labels of the examples and `extra` more, as the newest training set."""
    texts = [(row.text, row.label) for row in many()] + [(f"Dam {n} of Aare is inspected", "neutral") for n in range(extra)]
    examples = [
        LabelledExample(label_set="made", external_id=content, text=content, label=said, annotator="ada", licence="CC0-1.0")
        for content, said in texts
    ]  # type: ignore[arg-type]
    import_labels(engine, examples)
    build_and_store(engine, V1)


def train(
    engine: Engine,
    access: RegistryAccess,
    *,
    seed: int = 1,
    run: str = "run",
    progress: Callable[[Progress], None] = lambda _: None,
) -> TrainedVersion:
    return train_and_publish(
        engine,
        access,
        "vader",
        TrainingOptions(seed=seed, parameters={"trials": 0}),
        run_id=run,
        now=lambda: next(TIMES),
        progress=progress,
    )


def registered(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return sorted(version.version for version in all_versions(connection))


def released(settings: Settings) -> list[str]:
    with RegistryAccess(settings).writer(lambda: NOW) as registry:
        return sorted(model.version for model in registry.list_models())


def drafts(settings: Settings) -> list[str]:
    with RegistryAccess(settings).writer(lambda: NOW) as registry:
        return [r.tag_name for r in registry._connection.repository.get_releases() if r.draft]  # pyright: ignore[reportPrivateUsage]
