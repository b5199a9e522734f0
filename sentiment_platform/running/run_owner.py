"""Which process a headless run belongs to, written into its tags, and whether that process is gone.

Only the machine that a process ran on can tell. Containers may share a host name and a kernel without seeing each other's processes:
where that is so the answer is no, and the run is left to the limit on its time.
"""

import os
import socket
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from sentiment_platform.run_tags import HOST, PROCESS, PROCESS_START
from sentiment_platform.running.process_identity import process_identity


def owner_tags() -> dict[str, str]:
    """Tags that name this process: host; number in its process namespace; boot and start time."""
    return {HOST: host(), PROCESS: f"{os.getpid()} {_namespace()}", PROCESS_START: process_identity(os.getpid()) or ""}


def host() -> str:
    """The host's name, with a mark that differs between two machines of one name (of `localhost` there are many)."""
    machine_id = Path("/etc/machine-id")
    mark = sha256(machine_id.read_bytes()).hexdigest()[:12] if machine_id.is_file() else "-"
    return f"{socket.gethostname()} {mark}"


def owner_is_gone(tags: Mapping[str, str]) -> bool:
    """Whether the process that wrote `tags` is proven to have ended; False for another host's and for tags of another kind."""
    if tags.get(HOST) != host() or not tags.get(PROCESS_START):
        return False
    if _boot(tags[PROCESS_START]) != _boot(process_identity(os.getpid()) or ""):
        return True
    pid, _, namespace = tags.get(PROCESS, "").partition(" ")
    return namespace == _namespace() and pid.isdigit() and process_identity(int(pid)) != tags[PROCESS_START]


def _boot(identity: str) -> str:
    # Only Linux tells its boots apart; elsewhere an identity is a date alone.
    return identity.partition(" ")[0] if Path("/proc/sys/kernel/random/boot_id").exists() else "-"


def _namespace() -> str:
    link = Path("/proc/self/ns/pid")
    return os.readlink(link) if link.exists() else "-"
