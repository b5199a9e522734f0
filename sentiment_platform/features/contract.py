"""The contract of feature vectors: every value in the range and under the null policy of its schema.

A vector that breaks it is kept in quarantine under the first feature that is wrong, and written nowhere else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import Any

from sentiment_platform.contracts import Contract
from sentiment_platform.errors import PermanentError
from sentiment_platform.features.schema import FeatureSchema
from sentiment_platform.store.quarantine import QuarantinedItem, refused_row
from sentiment_platform.store.vectors import FeatureRow


@dataclass(frozen=True, slots=True)
class RefusedVector:
    """A vector that broke the contract, and the features that did it, in the order of the schema."""

    row: FeatureRow
    broken: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JudgedVectors:
    """Every vector is in exactly one of the two, in its original order."""

    accepted: list[FeatureRow]
    refused: list[RefusedVector]


def judge(rows: Sequence[FeatureRow], schema: FeatureSchema) -> JudgedVectors:
    """Hold vectors of one schema against its contract, all of them at once.

    Raises:
        PermanentError: a vector has another length than the schema: that is no data, but a mistake in the function.
    """
    for row in rows:
        if len(row.values) != len(schema.names):
            raise PermanentError(
                f"A vector of {len(row.values)} values is not of schema {schema.version} ({len(schema.names)} features).",
                remedy="Compute it with features.compute of the same schema version.",
            )
    if not rows:
        return JudgedVectors([], [])
    broken = vector_contract(schema).broken(_frame(rows, schema))
    names = {_rule(name): name for name in schema.names}
    refused = [RefusedVector(rows[index], tuple(names[rule] for rule in rules)) for index, rules in broken.items()]
    return JudgedVectors([row for index, row in enumerate(rows) if index not in broken], refused)


def _rule(feature: str) -> str:
    return f"{feature}_is_in_range"


@cache
def vector_contract(schema: FeatureSchema) -> Contract:
    """The contract of vectors under `schema`: its columns, and a rule for each of them."""
    import polars as pl

    types = {"float64": pl.Float64()}
    columns = {feature.name: types[feature.type] for feature in schema.features}
    in_range = {
        _rule(feature.name): pl.col(feature.name).is_between(feature.low, feature.high).fill_null(feature.nullable)
        for feature in schema.features
    }
    return Contract(f"Features{schema.version.upper()}", columns, in_range)


def quarantined(refused: RefusedVector, schema: FeatureSchema, source: str, run_id: str, now: datetime) -> QuarantinedItem:
    """The refused vector as a row of quarantine; the same vector refused again is the same row."""
    row = refused.row
    identity = sha256(f"{schema.version} {row.entity} {row.as_of.isoformat()} {row.values!r}".encode()).hexdigest()
    values = {name: repr(value) for name, value in zip(schema.names, row.values, strict=True)}
    payload = {"entity": row.entity, "schema": schema.version, "as_of": row.as_of.isoformat(), "values": values}
    ranges = {feature.name: feature for feature in schema.features}
    detail = "; ".join(
        f"{name} is {values[name]}, not in [{ranges[name].low:g}, {ranges[name].high:g}]"
        f"{' or missing' if ranges[name].nullable else ''}"
        for name in refused.broken
    )
    return refused_row(
        "features",
        source,
        payload,
        rule=_rule(refused.broken[0]),
        detail=detail,
        run_id=run_id,
        now=now,
        identity=identity[:32],
    )


def _frame(rows: Sequence[FeatureRow], schema: FeatureSchema) -> Any:
    import polars as pl

    columns = zip(*(row.values for row in rows), strict=True)
    return pl.DataFrame([pl.Series(name, column, pl.Float64) for name, column in zip(schema.names, columns, strict=True)])
