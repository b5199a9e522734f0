"""How long a fresh process needs to import what everything starts with."""

import re
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

from sentiment_platform.errors import PermanentError
from sentiment_platform_tests.benchmarks.rows import TABLE, Figure

ROUNDS = 7
TIMEOUT_S = 120
LINE = re.compile(r"import time:\s*(\d+) \|\s*\d+ \|\s*([\w.]+)")


@TABLE.row("F.12", "importing the graph and importing the serving application")
def import_times() -> Iterator[Figure]:
    for module, target_s in (("sentiment_platform.definitions", 4.0), ("serving.app", 1.2)):
        yield import_time(module, target_s)


def import_time(module: str, target_s: float, rounds: int = ROUNDS) -> Figure:
    """The median time of `import module` over `rounds` fresh processes, after one that writes the bytecode.

    Raises:
        PermanentError: the module cannot be imported.
    """
    shares = package_shares(module)
    pairs = [_run(_timed(module)).split() for _ in range(rounds)]
    seconds = [float(wall) for wall, _ in pairs]
    return Figure(
        what=f"import {module}",
        value=statistics.median(seconds),
        unit="s",
        target=target_s,
        n=rounds,
        explains={
            "rounds_s": [round(value, 3) for value in seconds],
            "processor_s": round(statistics.median(float(own) for _, own in pairs), 3),
            "largest_shares_s": shares,
        },
    )


def package_shares(module: str, largest: int = 6) -> dict[str, float]:
    """Seconds that the own code of each top-level package took, the largest first, from one run under `-X importtime`."""
    shares: Counter[str] = Counter()
    for own_us, name in LINE.findall(_run(f"import {module}", "-X", "importtime")):
        shares[name.partition(".")[0]] += int(own_us)
    return {name: round(own_us / 1e6, 3) for name, own_us in shares.most_common(largest)}


def _timed(module: str) -> str:
    """Prints the time on the clock and the time on the processor; they part when something else runs beside it."""
    return (
        f"import time; wall, own = time.perf_counter(), time.process_time(); import {module}; "
        "print(time.perf_counter() - wall, time.process_time() - own)"
    )


def _run(code: str, *options: str) -> str:
    """Run `code`; what it printed, or with options what the interpreter said on stderr."""
    result = subprocess.run(
        [sys.executable, *options, "-c", code], capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    if result.returncode:
        raise PermanentError(f"`{code}` failed:\n{result.stderr.strip()}", remedy="Make it importable first.")
    return result.stderr if options else result.stdout
