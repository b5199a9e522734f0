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
                for name in ("sentiment", "confidence", "route", "path", "cache_hit", "degraded", "degraded_reason", "latency_ms")
            },
        },
        "Features": {"status": answer.feature_status, **read.features()},
        "Model": {"version": answer.model_version, "manifest": answer.manifest_digest},
    }
    shown |= _behind(read)
    if why := _why(read):
        shown["Model"]["why"] = why
    return shown


def _why(read: Lineage) -> str | None:
    """Why this version answered, where it is not simply the one that the deployment names."""
    answer = read.prediction
    return {
        "stand_in": f"it stood in for {answer.instead_of or 'the one that should have answered'}: {answer.degraded_reason or 'why is not known'}",
        "experiment": f"arm {answer.arm} of experiment {answer.experiment}",
        "selection": f"selected by {read.selected_by}; the deployment names another one",
        "canary": "the deployment names a newer one, which answered a share of the units at first: this one still answered the rest",
    }.get(read.chosen_by or "")


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
    if read.feedback:
        shown["Feedback"] = {str(entry.received_at): entry.label or entry.preference or entry.utility for entry in read.feedback}
    return shown
