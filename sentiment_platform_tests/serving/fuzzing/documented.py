"""schemathesis over a running process: every check of it, by the document that the process serves."""

import json
import os
import subprocess
import sys
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from sentiment_platform_tests.serving.fuzzing.world import World

CONFIG = Path(__file__).with_name("schemathesis.toml")
HOOKS = "sentiment_platform_tests.serving.fuzzing.values"
AUTH = '[auth.openapi.ApiKey]\nbearer = "${FUZZ_KEY}"\n'
"""As a setting, so that schemathesis may also leave it out or send another."""
STREAM = "/events"
"""A stream has no end that a test could wait for; `links/test_events.py` holds it against its document."""


def findings(
    world: World, *, key: bool, examples: int, seed: int, limit_s: float, only: str = "", without: tuple[str, ...] = ()
) -> str:
    """What schemathesis says where it finds anything, else "".

    Args:
        key: with an admin's.
        examples: requests of each operation that are made up, beside those for the bounds of its schema.
        only: a regular expression of the paths that are asked.
    """
    config = world.serving.settings.state_dir / "schemathesis.toml"
    config.write_text(CONFIG.read_text() + (AUTH if key else ""))
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config)]
    command += ["run", f"{world.serving.url}/schema/openapi.json", "--checks", "all", "--max-examples", str(examples)]
    command += ["--seed", str(seed), "--no-color", "--generation-database", "none", "--continue-on-failure"]
    command += ["--suppress-health-check", "all", "--request-timeout", "30", "--warnings", "off"]
    if only:
        command += ["--include-path-regex", only]
    for path in (STREAM, *without):
        command += ["--exclude-path", path]
    environment = {**os.environ, "FUZZ_KNOWN": json.dumps(world.known), "SCHEMATHESIS_HOOKS": HOOKS, "FUZZ_KEY": world.key}
    environment["FUZZ_NETWORK"] = "198.51.100" if key else "192.0.2"
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=limit_s, check=False)
    return "" if done.returncode == 0 else f"exit status {done.returncode}\n{done.stdout}\n{done.stderr}"


def operations_without_success(world: World, *, without: tuple[str, ...] = ()) -> list[str]:
    """Operations of the document that this process never answered with 2xx."""
    served = {
        (sample.labels["method"], sample.labels["route"])
        for family in text_string_to_metric_families(world.serving.client.get("/metrics").text)
        for sample in family.samples
        if sample.name == "serving_requests_total" and sample.labels["status"].startswith("2")
    }
    paths = world.serving.client.get("/schema/openapi.json").json()["paths"]
    return [
        f"{method.upper()} {path}"
        for path, item in paths.items()
        for method in item
        if path not in (STREAM, *without) and (method.upper(), path) not in served
    ]
