"""What a state folder remembers for later commands, and which files of a stack a command may write."""

import fcntl
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from sentiment_platform.errors import ConflictError
from sentiment_platform.local.session import env_file, read_env_file, remember, session
from sentiment_platform.local.shell_file import append_variables, withdraw
from sentiment_platform.local.stack import LocalStack
from sentiment_platform.settings import Settings

SHELL_FILE = Path(".env.local")
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


@pytest.fixture
def running_stack(on_our_servers: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalStack]:
    """The files and the lock of a stack that another process runs; every variable of it is in this shell, as after sourcing them."""
    monkeypatch.chdir(tmp_path)
    stack = LocalStack(on_our_servers)
    names = ("DATABASE_URL", "REDIS_URL", "SENTIMENT_REGISTRY_REPOSITORY", "SENTIMENT_REGISTRY_URL", "SENTIMENT_REGISTRY_TOKEN")
    described = on_our_servers.__dataclass_fields__.values()
    given = {one.metadata["variable"]: str(getattr(on_our_servers, one.name)) for one in described}
    stack.environment = {name: given[name] for name in names} | {
        "DATABASE_DIRECT_URL": given["DATABASE_URL"],
        "SENTIMENT_SIGNING_KEYS": given["SENTIMENT_SIGNING_KEYS"],
        "SENTIMENT_PUBLIC_KEYS": given["SENTIMENT_PUBLIC_KEYS"],
        "SENTIMENT_STATE_DIR": str(stack.state_dir),
    }
    stack.write_env_file(env_file(on_our_servers))
    stack.write_env_file(SHELL_FILE)
    append_variables(SHELL_FILE, {"SENTIMENT_FIRST_DAY": "2026-11-01"})
    for name, value in read_env_file(SHELL_FILE).items():
        monkeypatch.setenv(name, value)
    with ExitStack() as locked:
        (stack.state_dir / "run").mkdir(exist_ok=True)
        fcntl.flock(locked.enter_context((stack.state_dir / "run" / "stack.lock").open("a+")), fcntl.LOCK_EX)
        yield stack


def test_a_command_in_a_shell_that_sourced_the_stack_leaves_the_files_of_the_stack_as_they_are(
    running_stack: LocalStack,
) -> None:
    files = env_file(running_stack.settings), SHELL_FILE
    before = [file.read_bytes() for file in files]
    with session() as settings:
        assert settings.database_url == running_stack.environment["DATABASE_URL"]
    assert [file.read_bytes() for file in files] == before
    # The control: what that command would have written has none of the parts.
    with LocalStack(Settings.from_environment()) as nothing_started:
        nothing_started.write_env_file(files[0])
    assert "DATABASE_URL" not in read_env_file(files[0])


def test_a_second_stack_in_such_a_shell_is_refused_and_takes_no_file_away(running_stack: LocalStack) -> None:
    before = SHELL_FILE.read_bytes()
    for shell_file in (SHELL_FILE, None):
        with pytest.raises(ConflictError, match="Another local stack"), session(join=False, shell_file=shell_file):
            pass
    assert SHELL_FILE.read_bytes() == before


def test_a_stack_on_another_folder_does_not_take_the_shells_file_of_the_one_that_runs(
    running_stack: LocalStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SENTIMENT_STATE_DIR", str(tmp_path / "other"))
    before = SHELL_FILE.read_bytes()
    with pytest.raises(ConflictError, match="leads to another local stack"), session(join=False, shell_file=SHELL_FILE):
        pass
    assert SHELL_FILE.read_bytes() == before


def test_the_shells_file_is_there_while_the_block_runs_and_a_persons_own_file_stays(
    on_our_servers: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with session(join=False, shell_file=SHELL_FILE):
        assert read_env_file(SHELL_FILE)["SENTIMENT_STATE_DIR"] == str(on_our_servers.state_dir.resolve())
    assert not SHELL_FILE.exists()
    SHELL_FILE.write_text("MINE=1\n")
    withdraw(SHELL_FILE, on_our_servers.state_dir.resolve())
    assert SHELL_FILE.read_text() == "MINE=1\n"
