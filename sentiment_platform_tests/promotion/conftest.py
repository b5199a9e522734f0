from pathlib import Path

import pytest
from sqlalchemy import Engine

from sentiment_platform.models.family import Integers
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.settings import Settings
from sentiment_platform_tests.promotion.seeding import answers, release, truth, write_holdout

V1 = "v1.0.0-vader"


@pytest.fixture
def access(settings: Settings) -> RegistryAccess:
    return RegistryAccess(settings)


@pytest.fixture
def labels(engine: Engine, access: RegistryAccess, tmp_path: Path) -> Integers:
    """A holdout of 200 texts, and v1.0.0-vader released and registered, right about half of them."""
    labels = truth(200)
    write_holdout(engine, labels)
    release(engine, access, tmp_path, V1, answers(labels, 0.5, 1))
    return labels
