"""What a state folder remembers for later commands."""

from collections.abc import Mapping

import pytest

from sentiment_platform.local.session import remember, session
from sentiment_platform.settings import Settings

PACKAGED, OTHER = {"TRANSFORMER_BASE": "packaged:minilm"}, {"TRANSFORMER_BASE": "a folder's model"}


@pytest.fixture
def on_our_servers(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.delenv("TRANSFORMER_BASE", raising=False)
    variables = {
        "SENTIMENT_STATE_DIR": str(settings.state_dir),
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "SENTIMENT_REGISTRY_REPOSITORY": settings.registry_repository,
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    settings.state_dir.mkdir(exist_ok=True)
    return settings


def base_of(variables: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    with monkeypatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        with session() as settings:
            return settings.transformer_base


def test_a_later_command_begins_with_what_the_folder_remembers_unless_the_environment_says_otherwise(
    on_our_servers: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    default = base_of({}, monkeypatch)
    assert default not in (PACKAGED["TRANSFORMER_BASE"], OTHER["TRANSFORMER_BASE"])
    remember(on_our_servers, PACKAGED)
    assert base_of({}, monkeypatch) == "packaged:minilm"
    assert base_of(OTHER, monkeypatch) == "a folder's model"
    remember(on_our_servers, OTHER)
    assert base_of({}, monkeypatch) == "a folder's model"
