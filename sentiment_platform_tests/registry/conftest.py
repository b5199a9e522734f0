"""A real loopback server that speaks GitHub's protocol, and registries on it."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sentiment_platform.registry.reader import RegistryReader
from sentiment_platform.registry.releases import ReleaseRegistry
from sentiment_platform.registry.signing import PrivateKeys, PublicKeys
from sentiment_platform.registry.transfer import Limits
from sentiment_platform_tests.github_server.scripted import ScriptedServer
from sentiment_platform_tests.registry.examples import NOW, new_keys

REPOSITORY = "acme/registry"
TOKEN = "writer-token"
READ_TOKEN = "reader-token"

MakeRegistry = Callable[..., ReleaseRegistry]
MakeReader = Callable[..., RegistryReader]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ScriptedServer]:
    with ScriptedServer(
        tmp_path / "github", REPOSITORY, TOKEN, read_token=READ_TOKEN, hourly_limit=100_000, anonymous_hourly_limit=10_000
    ) as running:
        yield running


@pytest.fixture
def keys() -> PrivateKeys:
    return new_keys()


@pytest.fixture
def make_registry(server: ScriptedServer, keys: PrivateKeys) -> Iterator[MakeRegistry]:
    made: list[ReleaseRegistry] = []

    def make(
        step: Callable[[str], None] = lambda _: None,
        max_wait_s: float = 10.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> ReleaseRegistry:
        registry = ReleaseRegistry(
            REPOSITORY,
            url=server.url,
            token=TOKEN,
            public_keys=keys.public(),
            clock=lambda: NOW,
            seconds_between_requests=0,
            seconds_between_writes=0,
            max_wait_s=max_wait_s,
            sleep=sleep,
            step=step,
        )
        made.append(registry)
        return registry

    yield make
    for registry in made:
        registry.close()


@pytest.fixture
def registry(make_registry: MakeRegistry) -> ReleaseRegistry:
    return make_registry()


@pytest.fixture
def make_reader(server: ScriptedServer, keys: PrivateKeys) -> Iterator[MakeReader]:
    made: list[RegistryReader] = []

    def make(
        *, token: str = READ_TOKEN, url: str = "", public_keys: PublicKeys | None = None, limits: Limits | None = None
    ) -> RegistryReader:
        reader = RegistryReader(
            REPOSITORY,
            url=url or server.url,
            token=token,
            public_keys=public_keys or keys.public(),
            limits=limits or Limits(connect_s=2, read_s=2, total_s=20),
        )
        made.append(reader)
        return reader

    yield make
    for reader in made:
        reader.close()


@pytest.fixture
def reader(make_reader: MakeReader) -> RegistryReader:
    return make_reader()
