"""`setup` over real servers: it says what is missing and what to do, makes keys once, and shows no secret. A whole fork: test_fork.py."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sentiment_platform.cli import main
from sentiment_platform.local.demo.sample_data import sample_directory
from sentiment_platform.local.parts.feeds import FeedServer, feeds_setting
from sentiment_platform.registry.signing import PrivateKeys, generate_private_key
from sentiment_platform.settings import Settings

SetUp = Callable[..., Result]
SECRET = "7hKqPzt0Wm4vXc9RdLs2NfYb"


@pytest.fixture
def set_up(environment: dict[str, str], tmp_path: Path) -> SetUp:
    """Run `setup` with the servers of this test, and with these variables over them; "" takes one away."""
    feeds = sample_directory() / "feeds"

    def run(*arguments: str, **variables: str) -> Result:
        with FeedServer(feeds) as server:
            feed = feeds_setting(feeds, server.port).split(",")[0]
            given = {"SENTIMENT_FEEDS": feed, "SENTIMENT_ALLOW_PRIVATE_HOSTS": "yes"}
            shell = CliRunner(env={**environment, **given, "SENTIMENT_STATE_DIR": str(tmp_path / "own"), **variables})
            return shell.invoke(main, ["setup", *arguments], catch_exceptions=False)

    return run


def looked_at(result: Result) -> dict[str, dict[str, Any]]:
    return {check["subject"]: check for check in json.loads(result.stdout)["checks"]}


def test_with_everything_there_it_is_green_and_prints_lines_without_a_secret(
    set_up: SetUp, settings: Settings, tmp_path: Path
) -> None:
    result = set_up("--json", SENTIMENT_ALERT_WEBHOOK="https://alerts.example/t0ken", SENTIMENT_ALERT_SECRET=SECRET)
    assert result.exit_code == 0, result.output
    checks = looked_at(result)
    assert {name: check["state"] for name, check in checks.items()} == {
        "Signing keys": "ok",
        "PostgreSQL": "ok",
        "Redis": "ok",
        "Registry": "ok",
        "Labels": "later",
        "News": "ok",
        "Alerts": "ok",
        "Values": "ok",
    }
    assert "the token may publish" in checks["Registry"]["words"]
    assert "labels import" in checks["Labels"]["words"]
    assert " items" in checks["News"]["words"]
    lines = json.loads(result.stdout)["commands"]
    secret = tmp_path / "own" / "setup" / "SENTIMENT_ALERT_SECRET"
    assert any(line.startswith("gh secret set SENTIMENT_ALERT_SECRET --repo ") and line.endswith(f"< {secret}") for line in lines)
    assert (secret.read_text(), secret.stat().st_mode & 0o777, secret.parent.stat().st_mode & 0o777) == (SECRET, 0o600, 0o700)
    hidden = (settings.database_url, settings.redis_url, settings.signing_keys, settings.registry_token, "t0ken", SECRET)
    assert [value for value in hidden if value in result.output] == []


def test_what_is_missing_is_named_with_what_to_do_and_nothing_is_started(set_up: SetUp) -> None:
    missing = ("DATABASE_URL", "REDIS_URL", "SENTIMENT_REGISTRY_REPOSITORY", "SENTIMENT_FEEDS")
    result = set_up(**dict.fromkeys(missing, ""))
    assert result.exit_code == 1
    for words in (
        "DATABASE_URL is not set. Put the address of a PostgreSQL",
        "REDIS_URL is not set. Put the address of a Redis",
        "SENTIMENT_REGISTRY_REPOSITORY is not set. Put owner/name of your fork",
        "No source of news is chosen. Choose one: SENTIMENT_SOURCES=gdelt",
        "Missing: PostgreSQL, Redis, Registry, News.",
    ):
        assert words in result.output
    assert "gh " not in result.stdout
    unset = set_up("--json", **dict.fromkeys((*missing, "SENTIMENT_SIGNING_KEYS", "SENTIMENT_PUBLIC_KEYS"), ""))
    (named,) = re.findall(r"keep a copy of (\S+),", looked_at(unset)["Signing keys"]["words"])
    made = dict(line.split("=", 1) for line in Path(named).read_text().splitlines())
    assert PrivateKeys.parse(made["SENTIMENT_SIGNING_KEYS"]).public().text() == made["SENTIMENT_PUBLIC_KEYS"]
    assert Path(named).stat().st_mode & 0o777 == 0o600
    with_a_place = set_up(REDIS_URL="")
    assert "gh secret set DATABASE_URL" in with_a_place.stdout
    assert "gh workflow" not in with_a_place.stdout


@pytest.mark.parametrize(
    ("variables", "subject", "words"),
    [
        ({"SENTIMENT_SIGNING_KEYS": "model=abc"}, "", "is not 32 bytes in base64"),
        ({"SENTIMENT_REGISTRY_TOKEN": "of somebody else"}, "Registry", "401"),
        ({"SENTIMENT_ALERT_WEBHOOK": "https://alerts.example/t0ken"}, "Alerts", "SENTIMENT_ALERT_SECRET is not set"),
        ({"SENTIMENT_FEEDS": "", "SENTIMENT_SOURCES": "tiingo"}, "News", "TIINGO_API_KEY is not set"),
        (
            {"SENTIMENT_ALERT_WEBHOOK": "https://alerts.example/x", "SENTIMENT_ALERT_SECRET": "short"},
            "Values",
            "SENTIMENT_ALERT_SECRET",
        ),
        ({"SENTIMENT_SOURCES": "no-such"}, "News", "which no catalogue has"),
    ],
)
def test_what_is_wrong_is_not_taken_for_good(set_up: SetUp, variables: dict[str, str], subject: str, words: str) -> None:
    result = set_up(*(["--json"] if subject else []), **variables)
    assert result.exit_code == 1
    if subject:
        assert looked_at(result)[subject]["state"] == "missing"
    assert words in result.output


def test_keys_are_made_once_and_a_pair_that_is_none_is_seen(set_up: SetUp, tmp_path: Path) -> None:
    unset = {"SENTIMENT_SIGNING_KEYS": "", "SENTIMENT_PUBLIC_KEYS": ""}
    first, second = set_up("--json", **unset), set_up("--json", **unset)
    lines = [[line for line in json.loads(one.stdout)["commands"] if "SENTIMENT_PUBLIC_KEYS" in line] for one in (first, second)]
    assert lines[0] == lines[1]
    made = PrivateKeys.parse((tmp_path / "own" / "setup" / "SENTIMENT_SIGNING_KEYS").read_text())
    assert made.public().text() in lines[0][0]
    assert "keep a copy of" in looked_at(first)["Signing keys"]["words"]
    strange = ",".join(f"{role}={generate_private_key()}" for role in ("model", "operator"))
    other = looked_at(set_up("--json", SENTIMENT_SIGNING_KEYS=strange))["Signing keys"]
    assert other["state"] == "missing"
    assert "is not the one that SENTIMENT_PUBLIC_KEYS trusts" in other["words"]
