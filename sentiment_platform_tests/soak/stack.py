"""What the trials run over: Redis and PostgreSQL behind a network that can fail, a registry that can fail, a process, a publisher."""

import tempfile
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from sentiment_platform.local.parts.postgres import LocalPostgres
from sentiment_platform.local.parts.redis import LocalRedis
from sentiment_platform.local.parts.secrets import signing_environment
from sentiment_platform.settings import Settings
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform.store.migrate import upgrade
from sentiment_platform_tests.faults import postgres, redis
from sentiment_platform_tests.faults.proxy import Proxy
from sentiment_platform_tests.github_server.scripted import ScriptedServer
from sentiment_platform_tests.serving.publishing import Publisher
from sentiment_platform_tests.serving.running import ServingProcess

REPOSITORY, TOKEN = "local/registry", "a-token-of-the-soak"


@dataclass
class Stack:
    """The parts; `serving` runs with one version deployed."""

    settings: Settings
    redis: redis.Rig
    postgres: postgres.Rig
    registry: ScriptedServer
    publisher: Publisher
    serving: ServingProcess
    published: int = 1

    @property
    def process(self) -> psutil.Process:
        assert self.serving.process is not None
        return psutil.Process(self.serving.process.pid)

    def swap(self) -> str:
        """Deploy another version, which answers with other figures; its name."""
        # Hundreds of deployments in minutes are no trial of the hourly quota.
        self.registry.begin_an_hour()
        self.published += 1
        version = f"v1.0.{self.published}-vader"
        self.publisher.deploy(self.publisher.model(version, steepness=2.0 + 0.01 * self.published))
        return version


@contextmanager
def stack(**changed: str) -> Generator[Stack]:
    """Everything started; a keyword changes an environment variable of the process."""
    with tempfile.TemporaryDirectory(prefix="sentiment-soak-") as folder, ExitStack() as ends:
        # The database server runs as another user when this process is root's.
        Path(folder).chmod(0o711)
        servers = []
        for name in ("redis", "postgres"):
            (state := Path(folder) / name).mkdir(mode=0o711)
            servers.append(LocalRedis(state) if name == "redis" else LocalPostgres(state, durable=False))
            servers[-1].start()
            ends.callback(servers[-1].stop)
        upgrade(servers[1].url)
        redis_rig, postgres_rig = (
            kind(server, ends.enter_context(Proxy(server.port)))
            for kind, server in ((redis.Rig, servers[0]), (postgres.Rig, servers[1]))
        )
        ends.callback(postgres_rig.release)
        registry = ScriptedServer(Path(folder) / "github", REPOSITORY, TOKEN)
        registry.start()
        ends.callback(registry.stop)
        settings = Settings.from_environment(
            {
                "SENTIMENT_STATE_DIR": str(Path(folder) / "state"),
                "DATABASE_URL": postgres_rig.url,
                "REDIS_URL": redis_rig.url,
                "SENTIMENT_REGISTRY_REPOSITORY": REPOSITORY,
                "SENTIMENT_REGISTRY_URL": registry.url,
                "SENTIMENT_REGISTRY_TOKEN": TOKEN,
                **signing_environment(Path(folder) / "secrets"),
            }
        )
        engine = create_platform_engine(servers[1].url)
        ends.callback(engine.dispose)
        publisher = Publisher(settings, engine)
        ends.callback(publisher.close)
        publisher.deploy(publisher.model("v1.0.1-vader"))
        serving = ServingProcess(settings, **{"SENTIMENT_POLL_S": "1", **changed})
        ends.callback(serving.stop)
        serving.start()
        yield Stack(settings, redis_rig, postgres_rig, registry, publisher, serving)
