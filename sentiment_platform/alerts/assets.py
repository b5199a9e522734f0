"""The asset of alerts: what is wrong now, told when it opens, when it is over, and daily while nobody knows of what is critical."""

from typing import Any

import dagster as dg

from sentiment_platform.alerts.announcing import announce
from sentiment_platform.alerts.delivery import Webhook, deliver
from sentiment_platform.alerts.health import FailedRun, looks_at_runs, looks_at_serving, looks_at_sources
from sentiment_platform.alerts.incidents import STORED, evaluate
from sentiment_platform.store.incidents import open_incidents
from sentiment_platform.store.resources import PlatformResource

WATCHED_JOBS = ("collect_job", "market_job", "feature_store_job", "train_job", "deploy_job", "monitor_job", "watch_job")
"""What runs by itself, but for `alert_job`, which would have to tell of its own failure."""


@dg.asset(
    deps=["raw_news", "drift_report", "performance_report"],
    group_name="alerts",
    owners=["team:mlops"],
    kinds={"python", "postgres"},
    tags={"stage": "monitoring"},
    description="Incidents that are open, each told to the webhook when it opens and when it is over, critical ones daily until acknowledged.",
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
    announce(platform.engine(), settings.redis_url, changes, platform.now())
    delivery = deliver(platform.engine(), webhook, platform.now)
    with platform.engine().connect() as connection:
        still_open = open_incidents(connection)
    return dg.MaterializeResult(
        metadata={
            "summary": f"{len(still_open):,} incidents are open; {len(delivery.sent):,} messages were sent.",
            "dagster/row_count": len(still_open),
            "open": dg.MetadataValue.md("\n".join(f"- {incident.summary}" for incident in still_open) or "nothing"),
            "opened": ", ".join(changes.opened) or "nothing",
            "resolved": ", ".join(changes.resolved) or "nothing",
            "messages_sent": len(delivery.sent),
            "delivery": delivery.error or "complete",
        },
        data_version=dg.DataVersion(" ".join(incident.id for incident in still_open) or "nothing open"),
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
