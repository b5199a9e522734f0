"""SQL of the answers around a swap: those that count, one a text."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, func, select
from sqlalchemy.dialects.postgresql import distinct_on

from sentiment_platform.store.predictions import COUNTED
from sentiment_platform.store.tables import Prediction

ROWS_A_TEXT = 20
"""Rows that are read for each text that is wanted: of a text that is asked more often than that, fewer different ones may come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapAnswer:
    """The first answer to a text: `inference_ms` is None where it came from the cache or was not measured."""

    text: str
    features: list[float | None]
    probabilities: list[float]
    degraded: bool
    inference_ms: float | None


def answers_around(
    connection: Connection, version: str, since: datetime, until: datetime, limit: int, *, newest: bool = False
) -> list[SwapAnswer]:
    """Answers of `version` in (since, until] on `limit` different texts: the first ones, or the `newest`, oldest first."""
    table = Prediction
    inference = case((table.cache_hit, None), else_=table.latency_ms["inference"].as_float()).label("inference_ms")
    columns = (table.text, table.text_hash, table.features, table.probabilities, table.degraded, inference, table.predicted_at)
    made = (table.model_version == version, table.predicted_at > since, table.predicted_at <= until, COUNTED)
    in_time = (table.predicted_at.desc(), table.id.desc()) if newest else (table.predicted_at, table.id)
    # By the index of version and time; only so many rows are sorted by their text, however much was asked in a week.
    near = select(*columns, table.id).where(*made).order_by(*in_time).limit(ROWS_A_TEXT * limit).subquery()
    first = select(near).ext(distinct_on(near.c.text_hash)).order_by(near.c.text_hash, near.c.predicted_at, near.c.id).subquery()
    order = (first.c.predicted_at.desc(), first.c.id.desc()) if newest else (first.c.predicted_at, first.c.id)
    shown = select(*[first.c[name] for name in SwapAnswer.__dataclass_fields__]).order_by(*order).limit(limit)
    rows = [SwapAnswer(**row) for row in connection.execute(shown).mappings()]
    return rows[::-1] if newest else rows


def texts_answered(connection: Connection, version: str, since: datetime, until: datetime) -> int:
    """How many different texts `version` answered in (since, until]."""
    table = Prediction
    query = select(func.count(table.text_hash.distinct()))
    counted = (table.model_version == version, table.predicted_at > since, table.predicted_at <= until, COUNTED)
    return connection.execute(query.where(*counted)).scalar_one()
