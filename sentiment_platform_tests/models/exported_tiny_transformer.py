"""The tiny transformer as serving loads it: trained on the made-up language with the features of a request, and exported."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from sentiment_platform.features.compute import FeatureContext, compute_v1
from sentiment_platform.features.schema import V1
from sentiment_platform.models.family import LabelledTexts, TrainingData, TrainingOptions
from sentiment_platform.models.transformer.family import TransformerFamily
from sentiment_platform_tests.models.tiny_transformer import tiny_data, write_tiny_checkpoint

TINY = {"epochs": 6, "learning_rate": 2e-3, "batch_size": 16, "device": "cpu", "precision": "float32"}


def with_served_features(part: LabelledTexts) -> LabelledTexts:
    rows = [
        compute_v1(text, FeatureContext(published_at=None, story_outlets=None, ticker_articles_1d=None, source_articles_7d=None))
        for text in part.texts
    ]
    return replace(part, features=np.array([[np.nan if value is None else value for value in row] for row in rows]))


def export_tiny_transformer(directory: Path, checkpoint: Path) -> None:
    """The files that serving loads, of a transformer that knows the made-up language; some ten seconds."""
    tiny, family = tiny_data(), TransformerFamily(str(write_tiny_checkpoint(checkpoint)))
    train, validation, test = (with_served_features(part) for part in (tiny.train, tiny.validation, tiny.test))
    data = TrainingData(
        digest=tiny.digest, feature_schema=V1.version, feature_names=V1.names, train=train, validation=validation, test=test
    )
    trained = family.train(data, TrainingOptions(seed=7, threads=1, parameters=TINY), lambda _: None)
    for name in family.export(trained, data, directory, lambda _: None).training_files:
        (directory / name).unlink()
