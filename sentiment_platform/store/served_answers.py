"""SQL of answers as they were served, for a version that is asked the same once more."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from sentiment_platform.store.predictions import COUNTED
from sentiment_platform.store.tables import Prediction

READ_FOR_EACH = 5
"""Rows that are read at most for each answer that is asked for: where texts repeat more than that, there are fewer answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedAnswer:
    """One answer and what it was made from; `inference_ms`: None where it came from the cache."""

    predicted_at: datetime
    text: str
    feature_schema: str
    features: list[float | None]
    probabilities: list[float]
    inference_ms: float | None


def newest_answers(connection: Connection, version: str, limit: int) -> list[ServedAnswer]:
    """The newest `limit` answers of `version` that count, each text with the same features once, newest first."""
    table = Prediction
    columns = [getattr(table, name) for name in ServedAnswer.__dataclass_fields__ if name != "inference_ms"]
    query = (
        select(*columns, table.text_hash, table.features_hash, table.latency_ms, table.cache_hit)
        .where(table.model_version == version, COUNTED)
        .order_by(table.predicted_at.desc(), table.id)
        .limit(READ_FOR_EACH * limit)
    )
    newest: dict[tuple[str, str], ServedAnswer] = {}
    for row in connection.execute(query).mappings():
        asked = (row["text_hash"], row["features_hash"])
        if asked not in newest and len(newest) < limit:
            served = {name: row[name] for name in ServedAnswer.__dataclass_fields__ if name != "inference_ms"}
            inference_ms = None if row["cache_hit"] else row["latency_ms"].get("inference")
            newest[asked] = ServedAnswer(**served, inference_ms=inference_ms)
    return list(newest.values())
