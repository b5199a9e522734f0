"""`python -m sentiment_platform_tests.soak [ROW ...]`: the long trials, one table at the end of each; how long they take: `options`.

Exit status: 0 when every figure keeps its bound, 1 when one does not, 2 when a row is unknown.
"""

import sys
from collections.abc import Sequence
from importlib import import_module

from sentiment_platform.errors import PlatformError
from sentiment_platform_tests.benchmarks.rows import Figure, machine
from sentiment_platform_tests.soak.rows import TABLE


def main(arguments: Sequence[str]) -> int:
    for name in ("mixed", "hostile"):
        import_module(f"sentiment_platform_tests.soak.{name}")
    try:
        rows = TABLE.choose(arguments)
    except PlatformError as error:
        print(error, file=sys.stderr)
        return 2
    print(machine(), flush=True)
    missed = False
    for row in rows:
        print(f"\n{row.row_id}: {row.title}", flush=True)
        for figure in row.measure():
            print(line(figure), flush=True)
            missed |= not figure.passes
    print("\nEvery figure keeps its bound." if not missed else "\nFAILED: a figure does not keep its bound.", flush=True)
    return int(missed)


def line(figure: Figure) -> str:
    """One row of the table, and beneath it what explains a figure."""
    bound = f"{'>=' if figure.at_least else '<='} {figure.target:g}"
    shown = f"  {'ok    ' if figure.passes else 'MISSED'} {figure.what:52} {figure.value:12.3f} {figure.unit:6} {bound:>10}   n={figure.n}"
    return "\n".join(
        [shown, *(f"           {name}: {value}" for name, value in figure.explains.items() if value not in ([], {}))]
    )


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
