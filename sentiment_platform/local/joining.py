"""What a command takes over of a stack that another process runs: whatever the shell and `.env` leave open.

A part comes whole from one place, and the variable that switches it on decides from which: a database of the shell is never mixed with
the direct address of the stack's, and the stack's leave to ask private hosts is for its own feeds alone.
"""

from collections.abc import Mapping

from sentiment_platform.settings import Settings
from sentiment_platform.store.dagster_storage import DAGSTER_POSTGRES_URL, dagster_storage_url

_KEYS = ("SENTIMENT_SIGNING_KEYS", "SENTIMENT_PUBLIC_KEYS")
_PARTS = {
    "DATABASE_URL": ("DATABASE_DIRECT_URL", DAGSTER_POSTGRES_URL),
    "REDIS_URL": (),
    "SENTIMENT_BROKER_URL": (),
    "SENTIMENT_REGISTRY_REPOSITORY": ("SENTIMENT_REGISTRY_URL", "SENTIMENT_REGISTRY_TOKEN", *_KEYS),
    "SENTIMENT_FEEDS": ("SENTIMENT_ALLOW_PRIVATE_HOSTS",),
}
"""The variable that switches a part on -> the others that belong to it."""
_OF_THE_STACK = ("DAGSTER_HOME", "SENTIMENT_STATE_DIR")
"""Names one folder, which both share: the stack's absolute spelling counts."""


def taken_over(stack: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Variables of a running `stack` that belong over `environ`, which are the shell's and those of `.env`."""

    def is_set(name: str) -> bool:
        return bool(environ.get(name, "").strip())

    refused = {name for switch, others in _PARTS.items() if is_set(switch) for name in (switch, *others)}
    if any(map(is_set, _KEYS)):
        # Ours would not fit the half that the caller has set.
        refused.update(_KEYS)
    in_parts = {name for switch, others in _PARTS.items() for name in (switch, *others)}
    taken = {
        name: value
        for name, value in stack.items()
        if name not in refused and (name in in_parts or name in _OF_THE_STACK or not is_set(name))
    }
    if is_set("DATABASE_URL"):
        taken[DAGSTER_POSTGRES_URL] = dagster_storage_url(Settings.from_environment(environ).direct_database_url())
    return taken
