"""Body of GET /monitoring/service: how this service did over a window."""

from typing import Literal

from msgspec import Struct

from serving.contract.values import Moment, Replica

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
    """Requests to this process in one hour, day or week from `start` on: all of them, those refused as wrong (4xx), those with a 5xx.

    `refused`: those of the 5xx that were refused at the door, because they could not be answered in time.
    """

    start: Moment
    requests: int
    client_errors: int
    server_errors: int
    refused: int


class ProcessLoad(Struct, frozen=True, kw_only=True):
    """How busy the process that answers is: over the last `window_s` seconds (a minute, or less after a start), and at this moment.

    `instance` is its name in the metrics, `replica` the one in flags, status and selections. `refused_per_s`: of `requests_per_s`, those
    refused at the door. `saturation`: share of the time in which its event loop worked, or had to refuse; near 1 every further request
    waits longer than the one before, or is refused. `capacity_per_s`: requests a second that it could answer if all were like those
    answered in that time; null while it is idle. `loop_lag_p99_ms`: how late the slowest hundredth of its timers came. `in_flight`:
    without the request that asks this. `queued_texts` wait for a model or are with it.
    `stuck_threads`: whose model does not end at a text; where there are too many, GET /health says 503 until a new start.
    """

    instance: str
    replica: Replica
    window_s: float
    requests_per_s: float
    refused_per_s: float
    capacity_per_s: float | None
    saturation: float
    loop_lag_p99_ms: float
    in_flight: int
    open_streams: int
    queued_texts: int
    resident_bytes: int | None
    descriptors: int | None
    threads: int
    stuck_threads: int


class VersionAnswers(Struct, frozen=True, kw_only=True):
    """Answers of one version, as a champion (`arm` null) or as an arm of an experiment; versions that answer no more leave the list."""

    family: str
    version: str
    arm: str | None
    answers: int


class AnsweredInHour(Struct, frozen=True, kw_only=True):
    """Stored answers of one version in the last hour, as a champion (`arm` null) or as an arm of an experiment, and their times."""

    family: str
    version: str
    arm: str | None
    answers: int
    latency_ms: LatencyMs | None


class LastHour(Struct, frozen=True, kw_only=True):
    """Who gave the stored answers of the last hour, of every serving process. `stood_in`: those that another version gave than the one
    that should have, by `degraded_reason` (`unknown` where none was kept); a reason that counted nothing is absent."""

    versions: list[AnsweredInHour]
    stood_in: dict[str, int]


class ArmAnswers(Struct, frozen=True, kw_only=True):
    """Requests of one arm of an experiment; of those `absent` its version was not loaded here, at those `failed` it failed: another answered."""

    experiment: str
    arm: str
    answered: int
    absent: int
    failed: int


class ShadowAnswers(Struct, frozen=True, kw_only=True):
    """What became of the share of the version in shadow; those `left_out` had no time, and the replay of the log asks them."""

    answered: int
    failed: int
    left_out: int


class Unserved(Struct, frozen=True, kw_only=True):
    """What was not served as it was asked: word -> how often since the start; a word that counted nothing is absent, new words may come.

    `refused`: predictions refused before anything was looked up, by class of work. `late`: begun and not done in time, by class.
    `degraded`: answers by a cheaper family, by reason. `rate_limited`: by the limit of an address, a key, or of wrong keys (`guess`).
    `keys_refused`: wrong keys, or keys without the role or scope. `model_errors`: by the version that failed at a text.
    """

    refused: dict[str, int]
    late: dict[str, int]
    degraded: dict[str, int]
    rate_limited: dict[str, int]
    keys_refused: dict[str, int]
    model_errors: dict[str, int]


class ProcessCounts(Struct, frozen=True, kw_only=True):
    """What this process alone counts, from its start on: every route but the probes under /health, not predictions only.

    `shed`: predictions that a family could not take within the deadline. `journal_backlog_records` are not in the database yet, and take
    `journal_bytes` of the disk; `journal_used`: share of the journal's room that is taken, of predictions or of feedback and acts,
    whichever is more: at 1 the oldest predictions are given up, or feedback is refused. `journal_dropped` never will be in the database;
    `journal_rejected` was set aside as damaged, or refused by it. `feedback_rejected`: feedback on predictions that never were.
    `rollbacks`: times that it went back by itself after a swap, by what was worse. `shadow`: null where nothing was asked in shadow.
    `periods`: the window's, oldest first, as far as this process was running; those without a request are absent.
    """

    started_at: Moment
    requests: int
    client_errors: int
    server_errors: int
    shed: int
    journal_backlog_records: int
    journal_bytes: int
    journal_used: float
    journal_dropped: int
    journal_rejected: int
    feedback_rejected: int
    unserved: Unserved
    answers: list[VersionAnswers]
    arms: list[ArmAnswers]
    shadow: ShadowAnswers | None
    rollbacks: dict[str, int]
    load: ProcessLoad
    periods: list[ProcessPeriod]


class StoredService(Struct, frozen=True, kw_only=True):
    """The stored predictions of every serving process in the window, as a whole and by `unit`; periods without any are absent.

    `within_deadline`: predictions that took no longer than `deadline_ms`. A request that failed has no prediction: errors are in
    `process`, by period too.
    """

    predictions: int
    cache_hits: int
    degraded: int
    within_deadline: int
    latency_ms: LatencyMs | None
    periods: list[ServicePeriod]
    last_hour: LastHour


class ServiceReport(Struct, frozen=True, kw_only=True):
    """How serving did in `window` before `as_of`: `stored` in the database by every process, `process` counted by the one that answers.

    `stored` is null while the database does not tell it, and `missing` says why; `process` is always there. `deadline_ms`: the level of
    service that this process is set to.
    """

    as_of: Moment
    window: Window
    unit: Literal["hour", "day", "week"]
    deadline_ms: int
    stored: StoredService | None
    missing: str | None
    process: ProcessCounts
