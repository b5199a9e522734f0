"""Bring a database to a revision of the schema: a thin call into Alembic, usable from the command line, tests and assets."""

from pathlib import Path

from sqlalchemy import text

from sentiment_platform.store.engine import create_platform_engine, sqlalchemy_url, wait_until_awake
from sentiment_platform.store.tables import SCHEMA


def upgrade(url: str, revision: str = "head") -> None:
    """Create the schema where it is missing and upgrade to `revision`; does nothing when already there.

    Two processes may call this at once: a transaction-scoped advisory lock lets one go first.
    """
    from alembic import command

    engine = create_platform_engine(url)
    wait_until_awake(engine)
    with engine.begin() as connection:
        # IF NOT EXISTS alone does not help two who create it at the same moment: one of them would fail.
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('sentiment_platform.migrations'))"))
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
    engine.dispose()
    command.upgrade(_config(url), revision)


def downgrade(url: str, revision: str) -> None:
    """Go back to `revision` (`-1` is one step)."""
    from alembic import command

    command.downgrade(_config(url), revision)


def differences(url: str) -> list[str]:
    """What autogenerate would change; empty when database and typed models agree."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from sentiment_platform.store.tables import Base

    engine = create_platform_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_schemas": True,
                "include_name": only_ours,
                "compare_type": True,
                "version_table_schema": SCHEMA,
            },
        )
        differences = [repr(difference) for difference in compare_metadata(context, Base.metadata)]
    engine.dispose()
    return differences


def only_ours(name: str | None, type_: str, _parent: object) -> bool:
    """Look at schema `platform` alone; Dagster's tables have their own migrations."""
    if type_ == "schema":
        return name == SCHEMA
    return name != "alembic_version"


def _config(url: str):
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["url"] = sqlalchemy_url(url)
    return config
