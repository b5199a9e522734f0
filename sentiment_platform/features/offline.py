"""The offline side of the feature store, read as the online side is: values by name, and PRESENT, STALE or MISSING.

Training joins thousands of moments at once; a notebook asks for one. Writing is `pipeline`, the SQL `store.vectors`.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from sentiment_platform.features.freshness import MISSING, TTL_S, FeatureValue, freshness
from sentiment_platform.features.schema import FeatureSchema
from sentiment_platform.store.vectors import features_at


def read_at(
    connection: Connection, schema: FeatureSchema, moments: Sequence[tuple[str, datetime]], *, ttl_s: float = TTL_S
) -> list[FeatureValue]:
    """What was known of each entity at its moment (aware UTC): the point-in-time join, one value for each (entity, moment).

    A value that had been true for more than `ttl_s` seconds by then is STALE: an article's vector a day after the article, a
    ticker's a day after it last changed. Pass `math.inf` where age does not matter.
    """
    found: list[FeatureValue] = []
    for row, (_, at) in zip(features_at(connection, schema.version, moments), moments, strict=True):
        if row is None:
            found.append(MISSING)
        else:
            values = dict(zip(schema.names, row.values, strict=True))
            found.append(FeatureValue(freshness(row.as_of, at, ttl_s), values, row.as_of))
    return found
