"""The files that Dagster is configured by: those of the working folder, else those that come with the package.

So a command means the same in any folder: without a `dagster.yaml` Dagster would keep its runs in SQLite files and report what it does.
"""

from pathlib import Path

INSTANCE, WORKSPACE = "dagster.yaml", "workspace.yaml"


def dagster_file(name: str) -> Path:
    """Absolute path of INSTANCE or WORKSPACE: the working folder's own where there is one, else the package's copy of the repository's."""
    own = Path(name).resolve()
    return own if own.is_file() else Path(__file__).with_name(name)
