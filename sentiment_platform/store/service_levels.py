"""SQL of how serving did: requests, cache hits, degraded answers and times to answer, by hour, day or week, and by who answered."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, text

Unit = Literal["hour", "day", "week"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePeriod:
    """Predictions answered in one hour, day or week (UTC, from Monday) from `start` on; `start` is None for the whole window.

    `within_deadline`: those whose time is known and no longer than was asked for. Times to answer are percentiles of the stored `latency_ms.total`, in milliseconds; None where no answer has one.
    """

    start: datetime | None
    predictions: int
    cache_hits: int
    degraded: int
    within_deadline: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


# One pass over the window gives its periods and the whole of it: percentiles of parts cannot be added up.
_PERIODS = text("""
    SELECT start, predictions, cache_hits, degraded, within_deadline, percentiles[1], percentiles[2], percentiles[3] FROM (
        SELECT start, count(*) AS predictions, count(*) FILTER (WHERE cache_hit) AS cache_hits,
            count(*) FILTER (WHERE degraded) AS degraded,
            count(*) FILTER (WHERE total_ms <= :deadline_ms) AS within_deadline,
            percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY total_ms) AS percentiles
        FROM (
            SELECT date_trunc(:unit, predicted_at, 'UTC') AS start, cache_hit, degraded,
                CAST(latency_ms ->> 'total' AS double precision) AS total_ms
            FROM platform.predictions WHERE predicted_at > :since AND predicted_at <= :until
        ) AS answered
        GROUP BY GROUPING SETS ((start), ())
    ) AS period
    ORDER BY start NULLS FIRST""")


def service_periods(
    connection: Connection, since: datetime, until: datetime, unit: Unit, deadline_ms: float
) -> tuple[ServicePeriod, list[ServicePeriod]]:
    """The whole of (since, until], and its hours, days or weeks with predictions, oldest first."""
    rows = connection.execute(_PERIODS, {"since": since, "until": until, "unit": unit, "deadline_ms": deadline_ms}).all()
    names = ServicePeriod.__dataclass_fields__
    whole, *periods = [ServicePeriod(**dict(zip(names, row, strict=True))) for row in rows]
    return whole, periods


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionAnswers:
    """What one version answered, as a champion (`arm` None) or as an arm; percentiles in milliseconds, None where no answer was timed."""

    family: str
    version: str
    arm: str | None
    answers: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


UNKNOWN_REASON = "unknown"
# What stood in for an arm is no answer of it. One pass gives both the versions and the reasons.
_ANSWERED = text("""
    SELECT family, model_version, arm, reason, answers, percentiles[1], percentiles[2], percentiles[3] FROM (
        SELECT family, model_version, arm, reason, GROUPING(reason) AS of_version, count(*) AS answers,
            percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY total_ms) AS percentiles
        FROM (
            SELECT family, model_version, CASE WHEN NOT degraded THEN arm END AS arm,
                CASE WHEN degraded THEN coalesce(degraded_reason, :unknown) END AS reason,
                CAST(latency_ms ->> 'total' AS double precision) AS total_ms
            FROM platform.predictions WHERE predicted_at > :since AND predicted_at <= :until
        ) AS answered
        GROUP BY GROUPING SETS ((family, model_version, arm), (reason))
    ) AS counted
    WHERE of_version = 1 OR reason IS NOT NULL
    ORDER BY of_version, family, model_version, arm NULLS FIRST, reason""")


def answers_of(connection: Connection, since: datetime, until: datetime) -> tuple[list[VersionAnswers], dict[str, int]]:
    """Of the predictions in (since, until]: each version that answered, and how many were given by a stand-in, by reason."""
    versions: list[VersionAnswers] = []
    stood_in: dict[str, int] = {}
    rows = connection.execute(_ANSWERED, {"since": since, "until": until, "unknown": UNKNOWN_REASON})
    for family, version, arm, reason, answers, p50, p95, p99 in rows:
        if reason is not None:
            stood_in[reason] = answers
        else:
            versions.append(
                VersionAnswers(family=family, version=version, arm=arm, answers=answers, p50_ms=p50, p95_ms=p95, p99_ms=p99)
            )
    return versions, stood_in
