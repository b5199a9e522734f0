import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from sentiment_platform.store import migrate
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform.store.migrate import differences, downgrade, upgrade
from sentiment_platform.store.tables import SCHEMA, Base
from sentiment_platform_tests.store.statements import execute

pytestmark = pytest.mark.slow

VERSIONS = Path(migrate.__file__).parent / "migrations" / "versions"
REVISIONS = sorted(path.name.partition("_")[0] for path in VERSIONS.glob("[0-9]*.py"))


def relations(url: str) -> list[tuple[object, ...]]:
    """Every table, index and sequence with its oid: a relation made anew has another one."""
    return execute(url, f"SELECT relname, oid FROM pg_class WHERE relnamespace = '{SCHEMA}'::regnamespace ORDER BY relname")


def test_from_empty_to_head_and_autogenerate_has_nothing_to_add(empty_database_url: str) -> None:
    upgrade(empty_database_url)
    assert differences(empty_database_url) == []
    tables = {row[0] for row in relations(empty_database_url)}
    assert {table.name for table in Base.metadata.tables.values()} <= tables


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        ("ALTER TABLE platform.raw_data DROP COLUMN summary", "summary"),
        ("DROP INDEX platform.ix_labels_text_hash", "ix_labels_text_hash"),
        ("ALTER TABLE platform.leases ALTER COLUMN token TYPE integer", "token"),
        ("ALTER TABLE platform.label_sets ALTER COLUMN licence DROP NOT NULL", "licence"),
        ("DROP TABLE platform.drift_metrics", "drift_metrics"),
    ],
)
def test_a_schema_changed_by_hand_is_reported(database_url: str, damage: str, named: str) -> None:
    assert differences(database_url) == []
    execute(database_url, damage)
    assert any(named in difference for difference in differences(database_url))


def test_tables_of_other_schemas_are_not_ours(database_url: str) -> None:
    execute(database_url, "CREATE SCHEMA dagster; CREATE TABLE dagster.runs (id int); CREATE TABLE public.stranger (id int)")
    assert differences(database_url) == []


def test_one_step_down_and_up_again(empty_database_url: str) -> None:
    upgrade(empty_database_url)
    downgrade(empty_database_url, "-1")
    # By its number: what the newest adds may be a trigger alone, which no model shows.
    assert execute(empty_database_url, f"SELECT version_num FROM {SCHEMA}.alembic_version") == [(REVISIONS[-2],)]
    upgrade(empty_database_url)
    assert differences(empty_database_url) == []
    downgrade(empty_database_url, "base")
    # Only the bookkeeping of the migrations themselves is left, and neither a function nor a trigger.
    assert {row[0] for row in relations(empty_database_url)} <= {"alembic_version", "alembic_version_pkc"}
    assert execute(empty_database_url, f"SELECT proname FROM pg_proc WHERE pronamespace = '{SCHEMA}'::regnamespace") == []
    upgrade(empty_database_url)
    assert differences(empty_database_url) == []


@pytest.mark.parametrize("revision", REVISIONS)
def test_each_revision_goes_one_step_down_and_up_and_to_the_newest_with_its_rows(
    empty_database_url: str, database_url: str, revision: str
) -> None:
    url = empty_database_url
    upgrade(url, revision)
    assert at_revision(url) == revision
    before = columns(url)
    downgrade(url, "-1")
    assert at_revision(url) == (None if revision == REVISIONS[0] else REVISIONS[REVISIONS.index(revision) - 1])
    upgrade(url, revision)
    assert columns(url) == before
    execute(url, "INSERT INTO platform.leases VALUES ('kept', 1, 'me', now())")
    upgrade(url)
    assert at_revision(url) == REVISIONS[-1]
    assert differences(url) == []
    # What autogenerate does not compare, defaults and nullability of every column, is as in a database that was made at once.
    assert columns(url) == columns(database_url)
    assert execute(url, "SELECT subject FROM platform.leases") == [("kept",)]


def at_revision(url: str) -> object:
    found = execute(url, "SELECT version_num FROM platform.alembic_version")
    return found[0][0] if found else None


def columns(url: str) -> set[tuple[object, ...]]:
    query = f"SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns WHERE table_schema = '{SCHEMA}'"
    return set(execute(url, query))


def test_a_second_upgrade_changes_nothing(database_url: str) -> None:
    execute(database_url, "INSERT INTO platform.leases VALUES ('kept', 1, 'me', now())")
    before = relations(database_url)
    upgrade(database_url)
    assert relations(database_url) == before
    assert execute(database_url, "SELECT subject FROM platform.leases") == [("kept",)]


def test_upgraders_that_start_at_once_all_succeed(empty_database_url: str) -> None:
    program = (
        "import sys, alembic.command; from sentiment_platform.store.migrate import upgrade;"
        "print('ready', flush=True); sys.stdin.readline(); upgrade(sys.argv[1])"
    )
    upgraders = [
        subprocess.Popen(
            [sys.executable, "-c", program, empty_database_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for upgrader in upgraders:
        assert upgrader.stdout is not None
        assert upgrader.stdout.readline() == "ready\n"
    for upgrader in upgraders:
        assert upgrader.stdin is not None
        upgrader.stdin.write("go\n")
        upgrader.stdin.flush()
    for upgrader in upgraders:
        _, error = upgrader.communicate(timeout=60)
        assert upgrader.returncode == 0, error
    assert differences(empty_database_url) == []


def test_an_upgrader_waits_for_one_that_is_just_creating_the_schema(empty_database_url: str) -> None:
    """CREATE SCHEMA IF NOT EXISTS fails for the second of two that start at the same moment."""
    other = create_platform_engine(empty_database_url)
    with ThreadPoolExecutor(1) as pool:
        with other.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('sentiment_platform.migrations'))"))
            connection.execute(text("CREATE SCHEMA platform"))
            upgrading = pool.submit(upgrade, empty_database_url)
            time.sleep(0.5)
            assert not upgrading.done()
        upgrading.result(timeout=60)
    other.dispose()
    assert differences(empty_database_url) == []


def test_every_table_of_the_plan_exists_and_says_what_it_is_for() -> None:
    mappers = {mapper.local_table.name: mapper.class_ for mapper in Base.registry.mappers}
    named_in_the_plan = {
        "raw_data",
        "processed_features",
        "model_performance",
        "drift_metrics",
        "story_clusters",
        "quarantine",
        "source_state",
        "labels",
        "training_sets",
        "model_versions",
        "deployments",
        "experiments",
        "predictions",
        "feedback",
        "retrain_decisions",
        "api_keys",
        "audit_log",
    }
    assert named_in_the_plan <= set(mappers)
    assert {table.name for table in Base.metadata.tables.values()} == set(mappers)
    undocumented = [name for name, class_ in mappers.items() if len((class_.__dict__.get("__doc__") or "").split()) < 5]
    assert undocumented == []


def test_the_four_named_tables_have_their_keys(database_url: str) -> None:
    def columns(table: str, kind: str) -> set[frozenset[str]]:
        rows = execute(
            database_url,
            "SELECT array_agg(a.attname) FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid "
            f"AND a.attnum = ANY(c.conkey) WHERE c.conrelid = 'platform.{table}'::regclass AND c.contype IN ({kind}) GROUP BY c.oid",
        )
        return {frozenset(row[0]) for row in rows}  # type: ignore[call-overload]

    assert {frozenset({"source", "external_id"}), frozenset({"content_hash"})} <= columns("raw_data", "'u'")
    assert columns("processed_features", "'p'") == {frozenset({"entity", "schema_version", "as_of"})}
    assert frozenset({"article_id"}) in columns("processed_features", "'f'")
    assert columns("model_performance", "'p'") == {frozenset({"version", "window", "metric", "revision"})}
    assert columns("drift_metrics", "'p'") == {frozenset({"report_id", "subject", "test"})}
    times = execute(
        database_url,
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'raw_data' "
        "AND data_type = 'timestamp with time zone' AND is_nullable = 'NO'",
    )
    assert {"published_at", "fetched_at", "available_at"} == {row[0] for row in times}
