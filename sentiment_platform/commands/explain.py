"""The lineage of one prediction: from the answer back to the model, its training data and the decision that put it there."""

from typing import Any

from sqlalchemy import Engine, select

from sentiment_platform.errors import PermanentError
from sentiment_platform.features.schema import schema
from sentiment_platform.store.tables import DeploymentRow, Feedback, ModelVersion, Prediction, TrainingSet


def lineage(engine: Engine, prediction_id: str) -> dict[str, dict[str, Any]]:
    """Heading -> name -> value, in the order in which a person would ask.

    Raises:
        PermanentError: no such prediction has arrived in the database.
    """
    with engine.connect() as connection:
        row = connection.execute(select(Prediction.__table__).where(Prediction.id == prediction_id)).mappings().first()
        if row is None:
            raise PermanentError(
                f"There is no prediction {prediction_id} in the database.",
                remedy="Serving ships its journal every few seconds: try again, or check the id.",
            )
        model = (
            connection.execute(select(ModelVersion.__table__).where(ModelVersion.version == row["model_version"]))
            .mappings()
            .first()
        )
        deployment = (
            connection.execute(select(DeploymentRow.__table__).where(DeploymentRow.revision == row["deployment_revision"]))
            .mappings()
            .first()
        )
        training = (
            connection.execute(select(TrainingSet.__table__).where(TrainingSet.digest == model["training_set"]))
            .mappings()
            .first()
            if model
            else None
        )
        feedback = connection.execute(select(Feedback.__table__).where(Feedback.prediction_id == prediction_id)).mappings().all()
    found: dict[str, dict[str, Any]] = {
        "Answer": {
            name: row[name]
            for name in ("predicted_at", "text", "sentiment", "confidence", "route", "cache_hit", "degraded", "latency_ms")
        },
        "Features": {
            "status": row["feature_status"],
            **dict(zip(schema(row["feature_schema"]).names, row["features"], strict=False)),
        },
        "Model": {"version": row["model_version"], "manifest": row["manifest_digest"]},
    }
    if model:
        manifest = model["manifest"]
        found["Model"] |= {
            "base": manifest["base_model"],
            "registered": model["registered_at"],
            "run": model["run_id"],
            "git": manifest["git_sha"],
        }
    if training:
        summary = training["summary"]
        found["Training set"] = {
            "digest": training["digest"],
            "examples": summary["examples"],
            "stories": summary["stories"],
            "sets": summary["label_sets"],
        }
    if deployment:
        found["Deployment"] = {name: deployment[name] for name in ("tag", "published_at", "rule", "actor", "reason")}
        found["Deployment"]["verdict"] = deployment["document"]["evidence"]["verdict"]
    if feedback:
        found["Feedback"] = {
            str(entry["received_at"]): entry["label"] or entry["preference"] or entry["utility"] for entry in feedback
        }
    return found
