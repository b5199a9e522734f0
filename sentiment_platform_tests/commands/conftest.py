from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from sentiment_platform.cli import main
from sentiment_platform.settings import Settings

Invoke = Callable[..., Result]


@pytest.fixture
def invoke(settings: Settings) -> Invoke:
    """Runs a command line against this test's own servers, as a person would; its output is in one piece, however long its lines."""
    environment = {
        "SENTIMENT_STATE_DIR": str(settings.state_dir),
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "SENTIMENT_REGISTRY_REPOSITORY": settings.registry_repository,
        "SENTIMENT_REGISTRY_URL": settings.registry_url,
        "SENTIMENT_REGISTRY_TOKEN": settings.registry_token,
        "SENTIMENT_SIGNING_KEYS": settings.signing_keys,
        "SENTIMENT_PUBLIC_KEYS": settings.public_keys,
        "COLUMNS": "200",
    }

    def run(*arguments: str) -> Result:
        return CliRunner(env=environment).invoke(main, list(arguments), catch_exceptions=False)

    return run
