"""What the pages are shown over: the platform as a finished demo left it and as people went on with it, and one where nothing happened."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from sentiment_platform.clock import utc_now
from sentiment_platform.local.session import env_file
from sentiment_platform.local.stack import LocalStack
from sentiment_platform.promotion.intents import intent_of_promotion, intent_of_rollback
from sentiment_platform.promotion.next_revision import publish
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.settings import Settings
from sentiment_platform.store.deployments import deployments
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform.store.migrate import upgrade
from sentiment_platform_tests.serving.running import ServingProcess

ADMIN_KEY = "admin-key-of-the-tests"
NOT_COPIED = ("models", "training-work", "logs", "env")


@contextmanager
def platform_after(demo_state: Path, folder: Path) -> Iterator[ServingProcess]:
    """Serving over a copy of a finished demo's state, with a rollback and a promotion after it.

    Args:
        folder: where the copy goes; PostgreSQL's user must reach it.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    kept = [str(path) for path in demo_state.iterdir() if path.name not in NOT_COPIED]
    # PostgreSQL's files belong to a user of their own.
    subprocess.run(["cp", "-a", *kept, str(folder)], check=True)
    with LocalStack(Settings.from_environment({"SENTIMENT_STATE_DIR": str(folder)}), durable=False) as stack:
        stack.write_env_file(env_file(stack.settings))
        settings = Settings.from_environment({**stack.environment, "SENTIMENT_ADMIN_KEY": ADMIN_KEY})
        upgrade(settings.direct_database_url())  # a demo that was given may be older than this code
        deploy_again(settings)
        # Both models answer also where other tests take the cores.
        serving = ServingProcess(settings, SENTIMENT_DEADLINE_MS="2000")
        try:
            yield serving.start()
        finally:
            serving.stop()


def deploy_again(settings: Settings) -> None:
    """Roll the newest deployment back, then promote it again: two more revisions, each with its reason."""
    engine = create_platform_engine(settings.require("database_url"))
    with engine.connect() as connection:
        newest = deployments(connection)[0].document
    promoted = newest.versions()[newest.default_family]
    back = partial(intent_of_rollback, actor="mara", reason="calls too many layoffs neutral")
    again = partial(
        intent_of_promotion, version=promoted, actor="jonas", reason="checked with the desk: the layoffs were rumours"
    )
    for intent in (back, again):
        publish(engine, RegistryAccess(settings), intent, holder="test", now=utc_now)
    engine.dispose()


def given_demo() -> Path | None:
    """The state folder of a demo that is finished (SENTIMENT_TEST_DEMO_STATE), so that a change of a page is tested in seconds."""
    given = os.environ.get("SENTIMENT_TEST_DEMO_STATE")
    return Path(given) if given else None
