"""The feature schemas as data: what each value of a vector is. The values themselves go to models, not over HTTP."""

from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter

from sentiment_platform.features.schema import SCHEMAS, Feature
from serving.contract.feature_bodies import FeatureDescription, FeatureSchemaAnswer
from serving.contract.problems import Problem
from serving.edge.envelope import REVALIDATED
from serving.edge.openapi import problem_responses
from serving.services import Services


@get(
    "/features/{version:str}",
    tags=["models"],
    responses=problem_responses(404),
    response_headers={"Cache-Control": REVALIDATED},
    summary="What a feature schema holds",
)
async def feature_schema(
    version: Annotated[
        str, Parameter(max_length=20, description="A feature schema, such as `v1`.", schema_extra={"format": "feature-schema"})
    ],
    services: NamedDependency[Services],
) -> FeatureSchemaAnswer:
    """Every feature with its type, range, null policy and meaning, in the order of the vector; 404 for a schema that is unknown."""
    schema = SCHEMAS.get(version)
    if schema is None:
        raise Problem(
            404,
            "unknown_feature_schema",
            f"There is no feature schema {version!r}; there are {', '.join(SCHEMAS)}.",
            field="version",
        )
    live = services.live.current
    return FeatureSchemaAnswer(
        version=schema.version,
        hash=schema.hash,
        features=[_description(feature) for feature in schema.features],
        used_by=sorted(model.version for model in live.models.values() if model.schema is schema) if live else [],
    )


def _description(feature: Feature) -> FeatureDescription:
    return FeatureDescription(
        name=feature.name,
        group=feature.group,
        type=feature.type,
        low=feature.low,
        high=feature.high,
        nullable=feature.nullable,
        doc=feature.doc,
    )


def routes() -> list[HTTPRouteHandler]:
    """All feature routes."""
    return [feature_schema]
