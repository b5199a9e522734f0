"""Claims about what the reading side loads."""

import subprocess
import sys

PROGRAM = """
import sys
import sentiment_platform.registry.cache, sentiment_platform.registry.reader
heavy = {"github", "requests", "cryptography", "dagster", "torch", "numpy", "pandas", "polars", "scipy", "onnxruntime"}
print(",".join(sorted(heavy & {name.split(".")[0] for name in sys.modules})))
"""


def test_importing_the_reader_loads_neither_pygithub_nor_anything_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == ""
