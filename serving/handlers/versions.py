"""GET /models and GET /models/{version}: the versions that were registered, from the mirror in the database."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter

from sentiment_platform.models.version_figures import shown_figures
from sentiment_platform.registry.lifecycle import Documents, state_of
from sentiment_platform.registry.manifest import Manifest
from sentiment_platform.registry.versions import VERSION_PATTERN
from sentiment_platform.statistics.estimate import ACCURACY, ECE, MACRO_F1, TITLES
from serving.contract.problems import Problem
from serving.contract.version_bodies import (
    CardFeatureSchema,
    CardFigures,
    CardTrainingSet,
    MeasuredMetric,
    ModelCard,
    ReleasedFile,
    TermsMoved,
    VersionList,
    VersionSummary,
)
from serving.edge.openapi import problem_responses
from serving.handlers.paging import Limit, Offset
from serving.services import Services

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from sentiment_platform.store.training_sets import TrainingSetRow
    from sentiment_platform.store.versions import RegisteredVersion

TAGS = ["models"]
HEADLINES = (MACRO_F1, ACCURACY, ECE)
VersionInPath = Annotated[
    str,
    PathParameter(pattern=VERSION_PATTERN, description="A version, such as `v1.0.0-family`."),
]


@get("/models", tags=TAGS, responses=problem_responses(400, 503), summary="The registered versions, newest first")
async def versions(services: NamedDependency[Services], limit: Limit = 50, offset: Offset = 0) -> VersionList:
    """Family, base model, training set, headline figures with intervals, sizes, and whether it is live here."""

    def read(connection: "Connection") -> "tuple[list[RegisteredVersion], dict[str, int], Documents]":
        from sentiment_platform.store.deployments import last_revisions
        from sentiment_platform.store.lifecycle import read_documents
        from sentiment_platform.store.versions import versions_page

        return versions_page(connection, limit, offset), last_revisions(connection), read_documents(connection)

    registered, revisions, documents = await services.database.call(read)
    live = _live(services)
    rows = [_summary(version, version.version in live, documents, revisions.get(version.version)) for version in registered]
    return VersionList(services.clock(), rows)


@get("/models/{version:str}", tags=TAGS, responses=problem_responses(400, 404, 503), summary="The card of a version")
async def card(version: VersionInPath, services: NamedDependency[Services]) -> ModelCard:
    """What it was made from, how good it measured and on which texts, its files with their digests, its licences."""

    def read(connection: "Connection") -> "tuple[RegisteredVersion, TrainingSetRow | None] | None":
        from sentiment_platform.store.training_sets import latest_training_set
        from sentiment_platform.store.versions import get_version

        registered = get_version(connection, version)
        return (registered, latest_training_set(connection, registered.training_set)) if registered else None

    stored = await services.database.call(read)
    if stored is None:
        raise Problem(
            404, "unknown_version", f"No version {version} is registered; GET /models lists those that are.", field="version"
        )
    registered, training = stored
    manifest = registered.manifest
    schema = manifest.feature_schema
    return ModelCard(
        version=version,
        family=manifest.family,
        live=version in _live(services),
        manifest_digest=registered.manifest_digest,
        created_at=manifest.created_at,
        registered_at=registered.registered_at,
        run_id=registered.run_id,
        git_sha=manifest.git_sha,
        base_model=manifest.base_model,
        base_digest=manifest.base_digest,
        training_set=_training_set(manifest.training_set, training),
        feature_schema=CardFeatureSchema(schema.name, schema.digest, list(schema.features)),
        labels=manifest.labels,
        licences=list(manifest.licences),
        metrics=_metrics(manifest, sorted(manifest.metrics)),
        figures=_figures(manifest),
        files=_files(manifest),
    )


def _live(services: Services) -> set[str]:
    live = services.live.current
    return set(live.versions.values()) if live else set()


def _summary(registered: "RegisteredVersion", live: bool, documents: Documents, last_revision: int | None) -> VersionSummary:
    manifest = registered.manifest
    figures = _figures(manifest)
    return VersionSummary(
        version=registered.version,
        family=registered.family,
        live=live,
        state=state_of(registered.version, documents),
        created_at=manifest.created_at,
        registered_at=registered.registered_at,
        base_model=manifest.base_model,
        training_set=manifest.training_set,
        feature_schema=manifest.feature_schema.name,
        metrics=_metrics(manifest, [name for name in HEADLINES if name in manifest.metrics]),
        serving_bytes=sum(entry.size for entry in manifest.files.values()),
        release_bytes=sum(entry.size for entry in manifest.released_files().values()),
        last_revision=last_revision,
        technical=figures.technical if figures else None,
    )


def _metrics(manifest: Manifest, names: Sequence[str]) -> list[MeasuredMetric]:
    return [
        MeasuredMetric(metric=name, title=TITLES.get(name, name), **msgspec.structs.asdict(manifest.metrics[name]))
        for name in names
    ]


def _training_set(digest: str, stored: "TrainingSetRow | None") -> CardTrainingSet:
    summary = stored.summary if stored else {}
    return CardTrainingSet(
        digest=digest,
        examples=summary.get("examples"),
        stories=summary.get("stories"),
        label_sets=sorted(summary.get("label_sets", ())),
    )


def _figures(manifest: Manifest) -> CardFigures | None:
    try:
        shown = shown_figures(manifest)
        moved = msgspec.convert(shown.terms_moved, TermsMoved | None)
    except msgspec.ValidationError:
        return None
    return CardFigures(
        technical=shown.technical,
        ablation=shown.ablation,
        features_help=shown.features_help,
        warning=shown.warning,
        confusion=[list(row) for row in shown.confusion],
        reliability=list(shown.reliability),
        ece=shown.ece,
        contrast=shown.contrast,
        terms_moved=moved,
        folds=shown.folds.words() if shown.folds else None,
    )


def _files(manifest: Manifest) -> list[ReleasedFile]:
    return [
        ReleasedFile(name=name, sha256=entry.sha256, size_bytes=entry.size, served=name in manifest.files)
        for name, entry in sorted(manifest.released_files().items())
    ]


def routes() -> list[HTTPRouteHandler]:
    """Both routes."""
    return [versions, card]
