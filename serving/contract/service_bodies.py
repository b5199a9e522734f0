"""Body of GET /monitoring/service: how this service did over a window."""

from typing import Literal

from msgspec import Struct

from serving.contract.values import Moment

Window = Literal["24h", "7d", "30d", "12w"]


class LatencyMs(Struct, frozen=True):
    """Percentiles of the time to answer, in milliseconds, as each answer stated it."""

    p50: float
    p95: float
    p99: float


class ServicePeriod(Struct, frozen=True, kw_only=True):
    """Predictions of one hour, day or week (UTC, from Monday) from `start` on; `latency_ms` is null where none was timed."""

    start: Moment
    predictions: int
    cache_hits: int
    degraded: int
    within_deadline: int
    latency_ms: LatencyMs | None


class ProcessPeriod(Struct, frozen=True, kw_only=True):
    """Requests to this process in one hour, day or week from `start` on: all of them, those refused as wrong (4xx), those that failed (5xx)."""

    start: Moment
    requests: int
    client_errors: int
    server_errors: int


class ProcessLoad(Struct, frozen=True, kw_only=True):
    """How busy the process that answers is: over the last minute, and at this moment.

    `saturation`: share of the time that its event loop worked; near 1 every further request waits longer than the one before.
    `capacity_per_s`: requests a second that it could answer if all were like those of the last minute; null while it is idle.
    `loop_lag_p99_ms`: how late the slowest hundredth of its timers came. `queued_texts` wait for a model or are with it.
    """

    instance: str
    requests_per_s: float
    capacity_per_s: float | None
    saturation: float
    loop_lag_p99_ms: float
    in_flight: int
    open_streams: int
    queued_texts: int
    resident_bytes: int | None
    descriptors: int | None
    threads: int


class ProcessCounts(Struct, frozen=True, kw_only=True):
    """What this process alone counts, from its start on: every route but the probes under /health, not predictions only.

    `shed`: predictions that a family could not take within the deadline. `journal_backlog_records` are not in the database yet;
    `journal_dropped` never will be. `feedback_rejected`: feedback on predictions that never were. `periods`: the window's, oldest first, as far as this process was running; those without a request are absent.
    """

    started_at: Moment
    requests: int
    client_errors: int
    server_errors: int
    shed: int
    journal_backlog_records: int
    journal_dropped: int
    feedback_rejected: int
    load: ProcessLoad
    periods: list[ProcessPeriod]


class ServiceReport(Struct, frozen=True, kw_only=True):
    """The stored predictions of every serving process in `window` before `as_of`, as a whole and by `unit`; periods without any are absent.

    `within_deadline`: predictions that took no longer than `deadline_ms`, the level of service that this process is set to.
    A request that failed has no prediction: errors are in `process`, by period too.
    """

    as_of: Moment
    window: Window
    unit: Literal["hour", "day", "week"]
    predictions: int
    cache_hits: int
    degraded: int
    deadline_ms: int
    within_deadline: int
    latency_ms: LatencyMs | None
    periods: list[ServicePeriod]
    process: ProcessCounts
