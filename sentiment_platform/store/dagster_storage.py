"""Where Dagster keeps its own tables: schema `dagster` of the platform's database, through dagster-postgres.

Only the URL and the schema; nothing of Dagster is imported. `dagster.yaml` names the variable:
`storage: {postgres: {postgres_url: {env: DAGSTER_POSTGRES_URL}}}`.
"""

from sqlalchemy import text
from sqlalchemy.engine import make_url

from sentiment_platform.store.engine import create_platform_engine, wait_until_awake

DAGSTER_POSTGRES_URL = "DAGSTER_POSTGRES_URL"
DAGSTER_SCHEMA = "dagster"


def dagster_storage_url(direct_url: str) -> str:
    """The value of DAGSTER_POSTGRES_URL for a database URL without a transaction-mode pooler.

    The driver is psycopg2, which dagster-postgres needs for NOTIFY, and the search path puts every table into schema `dagster`.
    Other parameters (`sslmode`, further `options`) are kept. Pass `Settings.direct_database_url()`: it refuses poolers.
    """
    url = make_url(direct_url.replace("postgres://", "postgresql://", 1)).set(drivername="postgresql+psycopg2")
    given = url.query.get("options", "")
    options = given if isinstance(given, str) else " ".join(given)
    search_path = f"-csearch_path={DAGSTER_SCHEMA}"
    if search_path not in options:
        options = f"{options} {search_path}".strip()
    url = url.update_query_dict({"options": options})
    address, _, parameters = url.render_as_string(hide_password=False).partition("?")
    # SQLAlchemy writes a space as a plus sign, which libpq takes for a plus sign; both read %20.
    return f"{address}?{parameters.replace('+', '%20')}"


def create_dagster_schema(direct_url: str) -> None:
    """Create schema `dagster` where it is missing; Dagster makes the tables in it at first use.

    Raises:
        TransientError: the database does not answer within 30 s.
    """
    engine = create_platform_engine(direct_url)
    try:
        wait_until_awake(engine)
        with engine.begin() as connection:
            # IF NOT EXISTS alone lets two processes collide on the catalogue's unique index.
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('create schema dagster'))"))
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {DAGSTER_SCHEMA}"))
    finally:
        engine.dispose()
