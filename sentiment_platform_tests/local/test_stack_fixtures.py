"""The fixtures that every test stands on: isolated databases, an empty Redis, a scrubbed environment."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import redis

PROBE = """
import os
def test_probe(postgres_url, redis_url):
    assert "DATABASE_URL" not in os.environ
    assert "SENTIMENT_ADMIN_KEY" not in os.environ
    assert "GITHUB_TOKEN" not in os.environ
    assert postgres_url == os.environ["SENTIMENT_TEST_DATABASE_URL"]
    assert redis_url == os.environ["SENTIMENT_TEST_REDIS_URL"]
"""


def test_a_database_is_migrated_and_what_one_test_writes_no_other_sees(database_url: str, empty_database_url: str) -> None:
    query = b"SELECT count(*) FROM pg_tables WHERE schemaname = 'platform'"
    counts: list[int] = []
    for url in (database_url, empty_database_url):
        with psycopg.connect(url) as connection:
            row = connection.execute(query).fetchone()
            assert row is not None
            counts.append(row[0])
            connection.execute("CREATE TABLE mark (value int)")
    assert counts[0] >= 4
    assert counts[1] == 0


def test_a_second_database_does_not_hold_the_mark_of_the_first(database_url: str, redis_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT to_regclass('mark')").fetchone() == (None,)
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0


@pytest.mark.slow
def test_only_variables_made_for_tests_lead_tests_to_servers(tmp_path: Path, postgres_url: str, redis_url: str) -> None:
    tests = Path(__file__).parents[1]
    (tmp_path / "conftest.py").write_text((tests / "conftest.py").read_text())
    (tmp_path / "test_probe.py").write_text(PROBE)
    real = {
        "DATABASE_URL": "postgresql://outside/x",
        "REDIS_URL": "redis://outside/0",
        "SENTIMENT_ADMIN_KEY": "outside",
        "GITHUB_TOKEN": "outside",
        "PGHOST": "outside",
        "SENTIMENT_TEST_DATABASE_URL": postgres_url,
        "SENTIMENT_TEST_REDIS_URL": redis_url,
    }
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-c",
            str(tests.parent / "pyproject.toml"),
            "--rootdir",
            str(tmp_path),
            str(tmp_path),
        ],
        env={**os.environ, **real, "PYTHONPATH": str(tests.parent)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
