"""What the process holds, for Prometheus and for people: memory, descriptors, threads."""

import hashlib
import os
import socket
import threading
from dataclasses import dataclass

_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Held:
    """At this moment; None where the system does not tell."""

    resident_bytes: int | None
    descriptors: int | None
    threads: int


def instance_name() -> str:
    """Which process this is, among several on one machine or many: `host:pid`."""
    return f"{socket.gethostname()}:{os.getpid()}"


def replica_name() -> str:
    """The same for everybody to see: it tells processes apart, as `store.replicas` does, and names no machine."""
    return hashlib.md5(instance_name().encode(), usedforsecurity=False).hexdigest()[:8]


def held() -> Held:
    """Read from /proc where there is one."""
    return Held(_resident(), _count("/proc/self/fd"), _count("/proc/self/task") or threading.active_count())


def _resident() -> int | None:
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * _PAGE
    except OSError:
        return None


def _count(folder: str) -> int | None:
    try:
        return len(os.listdir(folder))
    except OSError:
        return None
