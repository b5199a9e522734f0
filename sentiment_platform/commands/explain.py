"""How the command `explain` shows the lineage of one prediction; what it reads stands in `served.lineage`."""

from typing import Any

from sqlalchemy import Engine

from sentiment_platform.errors import PermanentError
from sentiment_platform.served.lineage import NOT_THERE, Lineage, read_lineage
from sentiment_platform.text.sentiment import LABELS, price_direction


def lineage(engine: Engine, prediction_id: str) -> dict[str, dict[str, Any]]:
    """Heading -> name -> value, in the order in which a person would ask.

    Raises:
        PermanentError: no such prediction has arrived in the database.
    """
    with engine.connect() as connection:
        read = read_lineage(connection, prediction_id)
    if read is None:
        raise PermanentError(f"There is no prediction {prediction_id} in the database.", remedy=NOT_THERE)
    answer = read.prediction
    shown: dict[str, dict[str, Any]] = {
        "Answer": {
            "predicted_at": answer.predicted_at,
            "text": answer.text,
            "label": read.label,
            "price_direction": price_direction(read.label),
            "probabilities": dict(zip(LABELS, answer.probabilities, strict=True)),
            **{
                name: getattr(answer, name)
                for name in ("sentiment", "confidence", "route", "cache_hit", "degraded", "latency_ms")
            },
        },
        "Features": {"status": answer.feature_status, **read.features()},
        "Model": {"version": answer.model_version, "manifest": answer.manifest_digest},
    }
    return shown | _behind(read)


def _behind(read: Lineage) -> dict[str, dict[str, Any]]:
    """What stands behind the model; headings of what this database does not know are absent."""
    shown: dict[str, dict[str, Any]] = {}
    if read.model:
        manifest = read.model.manifest
        shown["Model"] = {
            "version": read.prediction.model_version,
            "manifest": read.prediction.manifest_digest,
            "base": manifest.base_model,
            "registered": read.model.registered_at,
            "run": read.model.run_id,
            "git": manifest.git_sha,
        }
    if read.training:
        summary = read.training.summary
        shown["Training set"] = {
            "digest": read.training.digest,
            "examples": summary.get("examples"),
            "stories": summary.get("stories"),
            "sets": summary.get("label_sets"),
        }
    if read.deployment:
        document = read.deployment.document
        shown["Deployment"] = {
            "tag": str(document.tag),
            "published_at": read.deployment.published_at,
            "rule": document.rule,
            "actor": document.actor,
            "reason": document.reason,
            "verdict": document.evidence.verdict,
        }
        if read.was_selected:
            shown["Deployment"]["selected"] = (
                f"a person's selection put {read.prediction.model_version} there, which this does not name"
            )
    if read.feedback:
        shown["Feedback"] = {str(entry.received_at): entry.label or entry.preference or entry.utility for entry in read.feedback}
    return shown
