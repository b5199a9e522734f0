"""SQL of the answers around a swap: those that count, one a text.

What another version answered in a version's place counts as that one's own question, and not as the stand-in's.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on

from sentiment_platform.store.predictions import COUNTED
from sentiment_platform.store.tables import Prediction

FAILED = "model_error"
"""`degraded_reason` where a version raised."""
ROWS_A_TEXT = 20
"""Rows that are read for each text that is wanted: of a text that is asked more often than that, fewer different ones may come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapAnswer:
    """The first answer to a text.

    Attributes:
        degraded: another version answered, because this one was too busy or too slow; `failed`: because it failed.
        probabilities: None where another version answered.
        inference_ms: None where that, or where it came from the cache or was not measured.
    """

    text: str
    features: list[float | None]
    probabilities: list[float] | None
    degraded: bool
    failed: bool
    inference_ms: float | None


def answers_around(
    connection: Connection, version: str, since: datetime, until: datetime, limit: int, *, newest: bool = False
) -> list[SwapAnswer]:
    """What `version` answered, or was to answer, in (since, until] on `limit` different texts: the first ones, or the `newest`, oldest first."""
    table = Prediction
    missed = table.instead_of.is_not(None)
    timed = case((or_(table.cache_hit, missed), None), else_=table.latency_ms["inference"].as_float()).label("inference_ms")
    failed = and_(missed, func.coalesce(table.degraded_reason, "") == FAILED).label("failed")
    degraded = and_(missed, func.coalesce(table.degraded_reason, "") != FAILED).label("degraded")
    own = case((missed, None), else_=table.probabilities).label("probabilities")
    columns = (table.text, table.text_hash, table.features, own, degraded, failed, timed, table.predicted_at)
    made = (_is_for(version), table.predicted_at > since, table.predicted_at <= until, COUNTED)
    in_time = (table.predicted_at.desc(), table.id.desc()) if newest else (table.predicted_at, table.id)
    # By the index of version and time; only so many rows are sorted by their text, however much was asked in a week.
    near = select(*columns, table.id).where(*made).order_by(*in_time).limit(ROWS_A_TEXT * limit).subquery()
    first = select(near).ext(distinct_on(near.c.text_hash)).order_by(near.c.text_hash, near.c.predicted_at, near.c.id).subquery()
    order = (first.c.predicted_at.desc(), first.c.id.desc()) if newest else (first.c.predicted_at, first.c.id)
    shown = select(*[first.c[name] for name in SwapAnswer.__dataclass_fields__]).order_by(*order).limit(limit)
    rows = [SwapAnswer(**row) for row in connection.execute(shown).mappings()]
    return rows[::-1] if newest else rows


def texts_answered(connection: Connection, version: str, since: datetime, until: datetime) -> int:
    """How many different texts `version` answered, or was to answer, in (since, until]."""
    table = Prediction
    query = select(func.count(table.text_hash.distinct()))
    counted = (_is_for(version), table.predicted_at > since, table.predicted_at <= until, COUNTED)
    return connection.execute(query.where(*counted)).scalar_one()


def _is_for(version: str) -> ColumnElement[bool]:
    """Each side by an index of its own."""
    return or_(and_(Prediction.model_version == version, Prediction.instead_of.is_(None)), Prediction.instead_of == version)
