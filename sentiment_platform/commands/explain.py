"""The lineage of one prediction: from the answer back to the model, its training data and the decision that put it there."""

from typing import Any

from sqlalchemy import Engine, select

from sentiment_platform.errors import PermanentError
from sentiment_platform.features.schema import schema
from sentiment_platform.store.deployments import get_deployment
from sentiment_platform.store.tables import Feedback, Prediction
from sentiment_platform.store.training_sets import latest_training_set
from sentiment_platform.store.versions import get_version


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
        model = get_version(connection, row["model_version"])
        deployed = get_deployment(connection, row["deployment_revision"])
        training = latest_training_set(connection, model.training_set) if model else None
        feedback = connection.execute(select(Feedback.__table__).where(Feedback.prediction_id == prediction_id)).mappings().all()
    shown: dict[str, dict[str, Any]] = {
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
        shown["Model"] |= {
            "base": model.manifest.base_model,
            "registered": model.registered_at,
            "run": model.run_id,
            "git": model.manifest.git_sha,
        }
    if training:
        shown["Training set"] = {
            "digest": training.digest,
            "examples": training.summary["examples"],
            "stories": training.summary["stories"],
            "sets": training.summary["label_sets"],
        }
    if deployed:
        document = deployed.document
        shown["Deployment"] = {
            "tag": str(document.tag),
            "published_at": deployed.published_at,
            "rule": document.rule,
            "actor": document.actor,
            "reason": document.reason,
            "verdict": document.evidence.verdict,
        }
    if feedback:
        shown["Feedback"] = {
            str(entry["received_at"]): entry["label"] or entry["preference"] or entry["utility"] for entry in feedback
        }
    return shown
