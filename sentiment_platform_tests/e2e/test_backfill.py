"""Ranges of days from the command line: six months of headlines that survive kill -9, and what a range does with quotas and failures."""

import csv
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from sqlalchemy import Engine, text

from sentiment_platform.errors import PermanentError
from sentiment_platform.local.session import session
from sentiment_platform.running.backfill import MoreToComeError, Piece, RangeProgress, pieces_of, run_range
from sentiment_platform.running.headless import RunOutcome, dagster_instance, job_named
from sentiment_platform.settings import Settings
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform.text.normalise import text_key
from sentiment_platform_tests.news.server import ScriptedServer, reply, serving

ROOT = Path(__file__).parents[2]
FIRST, LAST, AFTERWARDS = "2018-03-20", "2018-09-20", "2018-11"
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
    with path.open(encoding="utf-8", newline="") as file:
        near = [(day, title) for day, title in csv.reader(file) if day < AFTERWARDS]
    rows = [(day, title) for day, title in near if FIRST <= day <= LAST]
    assert len(near) > len(rows) + 1_000, "days that nobody asks for are there too"
    # Every run reads the whole file once a month: of the two years that follow, only the first weeks are in it.
    with (tmp_path / path.name).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(near)
    sources = tmp_path / "sources.toml"
    sources.write_text(ARCHIVE.format(path=tmp_path / path.name))

    told = len({(day, text_key(title)) for day, title in rows})
    # Both at once: one is left alone, the other is killed.
    untouched = os.environ | variables(settings, another_database, sources)
    with subprocess.Popen(COMMAND, env=untouched, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as alone:
        environment = os.environ | variables(settings, settings.require("database_url"), sources)
        engine = create_platform_engine(settings.require("database_url"))
        said = killed_at_every_quarter(environment, engine, 3 * told)
        printed, _ = alone.communicate(timeout=LIMIT_S)
    assert alone.returncode == 0, printed
    assert "Going on" not in printed
    reference = create_platform_engine(another_database)
    expected = digests(reference)
    with reference.connect() as connection:
        sums = "SELECT sum(fetched), sum(stored), sum(quarantined), count(*) FROM platform.collection_runs"
        fetched, stored, quarantined, _ = connection.execute(text(sums)).one()
    reference.dispose()
    assert fetched == len(rows) > 6_000
    assert stored + quarantined == told
    assert (expected["raw_data"][0], expected["story_clusters"][0]) == (stored, stored)

    assert "Going on where 2018-03-20 to 2018-09-20 was interrupted" in said
    assert "185 of 185 days" in said
    assert "s left" in said
    assert digests(engine) == expected
    engine.dispose()


def killed_at_every_quarter(environment: dict[str, str], engine: Engine, whole: int) -> str:
    """Kill the command when a quarter, a half and three quarters of the rows are written; what the last, unharmed run printed."""
    for share in (0.25, 0.5, 0.75):
        with subprocess.Popen(
            COMMAND, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            deadline = time.monotonic() + LIMIT_S
            while written(engine) < share * whole:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.02)
            process.kill()
        assert written(engine) < whole
    done = subprocess.run(COMMAND, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def vendor(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    """Two items a day of the first quarter of 2024 at a vendor that allows three requests a day; nothing else is asked."""
    days = [datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=n) for n in range(91)]
    rows = [{"id": f"{day:%j}{n}", "title": f"Unit {day:%j} reports {n}", "at": day.isoformat()} for day in days for n in (1, 2)]

    def answer(handler: BaseHTTPRequestHandler) -> None:
        query = {name: values[0] for name, values in parse_qs(urlsplit(handler.path).query).items()}
        wanted = [row for row in rows if query["from"] <= row["at"].replace("+00:00", "Z") < query["to"]]
        page = int(query.get("page", "1"))
        reply(msgspec.json.encode({"items": wanted[20 * (page - 1) : 20 * page]}))(handler)

    with serving() as server:
        server.answers["/vendor"] = answer
        sources = tmp_path / "sources.toml"
        sources.write_text(VENDOR.format(url=server.url))
        monkeypatch.chdir(ROOT)
        for name, value in variables(settings, settings.require("database_url"), sources).items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.mark.slow
def test_a_quota_ends_a_range_for_today_and_tomorrow_the_same_command_goes_on(vendor: ScriptedServer, settings: Settings) -> None:
    engine = create_platform_engine(settings.require("database_url"))
    made: list[Piece] = []
    told: list[tuple[int, int]] = []

    def go() -> dict[Piece, RunOutcome]:
        return run_range(
            instance, "collect_job", "2024-01-01", "2024-03-31", goes_on=lambda *days: told.append(days), progress=lambda r: made.append(r.piece)
        )  # fmt: skip

    with session(), dagster_instance() as instance:
        for days in range(1, 10):
            waits = waits_for_another_day(go)
            assert len(vendor.requests) <= 3 * days
            if not waits:
                break
            assert "vendor has more to give" in waits
            assert len(vendor.requests) == 3 * days
            if days == 1:
                # The same day nothing more is asked for.
                assert "used up" in waits_for_another_day(go)
                assert len(vendor.requests) == 3
            with engine.begin() as connection:
                connection.execute(text("UPDATE platform.source_state SET quota_day = quota_day - 1"))
        january, february, march = ("2024-01-01", "2024-01-31"), ("2024-02-01", "2024-03-02"), ("2024-03-03", "2024-03-31")
        assert sorted(set(made)) == [january, february, march]
        assert told[-1] == (62, 91)
        with engine.connect() as connection:
            articles = "SELECT count(*), count(DISTINCT article_id) FROM platform.raw_data LEFT JOIN platform.processed_features ON article_id = id"
            assert tuple(connection.execute(text(articles)).one()) == (182, 182)
        engine.dispose()
        # The range was complete: the next call makes it anew, and is told of nothing to go on with.
        before = len(told)
        with pytest.raises(MoreToComeError):
            go()
        assert (len(told), made[-1]) == (before, january)


def waits_for_another_day(go: Callable[[], object]) -> str:
    """Why the range could not be finished; empty if it was."""
    try:
        go()
    except MoreToComeError as waits:
        return waits.message
    return ""


def test_the_pieces_of_a_range_follow_each_other_and_other_ranges_are_refused() -> None:
    job = job_named("collect_job")
    assert pieces_of(job, "2018-03-20", "2018-05-01") == {("2018-03-20", "2018-04-19"): 31, ("2018-04-20", "2018-05-01"): 12}
    assert pieces_of(job, "2018-03-20", "2018-03-20") == {("2018-03-20", "2018-03-20"): 1}
    for first, last in (("2018-03-21", "2018-03-20"), ("2017-03-20", "2018-03-20"), ("2018-02-30", "2018-03-20"), ("x", "y")):
        with pytest.raises(PermanentError, match="is no range"):
            pieces_of(job, first, last)
    with pytest.raises(PermanentError, match="has no days"):
        pieces_of(job_named("train_job"), "2018-03-20", "2018-03-21")
    outcome = RunOutcome(run_id="r", success=True, metadata={}, failures=(), warnings=(), tags={})
    said = RangeProgress(
        piece=("2018-03-20", "2018-04-19"), outcome=outcome, days_done=31, days=185, days_per_s=2.0, remaining_s=77.0
    ).line
    assert said == "2018-03-20 to 2018-04-19 done: 31 of 185 days, 2.0 days/s, 77 s left"
