"""A registry to publish to, and scoring as the asset does it."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from sentiment_platform.settings import Settings
from sentiment_platform_tests.sentiment.rig import Scoring
from sentiment_platform_tests.serving.publishing import Publisher


@pytest.fixture
def publisher(settings: Settings, engine: Engine) -> Iterator[Publisher]:
    publisher = Publisher(settings, engine)
    yield publisher
    publisher.close()


@pytest.fixture
def scoring(settings: Settings, engine: Engine) -> Scoring:
    return Scoring(settings, engine)
