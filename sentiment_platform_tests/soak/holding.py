"""What a process holds at a moment, to be compared with what it held before."""

from dataclasses import dataclass

from sentiment_platform_tests.soak.stack import Stack


@dataclass(frozen=True)
class Held:
    """Counts, and resident memory in MB (10^6 bytes)."""

    resident_mb: float
    descriptors: int
    threads: int
    connections: int
    """Of the process to PostgreSQL and Redis, and of clients to it."""
    series: int
    """Samples of `GET /metrics`."""


def look(stack: Stack) -> Held:
    process = stack.process
    lines = stack.serving.client.get("/metrics").text.splitlines()
    return Held(
        resident_mb=process.memory_info().rss / 1e6,
        descriptors=process.num_fds(),
        threads=process.num_threads(),
        connections=len(process.net_connections(kind="tcp")),
        series=sum(not line.startswith("#") for line in lines),
    )
