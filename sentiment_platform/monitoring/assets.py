"""The assets of monitoring: the predictions that serving wrote, two reports on them, and the decision drawn from both.

The way back from the decision to training is a sensor, so the graph has no circle.
"""

from typing import Any

import dagster as dg

from sentiment_platform.models.pages.plots import as_markdown, drift_heatmap_png
from sentiment_platform.monitoring.alerts import Webhook, deliver
from sentiment_platform.monitoring.deciding import decide_and_store
from sentiment_platform.monitoring.drift import measure_drift
from sentiment_platform.monitoring.health import FailedRun, looks_at_runs, looks_at_serving, looks_at_sources
from sentiment_platform.monitoring.incidents import STORED, evaluate
from sentiment_platform.monitoring.markdown import decision_table, drift_table, missing_table, performance_table
from sentiment_platform.monitoring.performance import measure_performance
from sentiment_platform.store.incidents import open_incidents
from sentiment_platform.store.resources import PlatformResource

GROUP, OWNERS, TAGS = "monitoring", ["team:mlops"], {"stage": "monitoring"}
WATCHED_JOBS = ("collect_job", "market_job", "feature_store_job", "train_job", "deploy_job", "monitor_job")
"""What runs by itself, but for `alert_job`, which would have to tell of its own failure."""

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
    picture = as_markdown(drift_heatmap_png(report.rows), "Drift by subject and test") if report.rows else report.note
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(report.rows),
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
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": sum(len(row.figures) for row in report.rows),
            "figures_added": report.added,
            "predictions": max((row.predictions for row in report.rows), default=0),
            "labelled": max((row.labelled for row in report.rows), default=0),
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
    decision = outcome.decision
    if decision is None:
        return dg.MaterializeResult(
            metadata={"retrain": False, "reason": outcome.note}, data_version=dg.DataVersion("nothing decided")
        )
    return dg.MaterializeResult(
        metadata={
            "retrain": decision.retrain,
            "reason": decision.reason,
            "causes": dg.MetadataValue.md(decision_table(decision)),
            "decided_at": decision.decided_at.isoformat(),
            "decided_now": outcome.new,
            "evidence": dg.MetadataValue.json(decision.evidence),
        },
        data_version=dg.DataVersion(decision.id),
    )


@dg.asset(
    deps=["raw_news", drift_report, performance_report],
    group_name=GROUP,
    owners=OWNERS,
    kinds={"python", "postgres"},
    tags=TAGS,
    description="Incidents that are open, each told once to the webhook when it opens and once when it is over.",
)
def alerts(context: dg.AssetExecutionContext, platform: PlatformResource) -> dg.MaterializeResult[Any]:
    settings = platform.settings()
    webhook = Webhook.of(settings)
    looks = {
        **STORED,
        **looks_at_sources(settings, platform.environment()),
        **looks_at_runs(failed_runs(context.instance)),
        **looks_at_serving(settings.serving_url),
    }
    changes = evaluate(platform.engine(), platform.now(), looks)
    delivery = deliver(platform.engine(), webhook, platform.now)
    with platform.engine().connect() as connection:
        still_open = open_incidents(connection)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(still_open),
            "open": dg.MetadataValue.md("\n".join(f"- {row['summary']}" for row in still_open) or "nothing"),
            "opened": ", ".join(changes.opened) or "nothing",
            "resolved": ", ".join(changes.resolved) or "nothing",
            "messages_sent": len(delivery.sent),
            "delivery": delivery.error or "complete",
        },
        data_version=dg.DataVersion(" ".join(row["id"] for row in still_open) or "nothing open"),
    )


def failed_runs(instance: dg.DagsterInstance) -> list[FailedRun]:
    """Of each watched job the newest run that ended, where it failed; somebody's cancelling one says nothing of the job."""
    ended = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]
    newest = [run for job in WATCHED_JOBS for run in instance.get_runs(dg.RunsFilter(job_name=job, statuses=ended), limit=1)]
    return [
        FailedRun(run.job_name, run.run_id, _failed_steps(instance, run.run_id))
        for run in newest
        if run.status == dg.DagsterRunStatus.FAILURE
    ]


def _failed_steps(instance: dg.DagsterInstance, run_id: str) -> tuple[str, ...]:
    steps = instance.get_run_step_stats(run_id)
    return tuple(sorted(step.step_key for step in steps if step.status is not None and step.status.value == "FAILURE"))
