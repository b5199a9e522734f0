"""What a command takes over of a stack that another process runs."""

import fcntl
import os
from pathlib import Path

import pytest

from sentiment_platform.local.joining import taken_over
from sentiment_platform.local.session import env_file, session
from sentiment_platform.local.stack import LocalStack
from sentiment_platform.settings import Settings

STACK = {
    "DATABASE_URL": "postgresql://u:p@127.0.0.1:1/sentiment",
    "DATABASE_DIRECT_URL": "postgresql://u:p@127.0.0.1:1/sentiment",
    "REDIS_URL": "redis://127.0.0.1:2/0",
    "SENTIMENT_REGISTRY_REPOSITORY": "local/registry",
    "SENTIMENT_REGISTRY_URL": "http://127.0.0.1:3/api/v3",
    "SENTIMENT_REGISTRY_TOKEN": "local-token",
    "SENTIMENT_SIGNING_KEYS": "model=A,operator=B",
    "SENTIMENT_PUBLIC_KEYS": "model=C,operator=D",
    "SENTIMENT_FEEDS": "sample=http://127.0.0.1:4/sample.xml",
    "SENTIMENT_ALLOW_PRIVATE_HOSTS": "yes",
    "SENTIMENT_STATE_DIR": "/state",
    "DAGSTER_HOME": "/state/dagster",
    "DAGSTER_POSTGRES_URL": "postgresql://u:p@127.0.0.1:1/sentiment?options=-csearch_path%3Ddagster",
}


def test_what_nobody_has_set_comes_from_the_stack() -> None:
    assert taken_over(STACK, {"PATH": "/bin", "SENTIMENT_FEEDS": " "}) == STACK


@pytest.mark.parametrize(
    ("given", "kept_from_the_stack"),
    [
        ({"SENTIMENT_FEEDS": "mine=https://mine.example/rss"}, {"SENTIMENT_FEEDS", "SENTIMENT_ALLOW_PRIVATE_HOSTS"}),
        ({"REDIS_URL": "redis://mine"}, {"REDIS_URL"}),
        ({"SENTIMENT_PUBLIC_KEYS": "model=mine"}, {"SENTIMENT_SIGNING_KEYS", "SENTIMENT_PUBLIC_KEYS"}),
        (
            {"SENTIMENT_REGISTRY_REPOSITORY": "me/registry"},
            {name for name in STACK if name.startswith("SENTIMENT_REGISTRY") or name.endswith("_KEYS")},
        ),
    ],
)
def test_a_part_of_the_shell_replaces_the_whole_part_of_the_stack(given: dict[str, str], kept_from_the_stack: set[str]) -> None:
    assert taken_over(STACK, given) == {name: value for name, value in STACK.items() if name not in kept_from_the_stack}


def test_a_database_of_the_shell_is_not_mixed_with_addresses_of_the_stack() -> None:
    taken = taken_over(STACK, {"DATABASE_URL": "postgresql://me:p@db.example/mine"})
    assert not {"DATABASE_URL", "DATABASE_DIRECT_URL"} & taken.keys()
    assert taken["DAGSTER_POSTGRES_URL"].startswith("postgresql+psycopg2://me:p@db.example/mine?")
    assert taken["DAGSTER_HOME"] == "/state/dagster"


def test_the_default_address_of_github_in_a_shell_does_not_stand_in_for_the_local_registry() -> None:
    """Nobody named a repository, so that the stack's is meant, with its address."""
    taken = taken_over(STACK, {"SENTIMENT_REGISTRY_URL": "https://api.github.com"})
    assert taken["SENTIMENT_REGISTRY_URL"] == "http://127.0.0.1:3/api/v3"


def test_a_command_that_joins_a_stack_collects_the_feeds_of_its_own_shell(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "state"
    (state / "run").mkdir(parents=True)
    monkeypatch.setenv("SENTIMENT_STATE_DIR", str(state))
    for name in STACK.keys() - {"SENTIMENT_STATE_DIR"}:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SENTIMENT_FEEDS", "mine=https://mine.example/rss")
    running = LocalStack(settings)
    running.environment = STACK | dict.fromkeys(("DATABASE_URL", "DATABASE_DIRECT_URL"), settings.database_url)
    running.write_env_file(env_file(Settings.from_environment()))
    with (state / "run" / "stack.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with session() as joined:
            assert (joined.feeds, joined.allow_private_hosts) == ("mine=https://mine.example/rss", "no")
            assert joined.database_url == settings.database_url
            assert os.environ["SENTIMENT_FEEDS"] == "mine=https://mine.example/rss"
