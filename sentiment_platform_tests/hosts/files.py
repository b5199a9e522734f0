"""The files of hosts as a test needs them: each service's environment, start command and health check, as the host would read them."""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from sentiment_platform_tests.source_code import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE_TEXT = (ROOT / "compose.yaml").read_text()
RENDER: dict[str, Any] = yaml.safe_load((ROOT / "render.yaml").read_text())
VERCEL: dict[str, Any] = json.loads((ROOT / "vercel.json").read_text())


@dataclass(frozen=True)
class Image:
    """What a stage of the Dockerfile says of its container."""

    user: str
    environment: Mapping[str, str]
    command: list[str]
    healthcheck: list[str]


def stage(name: str) -> str:
    """The instructions of one stage."""
    (text,) = re.findall(rf"^FROM \S+ AS {name}\n(.*?)(?=^FROM |\Z)", DOCKERFILE, re.MULTILINE | re.DOTALL)
    return text


def image(name: str) -> Image:
    """The image of a stage, with the environment of `base` where it stands on that."""
    text = stage(name)
    environment: dict[str, str] = {}
    for instructions in (stage("base") if f"FROM base AS {name}" in DOCKERFILE else "", text):
        for line in re.findall(r"^ENV (.*)$", instructions, re.MULTILINE):
            environment |= dict(pair.split("=", 1) for pair in shlex.split(line))
    (command,) = re.findall(r"^(?:CMD|ENTRYPOINT) (\[.*\])$", text, re.MULTILINE)
    (healthcheck,) = re.findall(r"^HEALTHCHECK .*?CMD (\[.*?\])$", text, re.MULTILINE | re.DOTALL)
    (user,) = re.findall(r"^USER (\S+)$", text, re.MULTILINE)
    return Image(user, environment, json.loads(command), json.loads(healthcheck))


@dataclass(frozen=True)
class Compose:
    """compose.yaml with the variables that it asks for filled in; `asked` are their names."""

    services: Mapping[str, Any]
    asked: frozenset[str] = field(default=frozenset())

    @staticmethod
    def read(variables: Mapping[str, str]) -> "Compose":
        """As `docker compose` reads it: KeyError for a variable that is needed and not given."""
        asked: set[str] = set()

        def filled(match: re.Match[str]) -> str:
            if match[0] == "$$":
                return "$"
            name, needed = match[1], match[2] == ":?"
            asked.add(name)
            return variables[name] if needed else variables.get(name) or match[3] or ""

        text = re.sub(r"\$\$|\$\{(\w+)(:[-?])([^}]*)\}", filled, COMPOSE_TEXT)
        return Compose(yaml.safe_load(text)["services"], frozenset(asked))

    def environment(self, service: str) -> dict[str, str]:
        """The variables of a service's container: those of its image, and the file's over them."""
        built = self.services[service].get("build")
        given = {name: str(value or "") for name, value in self.services[service].get("environment", {}).items()}
        return {**(image(built["target"]).environment if built else {}), **given}

    def command(self, service: str) -> list[str]:
        """What a service starts; [] for what its published image starts."""
        built = self.services[service].get("build")
        return self.services[service].get("command") or (image(built["target"]).command if built else [])


def render_service(name: str) -> dict[str, Any]:
    """One service of render.yaml."""
    (service,) = (each for each in RENDER["services"] if each["name"] == name)
    return service


def render_environment(name: str, entered: Mapping[str, str]) -> dict[str, str]:
    """The variables of a service of render.yaml; what people enter, and what Render makes, is taken from `entered`."""
    environment: dict[str, str] = {}
    for variable in render_service(name)["envVars"]:
        key = variable["key"]
        source = variable.get("fromService")
        if source is not None and source["envVarKey"] not in {each["key"] for each in render_service(source["name"])["envVars"]}:
            raise KeyError(f"{source['name']} has no {source['envVarKey']}")
        if value := variable.get("value") or entered.get(key):
            environment[key] = str(value)
    return environment
