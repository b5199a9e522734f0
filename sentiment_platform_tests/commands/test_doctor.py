import re
import socket

from click.testing import CliRunner

from sentiment_platform.cli import main
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
    assert "PostgreSQL: not configured: the local stack provides it" in words
    assert "very-secret" not in words
