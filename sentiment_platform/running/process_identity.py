"""What tells a process from a later one with the same number. The standard library only: the supervisor imports it without site-packages."""

import subprocess
import sys
from pathlib import Path


def process_identity(pid: int) -> str | None:
    """What tells this process from a later one with the same number (boot and start time); None when it is gone or a zombie."""
    if not sys.platform.startswith("linux"):
        shown = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
        text = " ".join(shown.stdout.split())
        return None if not text or text.startswith("Z") else text.partition(" ")[2]
    try:
        # The command name is in parentheses and may itself hold spaces and parentheses: split behind the last one.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    if fields[0] in ("Z", "X"):
        return None
    boot = Path("/proc/sys/kernel/random/boot_id")
    return f"{boot.read_text().strip() if boot.exists() else '-'} {fields[19]}"
