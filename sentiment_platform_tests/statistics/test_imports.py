"""What importing the ground floor drags in."""

import subprocess
import sys


def test_nothing_heavy_is_imported_until_it_is_used():
    code = (
        "import sys, pkgutil, importlib, sentiment_platform.statistics as s, sentiment_platform.models.head.head,"
        " sentiment_platform.models.head.fitting, sentiment_platform.models.pages.plots\n"
        "for module in pkgutil.iter_modules(s.__path__, s.__name__ + '.'): importlib.import_module(module.name)\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'scipy', 'matplotlib', 'dagster', 'polars'}))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert answer.stdout.strip() == "[]"
