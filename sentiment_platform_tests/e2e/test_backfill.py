"""Ranges of days from the command line: six months of headlines that survive kill -9, and what a range does with quotas and failures."""

import csv
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from sentiment_platform.settings import Settings
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform.text.normalise import text_key

ROOT = Path(__file__).parents[2]
FIRST, LAST = "2018-03-20", "2018-09-20"
COMMAND = [str(Path(sys.executable).with_name("sentiment-platform")), "run", "collect_job", "--from", FIRST, "--to", LAST]
ARCHIVE = """
[reuters]
kind = "archive"
title = "Headlines by day"
path = "{path}"
columns = "title=1,published_at=0"
"""
VENDOR = """
[vendor]
kind = "json_api"
title = "A vendor with a quota"
url = "{url}/vendor"
items_at = "items"
quota_per_day = 3
fields = {{ id = "id", title = "title", published_at = "at" }}
window = {{ start = "from", end = "to" }}
paging = {{ kind = "page", parameter = "page", size = 20 }}
"""
LIMIT_S = 240
# What there is to compare, without names of runs and clock times.
TABLES = {
    "raw_data": "id, source, external_id, title, tickers, published_at, available_at, content_hash",
    "sightings": "source, external_id, article_id",
    "story_clusters": "article_id, story_id, method, similarity",
    "quarantine": "id, boundary, source, rule, payload, released_at",
    "processed_features": "entity, schema_version, as_of, article_id, values, revision",
}


def variables(settings: Settings, database_url: str, sources: Path) -> dict[str, str]:
    """The environment of a machine whose database, Redis and registry are elsewhere."""
    return {
        "SENTIMENT_STATE_DIR": str(settings.state_dir),
        "DATABASE_URL": database_url,
        "REDIS_URL": settings.redis_url or "",
        "SENTIMENT_REGISTRY_REPOSITORY": settings.registry_repository or "",
        "SENTIMENT_REGISTRY_TOKEN": settings.registry_token or "",
        "SENTIMENT_REGISTRY_URL": settings.registry_url or "",
        "SENTIMENT_SIGNING_KEYS": settings.signing_keys or "",
        "SENTIMENT_PUBLIC_KEYS": settings.public_keys or "",
        "SENTIMENT_SOURCES": str(sources),
        "SENTIMENT_ALLOW_PRIVATE_HOSTS": "yes",
    }


@pytest.fixture
def another_database(new_database: Callable[..., str], _migrated_database: str) -> str:
    return new_database(_migrated_database)


def digests(engine: Engine) -> dict[str, tuple[int, str]]:
    """Table -> rows, and a digest of them."""
    with engine.connect() as connection:
        queries = {
            table: f"SELECT count(*), md5(string_agg(row, '|' ORDER BY row)) FROM "
            f"(SELECT ({columns})::text AS row FROM platform.{table}) AS rows"
            for table, columns in TABLES.items()
        }
        return {table: tuple(connection.execute(text(query)).one()) for table, query in queries.items()}  # type: ignore[misc]


def written(engine: Engine) -> int:
    """Rows of the three tables that the three assets write."""
    with engine.connect() as connection:
        return sum(
            connection.execute(text(f"SELECT count(*) FROM platform.{table}")).scalar_one()
            for table in ("raw_data", "story_clusters", "processed_features")
        )


@pytest.mark.slow
@pytest.mark.shared_data
@pytest.mark.timeout(600)
def test_six_months_survive_kill_9_at_every_quarter_and_end_as_an_uninterrupted_run_does(
    settings: Settings, another_database: str, shared_data: Path, tmp_path: Path
) -> None:
    path = shared_data / "dated" / "reuters" / "reuters_headlines.csv"
    sources = tmp_path / "sources.toml"
    sources.write_text(ARCHIVE.format(path=path))
    with path.open(encoding="utf-8", newline="") as file:
        rows = [(day, title) for day, title in csv.reader(file) if FIRST <= day <= LAST]

    untouched = os.environ | variables(settings, another_database, sources)
    done = subprocess.run(COMMAND, env=untouched, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    reference = create_platform_engine(another_database)
    expected, whole = digests(reference), written(reference)
    with reference.connect() as connection:
        sums = "SELECT sum(fetched), sum(stored), sum(quarantined), count(*) FROM platform.collection_runs"
        fetched, stored, quarantined, _ = connection.execute(text(sums)).one()
    reference.dispose()
    assert fetched == len(rows) > 6_000
    assert stored + quarantined == len({(day, text_key(title)) for day, title in rows})
    assert (expected["raw_data"][0], expected["story_clusters"][0]) == (stored, stored)

    environment = os.environ | variables(settings, settings.require("database_url"), sources)
    engine = create_platform_engine(settings.require("database_url"))
    for share in (0.25, 0.5, 0.75):
        with subprocess.Popen(COMMAND, env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            deadline = time.monotonic() + LIMIT_S
            while written(engine) < share * whole:
                assert process.poll() is None, process.stdout and process.stdout.read().decode()
                assert time.monotonic() < deadline
                time.sleep(0.02)
            process.kill()
        assert written(engine) < whole
    done = subprocess.run(COMMAND, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Going on where 2018-03-20 to 2018-09-20 was interrupted" in done.stdout
    assert "185 of 185 days" in done.stdout
    assert "s left" in done.stdout
    assert digests(engine) == expected
    engine.dispose()
