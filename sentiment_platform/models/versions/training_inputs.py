"""What decides an artefact: data, options, what the family itself brings, and the champion where training goes on from it.

The same inputs are trained once, so everything that they are made of has to be in their digest. Training itself is `publishing`.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import msgspec
from sqlalchemy import Connection

from sentiment_platform.features.schema import schema
from sentiment_platform.models.evaluation.seen_data import STARTER, starter_data
from sentiment_platform.models.family import LABELS, TrainingData, TrainingOptions
from sentiment_platform.models.version_figures import origin_figures
from sentiment_platform.registry.deployment import Champion
from sentiment_platform.registry.versions import Change
from sentiment_platform.store.deployments import latest_deployment
from sentiment_platform.store.versions import RegisteredVersion, get_version

Inputs = Mapping[str, str]
"""What the family itself brings (`Family.inputs`)."""
CHAMPION = "champion"
"""Value of the parameter `start`, in any family that has it, and name of the figure that holds the champion's manifest digest."""


def deployed_champion(connection: Connection, family: str) -> Champion | None:
    """What the newest deployment names for `family`; None before the first one."""
    deployed = latest_deployment(connection)
    return deployed.champions.get(family) if deployed else None


def start_digest(
    connection: Connection, inputs: Inputs, options: TrainingOptions, data: TrainingData, champion: Champion | None
) -> str | None:
    """Manifest digest of the champion that training goes on from; None where it starts from the base.

    A champion that this very recipe made from this very training set stands for what it was itself started from: there is nothing new
    to go on with, and a version must not have to be made again because it was deployed.
    """
    if champion is None or options.parameters.get("start") != CHAMPION:
        return None
    made = get_version(connection, champion.version)
    if made is not None and made.training_set == data.digest and _same_recipe(made, inputs, options, data):
        return origin_figures(made.manifest).champion
    return champion.manifest_digest


def origin_of(connection: Connection, champion: Champion | None, start: str | None) -> dict[str, Any]:
    """The figures that name what training goes on from: `start`, as `start_digest` gave it, and what a starter before it has seen.

    The latter also where the family then starts from its base after all: said once too often, it costs a promotion; too rarely, the truth.
    """
    if champion is None or start is None:
        return {}
    made = get_version(connection, champion.version)
    starter = starter_data(made.manifest.figures) if made else None
    return {CHAMPION: start} | ({STARTER: msgspec.to_builtins(starter)} if starter else {})


def inputs_digest(inputs: Inputs, options: TrainingOptions, data: TrainingData, start: str | None) -> str:
    """SHA-256 over everything beside the training set that decides the artefact; `start` as `start_digest` says."""
    content = {
        "seed": options.seed,
        "parameters": dict(options.parameters),
        "inputs": dict(inputs),
        "schema": schema(data.feature_schema).hash,
    }
    if start is not None:
        content[CHAMPION] = start
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def change_since(previous: RegisteredVersion | None, inputs: Inputs, options: TrainingOptions, data: TrainingData) -> Change:
    """major: other features or labels; minor: other options or inputs; patch: the same recipe on new data or from another champion."""
    if previous is None or previous.manifest.feature_schema.digest != schema(data.feature_schema).hash:
        return "major"
    if previous.manifest.labels != LABELS:
        return "major"
    return "patch" if _same_recipe(previous, inputs, options, data) else "minor"


def _same_recipe(version: RegisteredVersion, inputs: Inputs, options: TrainingOptions, data: TrainingData) -> bool:
    """Whether `version` was made by these options and inputs, whatever it was started from."""
    return version.options_digest == inputs_digest(inputs, options, data, origin_figures(version.manifest).champion)
