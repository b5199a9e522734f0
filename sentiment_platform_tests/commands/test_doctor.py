import fcntl
import re
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from sentiment_platform.cli import main
from sentiment_platform.local.session import env_file
from sentiment_platform.local.stack import LocalStack
from sentiment_platform.settings import Settings
from sentiment_platform_tests.commands.conftest import Invoke


def test_the_doctor_says_what_answers_and_shows_no_secret(invoke: Invoke, settings: Settings) -> None:
    said = invoke("doctor")
    assert said.exit_code == 0, said.output
    assert "PostgreSQL: answers after" in said.output
    assert "Redis: answers, maxmemory-policy" in said.output
    assert "Registry: answers, nothing deployed yet" in said.output
    assert settings.registry_repository in said.output
    secrets = (settings.database_url, settings.redis_url, settings.registry_token, settings.signing_keys)
    assert not [secret for secret in secrets if secret in said.output]


def test_a_part_that_does_not_answer_is_named_with_the_remedy(signing_keys: dict[str, str]) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        environment = {
            "REDIS_URL": f"redis://:very-secret@127.0.0.1:{port}/0",
            "SENTIMENT_REGISTRY_REPOSITORY": "owner/name",
            "SENTIMENT_REGISTRY_URL": f"http://127.0.0.1:{port}/api/v3",
            "COLUMNS": "200",
        }
        said = CliRunner(env=signing_keys | environment).invoke(main, ["doctor"], catch_exceptions=False)
    assert said.exit_code == 1
    words = " ".join(said.output.split())
    assert re.search(r"Redis: Redis does not answer: .* Check REDIS_URL and that the server runs\.", words)
    assert re.search(r"Registry: Reading http://127\.0\.0\.1.*failed: ConnectError\. It is tried again", words)
    assert "PostgreSQL: not configured, and no local stack runs" in words
    assert "very-secret" not in words


def test_the_parts_of_a_stack_that_runs_here_are_asked_and_those_of_one_that_has_ended_are_not(
    tmp_path: Path, settings: Settings, environment: dict[str, str]
) -> None:
    (tmp_path / "run").mkdir()
    running = LocalStack(settings)
    running.environment = {**environment, "SENTIMENT_STATE_DIR": str(tmp_path)}
    running.write_env_file(tmp_path / env_file(settings).name)
    asked = CliRunner(env=dict.fromkeys(environment) | {"SENTIMENT_STATE_DIR": str(tmp_path), "COLUMNS": "200"})
    with (tmp_path / "run" / "stack.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        while_it_runs = asked.invoke(main, ["doctor"], catch_exceptions=False).output
        assert "PostgreSQL: answers after" in while_it_runs
        assert settings.registry_repository in while_it_runs
    afterwards = asked.invoke(main, ["doctor"], catch_exceptions=False).output
    assert "PostgreSQL: not configured, and no local stack runs" in afterwards


def test_what_is_wrong_with_the_chosen_sources_of_news_is_named(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TIINGO_API_KEY", raising=False)
    for chosen, good, words in (
        ("", True, "News: No source of news is chosen. Choose one: "),
        ("gdelt", True, "News: gdelt is on."),
        ("gdelt,tiingo", False, "News: gdelt is on. Chosen, but off: tiingo: TIINGO_API_KEY is not set."),
        ("nosuch", False, "News: SENTIMENT_SOURCES names nosuch, which no catalogue has."),
    ):
        monkeypatch.setenv("SENTIMENT_SOURCES", chosen)
        said = invoke("doctor")
        assert (said.exit_code == 0, words in " ".join(said.output.split())) == (good, True), said.output


def test_missing_sessions_are_named_by_exchange_and_a_symbol_without_one_is_to_be_written_otherwise(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SENTIMENT_PRICE_SOURCE", "tiingo")
    monkeypatch.setenv("SENTIMENT_PRICE_KEY", "very-secret")
    monkeypatch.setenv("SENTIMENT_PRICE_SYMBOLS", "9999.T")
    said = invoke("doctor")
    assert said.exit_code == 0, said.output
    assert re.search(r"Sessions: XTKS: 9999\.T is \d+ sessions behind\.", " ".join(said.output.split()))
    monkeypatch.setenv("SENTIMENT_PRICE_SYMBOLS", "9999")
    said = invoke("doctor")
    assert said.exit_code == 1
    remedy = "unknown: 9999 has no exchange that is known, so no outcomes. Write 9999 with the suffix of its exchange"
    assert remedy in " ".join(said.output.split())
    assert "very-secret" not in said.output
