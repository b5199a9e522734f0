"""SQL of comparisons between versions."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from sentiment_platform.store.tables import (
    Experiment,
)


def write_experiment(connection: Connection, record: Mapping[str, Any]) -> None:
    """Insert a comparison under its id; the same comparison twice is one row."""
    connection.execute(insert(Experiment).values(**record).on_conflict_do_nothing())
