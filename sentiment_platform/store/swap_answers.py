"""SQL of the answers around a swap: those that count, one a text."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, func, select
from sqlalchemy.dialects.postgresql import distinct_on

from sentiment_platform.store.predictions import COUNTED
from sentiment_platform.store.tables import Prediction


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
    inference = case((table.cache_hit, None), else_=table.latency_ms["inference"].as_float())
    first = (
        select(
            table.text,
            table.features,
            table.probabilities,
            table.degraded,
            inference.label("inference_ms"),
            table.predicted_at,
            table.id,
        )
        .ext(distinct_on(table.text_hash))
        .where(table.model_version == version, table.predicted_at > since, table.predicted_at <= until, COUNTED)
        .order_by(table.text_hash, table.predicted_at, table.id)
        .subquery()
    )
    columns = [first.c[name] for name in SwapAnswer.__dataclass_fields__]
    order = (first.c.predicted_at.desc(), first.c.id.desc()) if newest else (first.c.predicted_at, first.c.id)
    rows = [SwapAnswer(**row) for row in connection.execute(select(*columns).order_by(*order).limit(limit)).mappings()]
    return rows[::-1] if newest else rows


def texts_answered(connection: Connection, version: str, since: datetime, until: datetime) -> int:
    """How many different texts `version` answered in (since, until]."""
    table = Prediction
    query = select(func.count(table.text_hash.distinct()))
    counted = (table.model_version == version, table.predicted_at > since, table.predicted_at <= until, COUNTED)
    return connection.execute(query.where(*counted)).scalar_one()
