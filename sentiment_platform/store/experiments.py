"""SQL of comparisons between versions."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from sentiment_platform.store.tables import Experiment


def write_experiment(connection: Connection, record: Mapping[str, Any]) -> None:
    """Write a comparison under its id. The same result again changes nothing; another result replaces the row's."""
    statement = insert(Experiment).values(**record)
    new = statement.excluded
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["id"],
            set_={"verdict": new.verdict, "result": new.result, "run_id": new.run_id},
            where=Experiment.result.is_distinct_from(new.result),
        )
    )
