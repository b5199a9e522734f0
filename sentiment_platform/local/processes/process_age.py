"""How long ago this process was started: what a stopwatch in somebody's hand would show, imports included."""

import os
import subprocess
import sys
import time
from pathlib import Path


def process_age_s() -> float:
    """Seconds since the kernel started this process; whole seconds on systems other than Linux."""
    if sys.platform.startswith("linux"):
        # The command name is in parentheses and may itself hold spaces and parentheses: split behind the last one.
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        return time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[19]) / os.sysconf("SC_CLK_TCK")
    shown = subprocess.run(["ps", "-o", "etime=", "-p", str(os.getpid())], capture_output=True, text=True, check=True)
    return elapsed_s(shown.stdout)


def elapsed_s(shown: str) -> float:
    """Seconds of what `ps -o etime` shows, `[[days-]hours:]minutes:seconds` (POSIX)."""
    days, _, clock = shown.strip().rpartition("-")
    seconds = 0
    for part in clock.split(":"):
        seconds = seconds * 60 + int(part)
    return float(int(days or 0) * 86_400 + seconds)
