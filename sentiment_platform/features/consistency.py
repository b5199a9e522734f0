"""Does Redis say what PostgreSQL says? A comparison of the newest vectors."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from sentiment_platform.features.online import read
from sentiment_platform.features.schema import FeatureSchema
from sentiment_platform.store.features import newest_features

SAMPLE = 1000


@dataclass(frozen=True)
class Consistency:
    """How many vectors were in both places, and the entities that differ."""

    compared: int
    different: tuple[str, ...]


def evaluate_consistency(engine: Engine, redis: Any, schema: FeatureSchema, now: datetime, sample: int = SAMPLE) -> Consistency:
    """Compare the `sample` most recently computed article vectors."""
    with engine.connect() as connection:
        rows = newest_features(connection, schema.version, sample)
    online = read(redis, schema.version, [row.entity for row in rows], now)
    both = [(row, value) for row, value in zip(rows, online, strict=True) if value.status == "PRESENT"]
    different = [
        row.entity for row, value in both if tuple((value.values or {}).get(name) for name in schema.names) != row.values
    ]
    return Consistency(len(both), tuple(different))
