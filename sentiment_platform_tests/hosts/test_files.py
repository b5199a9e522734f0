"""compose.yaml, render.yaml and vercel.json: they parse, hold to their schemas, and promise what the page of hosts says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sentiment_platform.commands.fork import vendor_keys
from sentiment_platform.queues.work_queues import QUEUES
from sentiment_platform.setting_values.production import refusals
from sentiment_platform.settings import Settings, documentation
from sentiment_platform_tests.hosts.files import COMPOSE_TEXT, RENDER, VERCEL, Compose, image, render_environment, stage
from sentiment_platform_tests.source_code import ROOT

VARIABLES = {
    "POSTGRES_PASSWORD": "p",
    "REDIS_PASSWORD": "r",
    "SENTIMENT_REGISTRY_REPOSITORY": "o/n",
    "SENTIMENT_PUBLIC_KEYS": "k",
}
COMPOSE = Compose.read(VARIABLES)
OURS = {"platform", "serving"}
VENDOR_KEYS = set(vendor_keys(Settings.from_environment({}), {}))
WORKERS = {f"worker-{queue}" for queue in QUEUES}


def schema_says(path: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", path]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_compose_holds_to_its_schema() -> None:
    checked = schema_says(ROOT / "compose.yaml")
    assert checked.returncode == 0, checked.stdout


def test_a_misspelt_key_of_compose_is_seen(tmp_path: Path) -> None:
    planted = tmp_path / "compose.yaml"
    planted.write_text(COMPOSE_TEXT.replace("    read_only: true", "    read_onlyy: true", 1))
    assert "read_onlyy" in schema_says(planted).stdout


def test_the_default_profile_is_two_servers_one_platform_and_one_serving_process() -> None:
    default = {name for name, service in COMPOSE.services.items() if not service.get("profiles")}
    assert default == {"postgres", "redis", *OURS}
    scale = {name for name, service in COMPOSE.services.items() if "scale" in service.get("profiles", [])}
    assert scale == {"serving-2", "serving-3", "proxy"}
    workers = {name for name, service in COMPOSE.services.items() if "workers" in service.get("profiles", [])}
    assert workers == {"broker", *WORKERS}


@pytest.mark.parametrize("name", COMPOSE.services)
def test_every_service_is_pinned_healthy_no_user_of_might_and_writes_nowhere_else(name: str) -> None:
    service = COMPOSE.services[name]
    assert re.fullmatch(r"[a-z-]+:\d+\.\d+\.\d+[a-z-]*|postgres:\d+\.\d+-bookworm", service["image"])
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"])
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
    assert service["restart"] == "unless-stopped"
    if "build" in service:
        assert service["user"] == image(service["build"]["target"]).user


def test_two_serving_processes_never_share_a_journal() -> None:
    volumes = [volume for name, service in COMPOSE.services.items() if name != "redis" for volume in service["volumes"]]
    assert len({volume.partition(":")[0] for volume in volumes}) == len(volumes)


def test_nothing_without_a_key_of_its_own_is_open_beyond_this_machine() -> None:
    published = {name: port for name, service in COMPOSE.services.items() for port in service.get("ports", [])}
    assert {name for name, port in published.items() if not port.startswith("127.0.0.1:")} == {"proxy"}


def test_a_worker_is_the_platforms_own_image_and_agrees_with_it_about_who_does_steps() -> None:
    celery = Compose.read(VARIABLES | {"SENTIMENT_EXECUTOR": "celery"})
    platform = celery.environment("platform")
    assert COMPOSE.environment("platform")["SENTIMENT_EXECUTOR"] == "here", "without a word nobody needs a broker"
    assert platform["SENTIMENT_EXECUTOR"] == "celery"
    for name, queue in zip(sorted(WORKERS), sorted(QUEUES), strict=True):
        assert celery.services[name]["image"] == celery.services["platform"]["image"]
        assert celery.services[name]["command"] == ["sentiment-platform", "worker", queue]
        shared = {"SENTIMENT_EXECUTOR", "SENTIMENT_BROKER_URL", "DATABASE_URL", "REDIS_URL", "SENTIMENT_REGISTRY_REPOSITORY"}
        assert {(key, celery.environment(name)[key]) for key in shared} <= platform.items()
    assert set(image("platform").environment) <= set(platform)


def test_only_the_platform_can_sign() -> None:
    signing = {name for name in COMPOSE.services if "SENTIMENT_SIGNING_KEYS" in COMPOSE.environment(name)}
    assert signing == {"platform", "worker-gpu"}, "who trains signs"
    assert "SENTIMENT_SIGNING_KEYS" not in render_environment("sentiment-serving", {"SENTIMENT_SIGNING_KEYS": "x"})


@pytest.mark.parametrize("missing", VARIABLES)
def test_compose_does_not_start_without_what_it_needs(missing: str) -> None:
    with pytest.raises(KeyError, match=missing):
        Compose.read({name: value for name, value in VARIABLES.items() if name != missing})


def test_every_variable_that_our_services_are_given_is_a_setting() -> None:
    settings = {variable for variable, _, _ in documentation()}
    known = settings | VENDOR_KEYS | set(image("platform").environment) | set(image("serving").environment)
    for name in COMPOSE.services:
        if name.partition("-")[0] in {*OURS, "worker"}:
            assert set(COMPOSE.environment(name)) <= known
    for service in RENDER["services"]:
        assert {variable["key"] for variable in service["envVars"]} - known <= {"PYTHON_VERSION"}


def test_who_collects_is_given_the_key_of_every_source_of_the_catalogue_and_nobody_else_is() -> None:
    given = dict.fromkeys(VENDOR_KEYS, "x")
    assert len(VENDOR_KEYS) >= 5
    filled = Compose.read(VARIABLES | given)
    assert {name for name in filled.services if VENDOR_KEYS & set(filled.environment(name))} == {"platform"}
    assert given.items() <= filled.environment("platform").items()
    names = [service["name"] for service in RENDER["services"]]
    assert {name for name in names if VENDOR_KEYS & set(render_environment(name, given))} == {"sentiment-monitoring"}
    assert given.items() <= render_environment("sentiment-monitoring", given).items()


def test_a_file_with_sources_of_ones_own_is_read_where_the_page_of_hosts_says() -> None:
    (folder,) = (volume for volume in COMPOSE.services["platform"]["volumes"] if volume.startswith("./"))
    assert folder == "./sources:/app/sources:ro"
    assert re.findall(r"^WORKDIR (\S+)$", stage("base"), re.MULTILINE) == ["/app"]
    assert "SENTIMENT_SOURCES=tiingo,sources/mine.toml" in (ROOT / ".github" / "HOSTS.md").read_text()


def test_every_variable_of_the_docker_steps_is_one_that_compose_asks_for() -> None:
    page = (ROOT / ".github" / "HOSTS.md").read_text()
    steps = page.partition("\n## Docker\n")[2].partition("\n## ")[0]
    named = set(re.findall(r"\b(?:[A-Z]+_)+[A-Z]+\b", steps)) - {"SENTIMENT_STATE_DIR", "SENTIMENT_ENV"}
    assert named <= COMPOSE.asked
    assert {*VARIABLES, *VENDOR_KEYS, "SENTIMENT_SIGNING_KEYS", "SENTIMENT_ADMIN_KEY"} <= named


def test_the_step_that_makes_keys_prints_lines_of_env_that_production_takes(tmp_path: Path) -> None:
    page = (ROOT / ".github" / "HOSTS.md").read_text()
    assert f"docker build --target platform -t {COMPOSE.services['platform']['image']} ." in page
    (script,) = re.findall(r"docker run --rm -e SENTIMENT_ENV=development \S+ \\\n +sh -c '(.*)' >> \.env$", page, re.MULTILINE)
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.defpath}",
        "SENTIMENT_ENV": "development",
        "SENTIMENT_STATE_DIR": str(tmp_path),
    }
    made = subprocess.run(
        ["sh", "-c", script], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )
    keys = dict(line.split("=", 1) for line in made.stdout.splitlines())
    assert set(keys) == {"SENTIMENT_SIGNING_KEYS", "SENTIMENT_PUBLIC_KEYS"}
    assert [one for one in refusals({**keys, "SENTIMENT_ENV": "production"}) if one.variable in keys] == []


def test_pages_link_runs_to_where_compose_publishes_dagster() -> None:
    (published,) = COMPOSE.services["platform"]["ports"]
    for name in ("serving", "serving-2", "serving-3"):
        assert COMPOSE.environment(name)["SENTIMENT_DAGSTER_URL"] == f"http://{published.rpartition(':')[0]}"


def test_render_runs_at_most_three_processes_of_ours_and_only_what_it_gives_free_is_called_free() -> None:
    services = {service["name"]: service for service in RENDER["services"]}
    assert set(services) == {"sentiment-serving", "sentiment-training", "sentiment-monitoring"}
    assert {name for name, service in services.items() if service["plan"] == "free"} == {"sentiment-serving"}
    assert services["sentiment-serving"]["type"] == "web"
    assert services["sentiment-serving"]["healthCheckPath"] == "/health"
    assert all(
        re.fullmatch(r"3\.11\.\d+", v["value"]) for s in services.values() for v in s["envVars"] if v["key"] == "PYTHON_VERSION"
    )


def test_what_render_takes_from_another_service_is_there() -> None:
    for service in RENDER["services"]:
        render_environment(service["name"], {})


def routed(path: str) -> str:
    """Where Vercel looks for a path that is no file."""
    for rewrite in VERCEL["rewrites"]:
        if re.fullmatch(rewrite["source"], path):
            return rewrite["destination"]
    return path


def headers(path: str) -> dict[str, str]:
    return {
        each["key"]: each["value"] for rule in VERCEL["headers"] if re.fullmatch(rule["source"], path) for each in rule["headers"]
    }


def test_vercel_answers_deep_links_with_the_page_and_nothing_else_with_it() -> None:
    assert routed("/app/models/compare") == routed("/app/try") == routed("/app") == "/index.html"
    assert routed("/predict") == "/predict"
    assert routed("/assets/index-abc.js") == "/assets/index-abc.js"
    assert set(VERCEL) <= {
        "$schema", "framework", "installCommand", "buildCommand", "outputDirectory", "cleanUrls", "trailingSlash", "rewrites", "headers"
    }  # fmt: skip


def test_vercel_sends_the_policy_of_serving_but_for_where_the_api_is() -> None:
    from serving.handlers.pages import KEPT, POLICY

    assert headers("/app/try")["Content-Security-Policy"] == POLICY.replace("connect-src 'self'", "connect-src 'self' https:")
    assert headers("/app/try")["X-Content-Type-Options"] == "nosniff"
    assert headers("/assets/index-abc.js")["Cache-Control"] == KEPT
    assert "Cache-Control" not in headers("/")


def test_vercel_builds_the_dashboard_where_it_stands() -> None:
    assert VERCEL["outputDirectory"] == "serving/dashboard/dist"
    assert all("--prefix serving/dashboard" in VERCEL[step] for step in ("installCommand", "buildCommand"))
