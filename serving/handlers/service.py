"""GET /monitoring/service: requests, times to answer, cache hits and errors over a window.

What the process counted needs nobody else, and is told at once; what the database has is left out where it does not answer.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Literal

from litestar import get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter

from serving.contract.service_bodies import (
    AnsweredInHour,
    ArmAnswers,
    LastHour,
    LatencyMs,
    ProcessCounts,
    ProcessLoad,
    ProcessPeriod,
    ServicePeriod,
    ServiceReport,
    ShadowAnswers,
    StoredService,
    Unserved,
    VersionAnswers,
    Window,
)
from serving.edge.openapi import problem_responses
from serving.links.database import DatabaseUnavailable
from serving.metrics import REFUSED, Metrics
from serving.services import Services
from serving.watch.process_figures import held, instance_name, replica_name

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from sentiment_platform.store import service_levels

Unit = Literal["hour", "day", "week"]
WINDOWS: Mapping[Window, tuple[timedelta, Unit]] = {
    "24h": (timedelta(hours=24), "hour"),
    "7d": (timedelta(days=7), "day"),
    "30d": (timedelta(days=30), "day"),
    "12w": (timedelta(weeks=12), "week"),
}
LAST_HOUR = timedelta(hours=1)
STORED_S = 1.0
"""Longest that what the process counted waits for what the database has."""
AWAY_S = 0.25
"""The same while the database is known to be away."""
WindowAsked = Annotated[
    Window, QueryParameter(description="How far to look back: 24 hours by hour, 7 or 30 days by day, 12 weeks by week.")
]


@get("/monitoring/service", tags=["monitoring"], responses=problem_responses(400), summary="How the service did")
async def service(services: NamedDependency[Services], window: WindowAsked = "24h") -> ServiceReport:
    """Stored predictions of all serving processes by hour, day or week, and what the process that answers counted, whatever is away."""
    length, unit = WINDOWS[window]
    stored, missing = await _stored(services, window)
    now = services.clock()
    return ServiceReport(
        as_of=now,
        window=window,
        unit=unit,
        deadline_ms=services.settings.deadline_ms,
        stored=stored,
        missing=missing,
        process=_process(services, now - length, unit),
    )


async def _stored(services: Services, window: Window) -> tuple[StoredService | None, str | None]:
    """What the database has, or why it is not here: nobody waits long for it, and what comes later is kept for the next who asks."""
    length, unit = WINDOWS[window]
    deadline_ms = services.settings.deadline_ms

    def read(connection: "Connection") -> StoredService:
        from sentiment_platform.store.service_levels import answers_of, service_periods

        now = services.clock()
        whole, periods = service_periods(connection, now - length, now, unit, deadline_ms)
        versions, stood_in = answers_of(connection, now - LAST_HOUR, now)
        return StoredService(
            predictions=whole.predictions,
            cache_hits=whole.cache_hits,
            degraded=whole.degraded,
            within_deadline=whole.within_deadline,
            latency_ms=_latency(whole),
            periods=[shown for period in periods if (shown := _period(period))],
            last_hour=LastHour(versions=[_answered(one) for one in versions], stood_in=stood_in),
        )

    limit_s = AWAY_S if services.database.status.status == "down" else STORED_S
    reading = services.recent.get(("service", window), lambda: services.database.call(read))
    try:
        return await asyncio.wait_for(reading, limit_s), None
    except DatabaseUnavailable as error:
        return None, str(error)
    except TimeoutError:
        return None, f"The database has not answered within {limit_s:g} s."


def _period(period: "service_levels.ServicePeriod") -> ServicePeriod | None:
    if period.start is None:
        return None
    return ServicePeriod(
        start=period.start,
        predictions=period.predictions,
        cache_hits=period.cache_hits,
        degraded=period.degraded,
        within_deadline=period.within_deadline,
        latency_ms=_latency(period),
    )


def _answered(one: "service_levels.VersionAnswers") -> AnsweredInHour:
    return AnsweredInHour(family=one.family, version=one.version, arm=one.arm, answers=one.answers, latency_ms=_latency(one))


def _latency(period: "service_levels.ServicePeriod | service_levels.VersionAnswers") -> LatencyMs | None:
    if period.p50_ms is None or period.p95_ms is None or period.p99_ms is None:
        return None
    return LatencyMs(*(round(value, 3) for value in (period.p50_ms, period.p95_ms, period.p99_ms)))


def _process(services: Services, since: datetime, unit: Unit) -> ProcessCounts:
    metrics = services.metrics
    counts = metrics.answers()
    return ProcessCounts(
        started_at=services.started_at,
        requests=sum(counts.values()),
        client_errors=counts["4"],
        server_errors=counts["5"],
        shed=metrics.total(metrics.shed),
        journal_backlog_records=services.journal.backlog_records,
        journal_bytes=services.journal.size_bytes,
        journal_used=round(services.journal.used, 4),
        journal_dropped=metrics.total(metrics.journal_dropped),
        journal_rejected=metrics.total(metrics.journal_rejected),
        feedback_rejected=metrics.total(metrics.feedback_rejected),
        unserved=_unserved(metrics),
        answers=[
            VersionAnswers(family=family, version=version, arm=arm, answers=answers)
            for family, version, arm, answers in metrics.answers_by_version()
        ],
        arms=[
            ArmAnswers(
                experiment=experiment,
                arm=arm,
                answered=by.get("answered", 0),
                absent=by.get("absent", 0),
                failed=by.get("failed", 0),
            )
            for (experiment, arm), by in metrics.answers_by_arm().items()
        ],
        shadow=_shadow(metrics),
        rollbacks=metrics.by(metrics.auto_rollbacks, "metric"),
        load=_load(services),
        periods=_process_periods(services, since, unit),
    )


def _unserved(metrics: Metrics) -> Unserved:
    return Unserved(
        refused=metrics.by(metrics.refused, "work"),
        late=metrics.by(metrics.late, "work"),
        degraded=metrics.by(metrics.degraded, "reason"),
        rate_limited=metrics.by(metrics.rate_limited, "limit"),
        keys_refused=metrics.by(metrics.keys_refused, "reason"),
        model_errors=metrics.by(metrics.model_errors, "version"),
    )


def _shadow(metrics: Metrics) -> ShadowAnswers | None:
    by = metrics.by(metrics.shadow_answers, "outcome")
    if not by:
        return None
    return ShadowAnswers(answered=by.get("answered", 0), failed=by.get("failed", 0), left_out=by.get("left_out", 0))


def _load(services: Services) -> ProcessLoad:
    watch, holds = services.loop_watch, held()
    return ProcessLoad(
        instance=instance_name(),
        replica=replica_name(),
        window_s=round(watch.seconds, 3),
        requests_per_s=round(watch.requests_per_s, 2),
        refused_per_s=round(watch.refused_per_s, 2),
        capacity_per_s=round(watch.capacity_per_s, 1) if watch.capacity_per_s is not None else None,
        saturation=round(watch.saturation, 4),
        loop_lag_p99_ms=round(watch.lag_p99_s * 1000, 3),
        # This very request is one of them.
        in_flight=max(0, services.metrics.in_flight - services.events.streams - 1),
        open_streams=services.events.streams,
        queued_texts=int(services.queue_depth()),
        resident_bytes=holds.resident_bytes,
        descriptors=holds.descriptors,
        threads=holds.threads,
        stuck_threads=services.scheduler.stuck(),
    )


def _process_periods(services: Services, since: datetime, unit: Unit) -> list[ProcessPeriod]:
    periods: dict[datetime, Counter[str]] = {}
    for hour, counts in services.metrics.answers_by_hour().items():
        # An hour that the window cuts counts as a whole.
        if hour > since - timedelta(hours=1):
            periods.setdefault(_start(hour, unit), Counter()).update(counts)
    return [
        ProcessPeriod(
            start=start,
            requests=counts.total() - counts[REFUSED],
            client_errors=counts["4"],
            server_errors=counts["5"],
            refused=counts[REFUSED],
        )
        for start, counts in periods.items()
    ]


def _start(hour: datetime, unit: Unit) -> datetime:
    """Of the hour, day or week (from Monday, UTC) that an hour is in."""
    if unit == "hour":
        return hour
    return hour.replace(hour=0) - timedelta(days=hour.weekday() if unit == "week" else 0)


def routes() -> list[HTTPRouteHandler]:
    """The route."""
    return [service]
