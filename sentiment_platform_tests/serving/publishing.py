"""Small real models, published to the test's own registry: VADER fitted on generated sentences, and deployments of them."""

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import numpy as np
from sqlalchemy import Engine

from sentiment_platform.features.compute import FeatureContext, compute_v1
from sentiment_platform.features.schema import V1
from sentiment_platform.models.evaluation.golden import golden_answers
from sentiment_platform.models.family import LabelledTexts, Model, TrainingData, TrainingOptions
from sentiment_platform.models.vader.family import load_vader
from sentiment_platform.models.vader.training import TrainedVader, VaderFamily
from sentiment_platform.registry.deployment import Deployment
from sentiment_platform.registry.manifest import FeatureSchema, FileEntry, Golden, Manifest, Metric
from sentiment_platform.registry.releases import ReleaseRegistry
from sentiment_platform.registry.signing import PrivateKeys
from sentiment_platform.settings import Settings
from sentiment_platform_tests.registry.examples import deployment_of, manifest_of
from sentiment_platform_tests.versions import mirror, register

TRAINING_SET = "ab" * 32
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
Change = Callable[[Manifest], Manifest]
_SUBJECTS = ("Harbour Mills", "Northgate Steel", "Tallow Foods", "Brass Bank", "Quill Media")
_PHRASES = (
    ("reports a terrible loss and a weak outlook", "warns of fraud and falling sales", "is hit by a bad lawsuit"),
    ("will hold its annual meeting in May", "moves its office to the harbour", "names a new secretary of the board"),
    ("reports great profit and strong growth", "wins a good contract and is happy", "raises its excellent dividend"),
)


@cache
def trained() -> tuple[TrainedVader, TrainingData]:
    """VADER fitted on 240 generated sentences; a second."""
    rng = random.Random(7)
    texts, labels = [], []
    for number in range(240):
        label = number % 3
        texts.append(f"{rng.choice(_SUBJECTS)} {rng.choice(_PHRASES[label])} in {2000 + number}")
        labels.append(label)

    def part(start: int, end: int) -> LabelledTexts:
        rows = [
            compute_v1(
                text,
                FeatureContext(
                    published_at=NOW, story_outlets=1.0, ticker_articles_1d=float(len(text) % 5), source_articles_7d=3.0
                ),
            )
            for text in texts[start:end]
        ]
        features = np.array([[np.nan if value is None else value for value in row] for row in rows])
        ids = [str(number) for number in range(start, end)]
        return LabelledTexts(ids=ids, texts=texts[start:end], labels=np.array(labels[start:end]), features=features)

    data = TrainingData(
        digest=TRAINING_SET,
        feature_schema=V1.version,
        feature_names=V1.names,
        train=part(0, 150),
        validation=part(150, 200),
        test=part(200, 240),
    )
    return VaderFamily().train(data, TrainingOptions(parameters={"trials": 0}), lambda _: None), data


class Publisher:
    """Publishes to the registry of `settings`, and mirrors deployments into its database as promotion does."""

    def __init__(self, settings: Settings, engine: Engine | None = None) -> None:
        self._engine = engine
        self.keys = PrivateKeys.parse(settings.signing_keys)
        self.registry = ReleaseRegistry(
            settings.registry_repository,
            url=settings.registry_url,
            token=settings.registry_token,
            public_keys=self.keys.public(),
            clock=lambda: NOW,
            seconds_between_requests=0,
            seconds_between_writes=0,
        )
        self.deployed: list[Deployment] = []

    def model(self, version: str = "v1.0.0-vader", *, steepness: float = 4.0, change: Change = lambda m: m) -> Manifest:
        """Publish a version; another `steepness` gives another, distinguishable model."""
        family = VaderFamily()
        state, data = trained()
        scorer = msgspec.structs.replace(state.scorer, steepness=steepness)
        with TemporaryDirectory() as folder:
            directory = Path(folder)
            family.export(TrainedVader(scorer=scorer, head=state.head, fitted_macro_f1=0.9), data, directory, lambda _: None)
            return self.publish(directory, version, load_vader(directory), change=change)

    def publish(self, directory: Path, version: str, model: Model, *, change: Change = lambda m: m) -> Manifest:
        """Publish the files in `directory`, which load as `model`, as `version`."""
        manifest = change(
            msgspec.structs.replace(
                manifest_of(version),
                files={path.name: _entry(path) for path in directory.iterdir()},
                feature_schema=FeatureSchema(V1.version, V1.hash, V1.names),
                training_set=TRAINING_SET,
                metrics={"macro_f1": Metric(value=0.9, low=0.8, high=1.0, n=40, dataset="generated")},
                golden=tuple(Golden(text, probabilities) for text, probabilities in golden_answers(model)),
            )
        )
        self.registry.publish_model(directory, manifest, self.keys)
        if self._engine is not None:
            register(self._engine, manifest)
        return manifest

    def deploy(self, *manifests: Manifest, keys: PrivateKeys | None = None) -> Deployment:
        """Publish the next deployment with these champions; the first one answers /predict."""
        document = self.document(manifests)
        self.registry.publish_deployment(document, keys or self.keys, fence=lambda: None)
        self.deployed.append(document)
        if self._engine is not None:
            mirror(self._engine, document, document.created_at)
        return document

    def document(self, manifests: Sequence[Manifest]) -> Deployment:
        """The deployment that would follow."""
        previous = self.deployed[-1] if self.deployed else None
        return deployment_of(*manifests, previous=previous, actor="test", reason="test")

    def close(self) -> None:
        self.registry.close()


def _entry(path: Path) -> FileEntry:
    content = path.read_bytes()
    return FileEntry(sha256(content).hexdigest(), len(content))
