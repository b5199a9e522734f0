"""What this process counts, for Prometheus. Every label comes from a closed or bounded set: never a text, a user or a raw path."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from sentiment_platform.clock import Clock, utc_now

METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
UNASKED = ("/health", "/metrics")
HOURS_KEPT = timedelta(weeks=12)
REFUSED = "refused"
"""Beside the first digits of statuses: how many of the 5 were refusals of the door."""
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.5)


class Metrics:
    """The instruments, on a registry of their own."""

    def __init__(self, *, clock: Clock = utc_now) -> None:
        self.registry = CollectorRegistry()
        # Memory, descriptors, processor seconds, start time: `process_...`.
        ProcessCollector(registry=self.registry)
        self._answered = self._refused = 0
        self.in_flight = 0
        """Requests that are being answered, open streams among them."""
        self._clock = clock
        self._hours: dict[datetime, dict[str, int]] = {}

        def counter(name: str, meaning: str, *labels: str) -> Counter:
            return Counter(name, meaning, labels, registry=self.registry)

        self._requests = counter("serving_requests", "Requests answered.", "route", "method", "status")
        self._seconds = Histogram(
            "serving_request_seconds", "Time to answer, in seconds.", ["route"], buckets=_SECONDS, registry=self.registry
        )
        self.connections_refused = counter(
            "serving_connections_refused",
            "Connections closed before a request was complete, whose answer nobody read, or to make room while they rested.",
            "reason",
        )
        self.loop_lag = Histogram(
            "serving_loop_lag_seconds", "How late timers of the event loop come.", buckets=_SECONDS, registry=self.registry
        )
        self._answers = counter("serving_answers", "Answers recorded, by version and arm.", "family", "version", "arm")
        self._answering = set[str]()
        self.predictions = counter("serving_predictions", "Predictions answered.", "family", "cache", "degraded")
        self.feedback = counter(
            "serving_feedback", "Feedback taken: of a known voice, anonymous, or with an unchecked key.", "voice"
        )
        self.rate_limited = counter(
            "serving_rate_limited",
            "Requests over the limit of an address, of a key, or of wrong keys; told by redis, memory or this process alone.",
            "limit",
            "told_by",
        )
        self.limits_alone = counter(
            "serving_limits_alone", "Requests whose limit this process judged by its own count, because Redis did not answer."
        )
        self.keys_refused = counter(
            "serving_keys_refused", "API keys that were refused: wrong, or without the role or scope.", "reason"
        )
        self.shed = counter("serving_shed", "Predictions that a family could not take within the deadline.", "family")
        self.refused = counter("serving_refused", "Predictions refused before anything was looked up, by class of work.", "work")
        self.late = counter("serving_late", "Work that was begun and not done in time, by class.", "work")
        self.degraded = counter("serving_degraded", "Answers by a cheaper family than planned, by reason.", "reason")
        self.computed = counter(
            "serving_computed", "Answers that a model computed, for one request or several at a time.", "family"
        )
        self.model_errors = counter(
            "serving_model_errors", "Times that a version failed at a text, whatever answered in its place.", "family", "version"
        )
        self.arms = counter(
            "serving_experiment_answers",
            "Answers by arm of an experiment; `absent`: its version is not loaded here, `failed`: it failed at the text; another one answered.",
            "experiment",
            "phase",
            "arm",
            "outcome",
        )
        self.shadow_answers = counter(
            "serving_shadow_answers", "Requests of the share of the version in shadow, by what became of them.", "outcome"
        )
        self.swaps = counter("serving_swaps", "Attempts to bring a deployment or selection live.", "outcome")
        self.auto_rollbacks = counter(
            "serving_auto_rollbacks", "Times that this process went back by itself after a swap, by what was worse.", "metric"
        )
        self.gaps = counter(
            "serving_gaps", "Times that a version was unloaded before its successor was loaded, because both do not fit."
        )
        self.polls = counter("serving_polls", "Looks at the registry.", "outcome")
        self.journal_dropped = counter(
            "serving_journal_dropped", "Predictions that the full or failing journal did not take, or gave up for newer ones."
        )
        self.journal_shipped = counter("serving_journal_shipped", "Journal records committed to the database.")
        self.journal_rejected = counter(
            "serving_journal_rejected", "Journal records set aside: damaged, or refused by the database."
        )
        self.feedback_rejected = counter(
            "serving_feedback_rejected", "Feedback on no prediction: refused, or found so when it was shipped to the database."
        )
        self._revision = Gauge(
            "serving_live_revision", "Revision of the live deployment; 0 before the first.", registry=self.registry
        )
        self._models = Gauge("serving_live_model", "1 for each live version.", ["family", "version"], registry=self.registry)

    def observe_request(self, route: str, method: str, status: int, seconds: float | None) -> None:
        """Count one request under its route template, and how long it took; status 0 is a client that left before the answer."""
        self._answered += 1
        self._requests.labels(route, method if method in METHODS else "OTHER", str(status)).inc()
        if seconds is not None:
            self._seconds.labels(route).observe(seconds)
        if not route.startswith("/health"):
            self._count_hour(str(status)[0])

    def count_answer(self, family: str, version: str, arm: str | None) -> None:
        """Count one answer under the version that gave it."""
        self._answers.labels(family, version, arm or "none").inc()

    def observe_refusal(self, route: str, work: str) -> None:
        """Count one prediction that was refused before anything was looked up."""
        self.refused.labels(work).inc()
        self._refused += 1
        self.observe_request(route, "POST", 503, None)
        self._count_hour(REFUSED)

    def show_live(self, revision: int, versions: dict[str, str]) -> None:
        """Replace what is said to be live: family -> version."""
        self._revision.set(revision)
        self._models.clear()
        for family, version in versions.items():
            self._models.labels(family, version).set(1)
        # Series of versions that answer no more would pile up with each swap; the last ones stay for a request under way.
        kept = self._answering | set(versions.values())
        for counted, names in ((self._answers, ("family", "version", "arm")), (self.model_errors, ("family", "version"))):
            for labels, _ in _samples(counted):
                if labels["version"] not in kept:
                    counted.remove(*(labels[name] for name in names))
        self._answering = set(versions.values())

    def watch(self, name: str, meaning: str, value: Callable[[], float]) -> None:
        """A gauge that is read when it is scraped."""
        Gauge(name, meaning, registry=self.registry).set_function(value)

    def watch_each(self, name: str, meaning: str, label: str, values: Mapping[str, Callable[[], float]]) -> None:
        """A gauge with one label, each of whose values is read when it is scraped."""
        gauge = Gauge(name, meaning, [label], registry=self.registry)
        for value, read in values.items():
            gauge.labels(value).set_function(read)

    def requests_answered(self) -> int:
        """All of them, since the start."""
        return self._answered

    def requests_refused(self) -> int:
        """Those of them that were refused before anything was looked up, since the start."""
        return self._refused

    def answers(self) -> dict[str, int]:
        """First digit of the status -> requests; "0" for clients that left before the answer. Every digit from 0 to 5 is there.

        Probes are left out: a process that says "not ready yet" has failed nobody.
        """
        counts = dict.fromkeys("012345", 0)
        for labels, value in _samples(self._requests):
            if not labels["route"].startswith("/health"):
                counts[labels["status"][0]] += int(value)
        return counts

    @property
    def asked(self) -> int:
        """Requests that somebody wanted something with: neither probes of health nor scrapes of metrics."""
        counted = (value for labels, value in _samples(self._requests) if not labels["route"].startswith(UNASKED))
        return int(sum(counted))

    def answers_by_hour(self) -> Mapping[datetime, Mapping[str, int]]:
        """Start of each hour (UTC) with requests, of the last 12 weeks, oldest first -> what `answers` has, of that hour, and `REFUSED`."""
        return self._hours

    def _count_hour(self, counted: str) -> None:
        hour = self._clock().replace(minute=0, second=0, microsecond=0)
        if hour not in self._hours:
            self._hours = {start: counts for start, counts in self._hours.items() if start >= hour - HOURS_KEPT}
            self._hours[hour] = dict.fromkeys((*"012345", REFUSED), 0)
        self._hours[hour][counted] += 1

    def total(self, counter: Counter) -> int:
        """What a counter has counted, whatever its labels."""
        return sum(int(value) for _, value in _samples(counter))

    def by(self, counter: Counter, label: str) -> dict[str, int]:
        """Value of one label -> what a counter has counted under it; values that counted nothing are absent."""
        counts: dict[str, int] = {}
        for labels, value in _samples(counter):
            if value:
                counts[labels[label]] = counts.get(labels[label], 0) + int(value)
        return counts

    def answers_by_version(self) -> list[tuple[str, str, str | None, int]]:
        """Family, version, arm (None: as a champion) and answers, in this order."""
        rows = [(at["family"], at["version"], at["arm"], int(value)) for at, value in _samples(self._answers)]
        return [(family, version, None if arm == "none" else arm, answers) for family, version, arm, answers in sorted(rows)]

    def answers_by_arm(self) -> dict[tuple[str, str], dict[str, int]]:
        """Experiment and arm -> what `arms` has by outcome, of all phases."""
        arms: dict[tuple[str, str], dict[str, int]] = {}
        for at, value in _samples(self.arms):
            by = arms.setdefault((at["experiment"], at["arm"]), {})
            by[at["outcome"]] = by.get(at["outcome"], 0) + int(value)
        return arms

    def render(self) -> bytes:
        """The text format of Prometheus."""
        return generate_latest(self.registry)


def _samples(counter: Counter) -> list[tuple[dict[str, str], float]]:
    return [
        (sample.labels, sample.value)
        for metric in counter.collect()
        for sample in metric.samples
        if sample.name.endswith("_total")
    ]
