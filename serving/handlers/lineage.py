"""GET /predictions/{id}: where one answer came from."""

from typing import TYPE_CHECKING, Annotated

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter

from sentiment_platform.text.sentiment import price_direction
from serving.contract.lineage_bodies import (
    AnsweredPrediction,
    AnsweringModel,
    GivenFeedback,
    LineageDeployment,
    LineageTrainingSet,
    PredictionLineage,
    UsedFeatures,
)
from serving.contract.prediction_bodies import LabelProbabilities
from serving.contract.problems import Problem
from serving.edge.openapi import problem_responses
from serving.services import Services

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from sentiment_platform.served.lineage import Lineage
    from sentiment_platform.store.deployments import MirroredDeployment
    from sentiment_platform.store.training_sets import TrainingSetRow

IdInPath = Annotated[
    str,
    PathParameter(
        pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![\s\S])", description="The `prediction_id` of an answer."
    ),
]

GIVEN = "Its id was given here: where that was a moment ago, its record is on its way. Ask again in a second."


@get(
    "/predictions/{prediction_id:str}",
    tags=["predictions"],
    responses=problem_responses(400, 404, 503),
    summary="Where an answer came from",
)
async def lineage(prediction_id: IdInPath, services: NamedDependency[Services]) -> PredictionLineage:
    """Text, features, model, training set, the decision that deployed it, and what people said; 404 until the journal was shipped."""

    def read(connection: "Connection") -> "Lineage | None":
        from sentiment_platform.served.lineage import read_lineage

        return read_lineage(connection, prediction_id)

    stored = await services.database.call(read)
    if stored is None:
        from sentiment_platform.served.lineage import NOT_THERE

        given = services.known.was_given(prediction_id)
        raise Problem(
            404,
            "unknown_prediction",
            f"There is no prediction {prediction_id} in the database. {GIVEN if given else NOT_THERE}",
            field="prediction_id",
            headers={"Retry-After": "1"} if given else None,
        )
    return _shown(stored)


def _shown(stored: "Lineage") -> PredictionLineage:
    answer, model = stored.prediction, stored.model
    return PredictionLineage(
        prediction_id=answer.id,
        answer=AnsweredPrediction(
            predicted_at=answer.predicted_at,
            route=answer.route,
            family=answer.family,
            text=answer.text,
            ticker=answer.ticker,
            source=answer.source,
            published_at=answer.published_at,
            label=stored.label,
            probabilities=LabelProbabilities(*answer.probabilities),
            sentiment=answer.sentiment,
            confidence=None if answer.supported is False else answer.confidence,
            price_direction=price_direction(stored.label),
            cache_hit=answer.cache_hit,
            degraded=answer.degraded,
            degraded_reason=answer.degraded_reason,
            path=answer.path,
            instead_of=answer.instead_of,
            experiment=answer.experiment,
            arm=answer.arm,
            latency_ms=answer.latency_ms,
        ),
        features=UsedFeatures(answer.feature_schema, answer.feature_status, dict(stored.features())),
        model=AnsweringModel(
            version=answer.model_version,
            manifest_digest=answer.manifest_digest,
            chosen_by=stored.chosen_by,
            selected_by=stored.selected_by if stored.chosen_by == "selection" else None,
            base_model=model.manifest.base_model if model else None,
            registered_at=model.registered_at if model else None,
            run_id=model.run_id if model else None,
            git_sha=model.manifest.git_sha if model else None,
        ),
        training_set=_training_set(stored.training) if stored.training else None,
        deployment=_deployment(stored.deployment, named=stored.is_named) if stored.deployment else None,
        feedback=[msgspec.convert(entry, GivenFeedback, from_attributes=True) for entry in stored.feedback],
    )


def _training_set(row: "TrainingSetRow") -> LineageTrainingSet:
    summary = row.summary
    return LineageTrainingSet(
        digest=row.digest,
        created_at=row.created_at,
        examples=summary.get("examples"),
        stories=summary.get("stories"),
        label_sets=sorted(summary.get("label_sets", ())),
    )


def _deployment(mirrored: "MirroredDeployment", *, named: bool) -> LineageDeployment:
    document = mirrored.document
    return LineageDeployment(
        revision=document.revision,
        names_version=named,
        tag=str(document.tag),
        published_at=mirrored.published_at,
        rule=document.rule,
        actor=document.actor,
        reason=document.reason,
        verdict=document.evidence.verdict,
    )


def routes() -> list[HTTPRouteHandler]:
    """The route."""
    return [lineage]
