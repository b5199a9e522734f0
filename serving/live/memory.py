"""How much memory this process may still take: by its container's limit, and by what the machine has."""

from collections.abc import Callable, Mapping
from pathlib import Path

from serving.live.model_cost import MIB

FreeMemory = Callable[[], float]
"""MiB; infinite where the system does not say."""
TIMES, MORE_MB = 1.25, 48.0
"""A version fits where so many times what it needs is free, and so much more: it answers while it is loaded."""


def free_mb(root: Path = Path("/")) -> float:
    """MiB that are free in the container (control groups of version 2 or 1) and on the machine; the smaller of both."""
    return min(_in_container(root), _on_machine(root))


def fits(needed_mb: float, free: float) -> bool:
    """Whether a version that needs `needed_mb` can be loaded beside what is there."""
    return free >= TIMES * needed_mb + MORE_MB


def _in_container(root: Path) -> float:
    groups = root / "sys/fs/cgroup"
    limit, used, unneeded = (
        _number(groups / "memory.max"),
        _number(groups / "memory.current"),
        _table(groups / "memory.stat").get("inactive_file", 0.0),
    )
    if limit is None or used is None:
        groups = groups / "memory"
        limit, used = _number(groups / "memory.limit_in_bytes"), _number(groups / "memory.usage_in_bytes")
        unneeded = _table(groups / "memory.stat").get("total_inactive_file", 0.0)
    if limit is None or used is None:
        return float("inf")
    return (limit - used + unneeded) / MIB


def _on_machine(root: Path) -> float:
    available = _table(root / "proc/meminfo").get("MemAvailable:")
    return float("inf") if available is None else available * 1024 / MIB


def _number(path: Path) -> float | None:
    """None for a file that is not there, and for "max"."""
    try:
        return float(path.read_text())
    except (OSError, ValueError):
        return None


def _table(path: Path) -> Mapping[str, float]:
    """The first number of each line by its first word."""
    try:
        lines = [line.split() for line in path.read_text().splitlines()]
        return {words[0]: float(words[1]) for words in lines if len(words) > 1}
    except (OSError, ValueError):
        return {}
