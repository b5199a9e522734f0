"""The assets of monitoring: the predictions that serving wrote, two reports on them, and the decision drawn from both.

The way back from the decision to training is a sensor, so the graph has no circle.
"""

from typing import Any

import dagster as dg

from sentiment_platform.models.pages.drawing import as_markdown
from sentiment_platform.models.pages.plots import drift_heatmap_png
from sentiment_platform.monitoring.announcing import announce_decision, announce_drift
from sentiment_platform.monitoring.drift import measure_drift
from sentiment_platform.monitoring.markdown import decision_table, drift_table, missing_table, performance_table
from sentiment_platform.monitoring.retraining import decide_and_store
from sentiment_platform.served.performance import measure_performance
from sentiment_platform.store.resources import PlatformResource

GROUP, OWNERS, TAGS = "monitoring", ["team:mlops"], {"stage": "monitoring"}

predictions = dg.AssetSpec(
    "predictions",
    deps=["deployment"],
    group_name=GROUP,
    owners=OWNERS,
    kinds={"postgres"},
    tags=TAGS,
    description="Every served prediction and the feedback on it, shipped from serving's journal; written outside of this graph.",
)


@dg.asset(
    deps=["predictions", "deployment"],
    group_name=GROUP,
    owners=OWNERS,
    kinds={"python", "postgres"},
    tags=TAGS,
    description="KS and PSI of the 15 features and of the scores: what was served against what the deployed version was made from.",
)
def drift_report(platform: PlatformResource) -> dg.MaterializeResult[Any]:
    report = measure_drift(platform.engine(), platform.now())
    announce_drift(platform.settings().redis_url, report, platform.now())
    picture = as_markdown(drift_heatmap_png(report.rows), "Drift by subject and test") if report.rows else report.note
    return dg.MaterializeResult(
        metadata={
            "summary": f"Drift is of {report.severity} severity: {', '.join(report.drifted) or 'nothing'} moved."
            if report.rows
            else report.note,
            "dagster/row_count": len(report.rows),
            "drifted_subjects": len(report.drifted),
            "severity": report.severity,
            "drifted": ", ".join(report.drifted) or "nothing",
            "subjects_tested": report.tested,
            "version": report.version or "none",
            "texts": report.texts,
            "window": f"{report.window_start} to {report.window_end}" if report.rows else report.note,
            "tests": dg.MetadataValue.md(drift_table(report)),
            "missing_values": dg.MetadataValue.md(missing_table(report)),
            "heat_map": dg.MetadataValue.md(picture),
        },
        data_version=dg.DataVersion(report.report_id or "nothing measured"),
    )


@dg.asset(
    deps=["predictions", "deployment"],
    group_name=GROUP,
    owners=OWNERS,
    kinds={"python", "postgres"},
    tags=TAGS,
    description="Accuracy, macro-F1, calibration, preference and utility of every served version, by feedback, with intervals.",
)
def performance_report(platform: PlatformResource) -> dg.MaterializeResult[Any]:
    report = measure_performance(platform.engine(), platform.now())
    answered = max((row.predictions for row in report.rows), default=0)
    labelled = max((row.labelled for row in report.rows), default=0)
    return dg.MaterializeResult(
        metadata={
            "summary": f"{answered:,} answers in the longest window, {labelled:,} of them with a label.",
            "dagster/row_count": sum(len(row.figures) for row in report.rows),
            "figures_added": report.added,
            "predictions": answered,
            "labelled": labelled,
            "figures": dg.MetadataValue.md(performance_table(report)),
        },
        data_version=dg.DataVersion(report.digest()),
    )


@dg.asset(
    deps=[drift_report, performance_report],
    group_name=GROUP,
    owners=OWNERS,
    kinds={"postgres"},
    tags=TAGS,
    description="Whether to train again and why, or why not; a decision to do so stands for its cool-down.",
)
def retrain_decision(context: dg.AssetExecutionContext, platform: PlatformResource) -> dg.MaterializeResult[Any]:
    outcome = decide_and_store(platform.engine(), platform.now(), run_id=context.run.run_id)
    announce_decision(platform.settings().redis_url, outcome, platform.now())
    decision = outcome.decision
    if decision is None:
        return dg.MaterializeResult(
            metadata={"summary": outcome.note, "retrain": False, "reason": outcome.note},
            data_version=dg.DataVersion("nothing decided"),
        )
    return dg.MaterializeResult(
        metadata={
            "summary": f"{'Train again' if decision.retrain else 'Do not train again'}: {decision.reason}",
            "retrain": decision.retrain,
            "reason": decision.reason,
            "causes": dg.MetadataValue.md(decision_table(decision)),
            "decided_at": decision.decided_at.isoformat(),
            "decided_now": outcome.new,
            "evidence": dg.MetadataValue.json(decision.evidence),
        },
        data_version=dg.DataVersion(decision.id),
    )
