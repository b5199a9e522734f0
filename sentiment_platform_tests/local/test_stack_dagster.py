"""Dagster's own storage on the platform's database: its URL, its schema, and a real instance over both."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import psycopg
import psycopg2
import pytest
from sqlalchemy.engine import make_url

from sentiment_platform.store.dagster_storage import DAGSTER_POSTGRES_URL, create_dagster_schema, dagster_storage_url

CONFIGURATION = "storage:\n  postgres:\n    postgres_url:\n      env: DAGSTER_POSTGRES_URL\ntelemetry:\n  enabled: false\n"


@dg.op
def one() -> int:
    return 1


@dg.job
def one_job() -> None:
    one()


@pytest.fixture
def instance(empty_database_url: str, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    create_dagster_schema(empty_database_url)
    (tmp_path / "dagster.yaml").write_text(CONFIGURATION)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(DAGSTER_POSTGRES_URL, dagster_storage_url(empty_database_url))
        with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
            yield instance


def tables(url: str) -> dict[str, set[str]]:
    query = b"SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    found: dict[str, set[str]] = {}
    with psycopg.connect(url) as connection:
        for schema, table in connection.execute(query).fetchall():
            found.setdefault(schema, set()).add(table)
    return found


def test_a_job_runs_and_every_table_of_dagster_is_in_its_own_schema(
    instance: dg.DagsterInstance, empty_database_url: str
) -> None:
    result = one_job.execute_in_process(instance=instance)
    assert result.success
    run = instance.get_run_by_id(result.run_id)
    assert run is not None
    assert run.status == dg.DagsterRunStatus.SUCCESS
    found = tables(empty_database_url)
    assert set(found) == {"dagster"}
    assert {"runs", "event_logs", "instigators", "alembic_version"} <= found["dagster"]


def test_without_the_search_path_the_tables_would_be_elsewhere(empty_database_url: str, tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text(CONFIGURATION)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(DAGSTER_POSTGRES_URL, empty_database_url.replace("postgresql://", "postgresql+psycopg2://"))
        with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
            assert instance.get_runs() == []
    assert set(tables(empty_database_url)) == {"public"}


def test_creating_the_schema_twice_changes_nothing(empty_database_url: str) -> None:
    create_dagster_schema(empty_database_url)
    create_dagster_schema(empty_database_url)
    with psycopg2.connect(empty_database_url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_namespace WHERE nspname = 'dagster'")
        assert cursor.fetchone() == (1,)
    connection.close()


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_the_url_keeps_everything_but_driver_and_search_path(scheme: str) -> None:
    url = f"{scheme}://user:p%40+ss@host:5433/name?sslmode=require&options=endpoint%3Dquiet-hill"
    made = dagster_storage_url(url)
    assert "+-c" not in made
    parsed = make_url(made)
    assert (parsed.drivername, parsed.username, parsed.host, parsed.port) == ("postgresql+psycopg2", "user", "host", 5433)
    assert parsed.password == make_url(url).password
    assert parsed.query == {"sslmode": "require", "options": "endpoint=quiet-hill -csearch_path=dagster"}
    assert dagster_storage_url(made) == made
    assert dagster_storage_url("postgresql://u:p@h/d").endswith("?options=-csearch_path%3Ddagster")
