"""The trials by the id of their row; how one is made is in the file of its subject."""

from sentiment_platform_tests.benchmarks.rows import Table

TABLE = Table()
