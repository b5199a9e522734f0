"""Small valid documents and a small valid model folder that the tests of the registry start from."""

import json
from datetime import UTC, datetime
from pathlib import Path

from sentiment_platform.registry.deployment import Champion, Deployment, Evidence
from sentiment_platform.registry.documents import canonical_json, digest
from sentiment_platform.registry.manifest import FeatureSchema, FileEntry, Golden, Manifest, Metric
from sentiment_platform.registry.signing import PrivateKeys, generate_private_key
from sentiment_platform.registry.versions import VersionTag

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
FILES = {
    "model.json": b'{"deltas": {' + b", ".join(b'"word%d": 0.5' % n for n in range(60)) + b"}}",
    "head.json": b'{"weights": [[1.5, 0, -1]]}',
}


def new_keys() -> PrivateKeys:
    return PrivateKeys.parse(f"model={generate_private_key()},operator={generate_private_key()}")


def manifest_of(version: str = "v1.0.0-vader", files: dict[str, bytes] | None = None) -> Manifest:
    contents = FILES if files is None else files
    return Manifest(
        family=VersionTag.parse(version).family,
        version=version,
        files={name: FileEntry(digest(content), len(content)) for name, content in contents.items()},
        labels=("negative", "neutral", "positive"),
        feature_schema=FeatureSchema("features-v1", "ab" * 32, ("length", "negations")),
        base_model="vaderSentiment 3.3.2",
        base_digest="cd" * 32,
        training_set="ef" * 32,
        metrics={"macro_f1": Metric(value=0.71, low=0.68, high=0.74, n=970, dataset="holdout")},
        golden=(Golden("Profit rose — überraschend.", (0.1, 0.2, 0.7)),),
        licences=("MIT",),
        git_sha="0123abc",
        created_at=NOW,
        figures={"latency_ms": {"p50": 1, "p99": 2.5}, "note": "ä"},
    )


def write_files(directory: Path, files: dict[str, bytes] | None = None) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in (FILES if files is None else files).items():
        (directory / name).write_bytes(content)
    return directory


def deployment_of(
    *manifests: Manifest, previous: Deployment | None = None, reason: str = "first model", actor: str = "operator:ada"
) -> Deployment:
    named = manifests or (manifest_of(),)
    return Deployment(
        revision=previous.revision + 1 if previous else 1,
        champions={m.family: Champion(m.version, digest(m)) for m in named},
        default_family=named[0].family,
        experiment=None,
        evidence=Evidence(("ab_evaluation",), ("run-1",), {"p": 0.01}, "better on the holdout"),
        rule="gate" if previous else "bootstrap",
        actor=actor,
        reason=reason,
        created_at=NOW,
        previous=previous.as_previous() if previous else None,
    )


def with_more(document: Manifest | Deployment) -> bytes:
    """`document` as a newer writer would sign it: more fields at the top, in a struct, and in a struct of a list."""
    content = json.loads(canonical_json(document))
    content |= {"canary": {"share": 0.1, "words": ["ä", None]}}
    for inner in (content.get("evidence"), *content.get("champions", {}).values(), *content.get("golden", [])):
        if inner is not None:
            inner["aside"] = [1, 2.5]
    return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
