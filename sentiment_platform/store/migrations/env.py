"""Alembic's entry: runs the revisions of schema `platform` on the URL that `store.migrate` hands over."""

from alembic import context
from sqlalchemy import create_engine, text

from sentiment_platform.store.migrate import only_ours
from sentiment_platform.store.tables import SCHEMA, Base

url = context.config.attributes["url"]
engine = create_engine(url, connect_args={"prepare_threshold": None})
with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_schemas=True,
        include_name=only_ours,
        compare_type=True,
        version_table_schema=SCHEMA,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('sentiment_platform.migrations'))"))
        context.run_migrations()
engine.dispose()
