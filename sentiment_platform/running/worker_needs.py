"""What a worker needs before it takes its first step: whoever lacks it is told so at the start, not after hours of training."""

from sentiment_platform.clock import Clock
from sentiment_platform.errors import PermanentError, SettingsError
from sentiment_platform.queues.work_queues import WorkQueue
from sentiment_platform.settings import Settings

TRAINING_MODULES = ("torch", "transformers", "onnx", "onnxscript")
"""What the extra `train` brings."""


def require_shared_servers(settings: Settings) -> None:
    """Pass only if a worker with these settings looks for runs where whoever starts them keeps them.

    Raises:
        SettingsError: the broker is another machine's, and the database, Redis or the registry would be a new one of this machine.
    """
    shared = {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "SENTIMENT_REGISTRY_REPOSITORY": settings.registry_repository,
    }
    missing = [variable for variable, value in shared.items() if not value]
    if settings.broker_url and missing:
        raise SettingsError(
            f"SENTIMENT_BROKER_URL is set, but {', '.join(missing)} is not: steps would come of runs that this machine does not know.",
            remedy="Set here what is set where runs are started.",
        )


def require_what_steps_need(settings: Settings, queue: WorkQueue, now: Clock) -> None:
    """Pass only if this machine can do every step of the queue's job, the last one included; a base of a hub is fetched now.

    Raises:
        SettingsError: the token, or a key that readers trust, is missing.
        PermanentError: the token may not write, or what a family trains from is not here.
        ModuleNotFoundError: the extra `train` is not installed.
        TransientError: the registry, or the hub, does not answer.
    """
    if not queue.trains:
        return
    from importlib.util import find_spec

    from sentiment_platform.models.families import FAMILIES, trainer
    from sentiment_platform.models.versions.training_world import training_world
    from sentiment_platform.registry.access import RegistryAccess
    from sentiment_platform.store.engine import create_platform_engine

    for module in TRAINING_MODULES:
        if find_spec(module) is None:
            raise ModuleNotFoundError(f"No module named {module!r}", name=module)
    access = RegistryAccess(settings)
    access.require_publishing("model", "operator")
    if not access.may_publish(now):
        raise PermanentError(
            f"SENTIMENT_REGISTRY_TOKEN may not write into {settings.registry_repository}, where trained versions are published.",
            remedy="Give it `contents: write`, or take the token of whoever may.",
        )
    engine = create_platform_engine(settings.require("database_url"))
    try:
        world = training_world(engine, access)
        for family in FAMILIES:
            trainer(family, world).inputs()
    finally:
        engine.dispose()
