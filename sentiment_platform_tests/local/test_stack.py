"""The local stack as a whole: complete settings, parts switched off one by one, one stack a folder, nobody left behind."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest
import redis

from sentiment_platform.errors import ConflictError
from sentiment_platform.local.processes.process import LocalStackError
from sentiment_platform.local.stack import LocalStack
from sentiment_platform.registry.signing import PrivateKeys, PublicKeys, public_key_of
from sentiment_platform.settings import Settings

pytestmark = pytest.mark.slow

FEED = '<?xml version="1.0"?><rss version="2.0"><channel><title>t</title></channel></rss>'


@pytest.fixture(scope="module")
def folder(servers_dir: Path) -> Path:
    folder = servers_dir / "stack-tests"
    folder.mkdir(mode=0o711)
    (folder / "feeds").mkdir()
    (folder / "feeds" / "wire.xml").write_text(FEED)
    return folder


def stack(folder: Path, **variables: str) -> LocalStack:
    settings = Settings.from_environment({"SENTIMENT_STATE_DIR": str(folder / "state"), **variables})
    return LocalStack(settings, feeds_directory=folder / "feeds", durable=False)


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[LocalStack]:
    with stack(folder) as running:
        yield running


def family(state: Path) -> list[psutil.Process]:
    """The parts that the pid files of a state folder name, with all their children."""
    parts = [psutil.Process(json.loads(path.read_text())["pid"]) for path in (state / "run").glob("*.pid")]
    return parts + [child for part in parts for child in part.children(recursive=True)]


def test_every_part_answers_with_the_secrets_of_the_environment(running: LocalStack) -> None:
    settings = Settings.from_environment(running.environment)
    with psycopg.connect(settings.direct_database_url()) as connection:
        row = connection.execute("SELECT count(*) FROM pg_namespace WHERE nspname = 'dagster'").fetchone()
        assert row == (1,)
    with redis.Redis.from_url(settings.redis_url) as client:
        assert client.ping()
    releases = f"{settings.registry_url}/repos/{settings.registry_repository}/releases"
    with httpx.Client(trust_env=False) as client:
        authorized = client.get(releases, headers={"Authorization": f"Bearer {settings.registry_token}"})
        wrong = client.get(releases, headers={"Authorization": "Bearer wrong"})
        assert (authorized.status_code, authorized.json(), wrong.status_code) == (200, [], 401)
        name, _, url = settings.feeds.partition("=")
        assert (name, client.get(url).text) == ("wire", FEED)
    assert settings.allow_private_hosts == "yes"


def test_no_command_line_of_a_part_shows_a_secret(running: LocalStack, folder: Path) -> None:
    secrets = {path.read_text().strip() for path in (folder / "state" / "secrets").iterdir()}
    shown = [" ".join(process.cmdline()) for process in family(folder / "state")]
    assert any("sentiment_platform.github_server" in line for line in shown)
    assert len(secrets) >= 3
    assert [line for line in shown if any(secret in line for secret in secrets)] == []


def test_the_keys_belong_together_and_their_files_are_closed(running: LocalStack, folder: Path) -> None:
    PrivateKeys.parse(running.environment["SENTIMENT_SIGNING_KEYS"])
    PublicKeys.parse(running.environment["SENTIMENT_PUBLIC_KEYS"])
    private = dict(pair.split("=", 1) for pair in running.environment["SENTIMENT_SIGNING_KEYS"].split(","))
    public = dict(pair.split("=", 1) for pair in running.environment["SENTIMENT_PUBLIC_KEYS"].split(","))
    assert {role: public_key_of(key) for role, key in private.items()} == public
    assert set(private) == {"model", "operator"}
    assert private["model"] != private["operator"]
    secrets = folder / "state" / "secrets"
    assert secrets.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in secrets.iterdir()} == {0o600}


def test_a_second_stack_on_the_same_folder_is_refused_with_the_remedy(running: LocalStack, folder: Path) -> None:
    with pytest.raises(ConflictError, match=rf"process {os.getpid()}\) uses .*stop it with Ctrl-C"):
        stack(folder).start()
    with redis.Redis.from_url(running.environment["REDIS_URL"]) as client:
        assert client.ping()


def test_the_env_file_is_closed_and_a_shell_reads_it_back(running: LocalStack, folder: Path) -> None:
    path = folder / ".env.local"
    path.write_text("old")
    path.chmod(0o644)
    running.write_env_file(path)
    assert path.stat().st_mode & 0o777 == 0o600
    done = subprocess.run(
        ["/bin/sh", "-c", f"set -a; . {path}; set +a; env -0"], env={}, capture_output=True, text=True, check=True, timeout=10
    )
    read = dict(line.split("=", 1) for line in done.stdout.split("\0") if line)
    assert running.environment.items() <= read.items()
    assert Path(read["DAGSTER_HOME"]).is_absolute()
    assert Path(read["DAGSTER_HOME"]).is_dir()


def test_everything_comes_back_the_same_after_a_restart(running: LocalStack) -> None:
    before = dict(running.environment)
    processes = family(running.state_dir)
    assert len(processes) > 8
    running.stop()
    assert not [process for process in processes if process.is_running()]
    assert running.environment == {}
    running.start()
    assert running.environment == before


PARTS = {
    "postgres": {"DATABASE_URL", "DATABASE_DIRECT_URL"},
    "redis": {"REDIS_URL"},
    "github": {
        "SENTIMENT_REGISTRY_REPOSITORY",
        "SENTIMENT_REGISTRY_URL",
        "SENTIMENT_REGISTRY_TOKEN",
        "SENTIMENT_SIGNING_KEYS",
        "SENTIMENT_PUBLIC_KEYS",
    },
    "feeds": {"SENTIMENT_FEEDS", "SENTIMENT_ALLOW_PRIVATE_HOSTS"},
}
ALWAYS = {"SENTIMENT_STATE_DIR", "DAGSTER_HOME", "DAGSTER_POSTGRES_URL"}


@pytest.mark.parametrize("part", PARTS)
def test_each_part_is_switched_off_by_its_own_setting_and_runs_without_the_others(
    running: LocalStack, folder: Path, part: str
) -> None:
    given = {name: value for name, value in running.environment.items() if name not in PARTS[part]}
    state = folder / f"only-{part}"
    settings = Settings.from_environment({**given, "SENTIMENT_STATE_DIR": str(state)})
    with LocalStack(settings, feeds_directory=folder / "feeds", durable=False) as partial:
        assert {path.stem for path in (state / "run").glob("*.pid")} == {part}
        assert set(partial.environment) == PARTS[part] | ALWAYS
        assert (state / "postgres").exists() == (part == "postgres")
        assert (state / "github").exists() == (part == "github")


def test_with_real_urls_nothing_is_started_and_no_lock_is_taken(running: LocalStack, folder: Path) -> None:
    with stack(folder, **running.environment) as nothing:
        assert set(nothing.environment) == ALWAYS
        # Only the log on our own server may be a moment behind the disk.
        assert nothing.environment["DAGSTER_POSTGRES_URL"] == running.environment["DAGSTER_POSTGRES_URL"].replace(
            "-csynchronous_commit%3Doff%20", ""
        )


def test_keys_of_the_caller_are_not_replaced(folder: Path, signing_keys: dict[str, str]) -> None:
    given = {"DATABASE_URL": "postgresql://u:p@db.example/x", "REDIS_URL": "redis://x", "SENTIMENT_FEEDS": "a=https://a.example"}
    settings = {
        "SENTIMENT_STATE_DIR": str(folder / "keys"),
        **given,
        "SENTIMENT_PUBLIC_KEYS": signing_keys["SENTIMENT_PUBLIC_KEYS"],
    }
    with LocalStack(Settings.from_environment(settings)) as partial:
        assert "SENTIMENT_REGISTRY_TOKEN" in partial.environment
        assert not {"SENTIMENT_PUBLIC_KEYS", "SENTIMENT_SIGNING_KEYS"} & set(partial.environment)


def test_a_failing_part_takes_the_earlier_ones_down_and_frees_the_folder(folder: Path) -> None:
    state = folder / "failing"
    state.mkdir()
    (state / "github").write_text("a file where the server wants its folder")
    settings = Settings.from_environment({"SENTIMENT_STATE_DIR": str(state)})
    failing = LocalStack(settings, durable=False)
    with pytest.raises(LocalStackError, match="GitHub server"):
        failing.start()
    assert list((state / "run").glob("*.pid")) == []
    (state / "github").unlink()
    with failing:
        assert failing.environment["SENTIMENT_REGISTRY_REPOSITORY"] == "local/registry"


CHILD = """
import sys, time
from pathlib import Path
from sentiment_platform.local.stack import LocalStack
from sentiment_platform.settings import Settings
folder = Path(sys.argv[1])
settings = Settings.from_environment({"SENTIMENT_STATE_DIR": str(folder / "killed")})
LocalStack(settings, feeds_directory=folder / "feeds", durable=False).start()
print("started", flush=True)
time.sleep(120)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_no_process_outlives_a_parent_that_was_ended_and_the_stack_starts_over_it(folder: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-c", CHILD, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "started\n"
        processes = psutil.Process(parent.pid).children(recursive=True)
        assert {"postgres", "redis-server"} <= {process.name() for process in processes}
        assert len(processes) > 12
        parent.send_signal(number)
        # The next stack does not wait for the old parts to be gone: it finds and ends them itself.
        parent.wait(20)
        settings = Settings.from_environment({"SENTIMENT_STATE_DIR": str(folder / "killed")})
        with LocalStack(settings, feeds_directory=folder / "feeds", durable=False) as again:
            with psycopg.connect(again.environment["DATABASE_URL"]) as connection:
                assert connection.execute("SELECT 1").fetchone() == (1,)
            _, alive = psutil.wait_procs(processes, timeout=20)
            assert not alive
