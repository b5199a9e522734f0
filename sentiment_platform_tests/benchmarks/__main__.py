"""`python -m sentiment_platform_tests.benchmarks [ID ...]`: run the named rows, or all, and print one JSON object a line.

Exit status: 0 when every figure keeps its bound, 1 when one does not, 2 when a row is unknown or cannot be measured.
"""

import json
import sys
from collections.abc import Sequence
from importlib import import_module
from pkgutil import iter_modules

import sentiment_platform_tests.benchmarks as package
from sentiment_platform.errors import PlatformError
from sentiment_platform_tests.benchmarks.rows import TABLE, Table, machine


def main(arguments: Sequence[str], table: Table = TABLE) -> int:
    """Run what `arguments` name; returns the exit status."""
    if "--list" in arguments:
        for row in table.choose([]):
            print(f"{row.row_id:8} {row.title}")
        return 0
    try:
        rows = table.choose(arguments)
        where = machine()
        missed = False
        for row in rows:
            for figure in row.measure():
                print(json.dumps(figure.document(row.row_id, where)), flush=True)
                missed |= not figure.passes
    except PlatformError as error:
        print(error, file=sys.stderr)
        return 2
    return int(missed)


def load_rows() -> None:
    """Import every file of this folder that measures something, so that its rows are in the table."""
    for module in iter_modules(package.__path__):
        if not module.name.startswith(("_", "test_")):
            import_module(f"{package.__name__}.{module.name}")


if __name__ == "__main__":
    load_rows()
    sys.exit(main(sys.argv[1:]))
