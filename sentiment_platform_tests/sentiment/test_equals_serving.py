"""The stored scores of 1,000 articles are what the serving process answers to their headlines, family by family.

The real transformer, very small, and VADER are published, deployed, scored with, and asked over HTTP.
"""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import Engine

from sentiment_platform.models.families import FAMILIES
from sentiment_platform.models.transformer.runtime import load_transformer
from sentiment_platform.settings import Settings
from sentiment_platform_tests.features.articles import article, insert
from sentiment_platform_tests.models.exported_tiny_transformer import export_tiny_transformer
from sentiment_platform_tests.models.tiny_transformer import sentences
from sentiment_platform_tests.sentiment.rig import Scoring, headline
from sentiment_platform_tests.serving.publishing import Publisher
from sentiment_platform_tests.serving.running import ServingProcess

pytestmark = pytest.mark.slow

ARTICLES = 1_000
BOUND = 1e-6


@pytest.fixture
def titles() -> list[str]:
    """Headlines that both know and headlines that neither does, raw as feeds have them."""
    known = [text for text, _ in sentences()][: ARTICLES // 2]
    others = [headline(n).replace(" ", "\u00a0", n % 3) + "\u200b" * (n % 2) for n in range(ARTICLES - len(known))]
    return known + others


@pytest.fixture
def serving(settings: Settings, publisher: Publisher) -> Iterator[ServingProcess]:
    with TemporaryDirectory() as folder, TemporaryDirectory() as checkpoint:
        export_tiny_transformer(Path(folder), Path(checkpoint))
        transformer = publisher.publish(Path(folder), "v1.0.0-finbert", load_transformer(Path(folder)))
    publisher.deploy(transformer, publisher.model())
    # A busy machine may take longer than the usual deadline.
    process = ServingProcess(settings, SENTIMENT_DEADLINE_MS="20000")
    yield process.start()
    process.stop()


def test_stored_scores_are_what_serving_answers_to_the_text(
    engine: Engine, scoring: Scoring, serving: ServingProcess, titles: list[str]
) -> None:
    articles = [article(n, n, title=title) for n, title in enumerate(titles)]
    insert(engine, articles)
    assert scoring.run(chunk=128).scored == ARTICLES * len(FAMILIES)
    stored = {(row.article_id, row.family): row for row in scoring.rows()}
    largest = dict.fromkeys(FAMILIES, 0.0)
    for one in articles:
        answers = serving.client.post("/predict/compare", json={"text": one.title}).json()["results"]
        for family in FAMILIES:
            row, said = stored[one.id, family], answers[family]
            assert said["performance"]["model_version"] == row.version
            probabilities = said["prediction"]["probabilities"]
            assert said["prediction"]["label"] == row.label
            differences = [abs(getattr(row, label) - probability) for label, probability in probabilities.items()]
            assert len(differences) == 3
            largest[family] = max(largest[family], *differences)
    print({"largest difference": largest})
    assert max(largest.values()) <= BOUND
    # The control: the headlines are of all kinds, and the families do not say the same.
    assert len({row.label for row in stored.values()}) == 3
    assert any(stored[one.id, "vader"].label != stored[one.id, "finbert"].label for one in articles)
