"""The assets of monitoring: the predictions that serving wrote, two reports on them, and the decision drawn from both.

The way back from the decision to training is a sensor, so the graph has no circle.
"""

from typing import Any

import dagster as dg
from pydantic import Field

from sentiment_platform.labels.consolidation import hears_anonymous
from sentiment_platform.labels.examples import AUDIT_SET
from sentiment_platform.models.pages.drawing import as_markdown
from sentiment_platform.models.pages.plots import drift_heatmap_png, two_distributions_png
from sentiment_platform.monitoring.announcing import announce_decision, announce_drift
from sentiment_platform.monitoring.drift import measure_drift
from sentiment_platform.monitoring.fit_words import read_fit
from sentiment_platform.monitoring.live_accuracy_words import live_accuracy_in_words, live_accuracy_numbers
from sentiment_platform.monitoring.markdown import (
    decision_table,
    drift_table,
    missing_table,
    performance_table,
    swap_table,
    verdict,
)
from sentiment_platform.monitoring.retraining import decide_and_store
from sentiment_platform.monitoring.swap_watch import NOTHING_WATCHED, rescore_with, respond, watch
from sentiment_platform.monitoring.unlabelled import estimate_and_store
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.served.champion import watched_version
from sentiment_platform.served.performance import measure_performance
from sentiment_platform.store.audit_sample import sample_counts
from sentiment_platform.store.resources import PlatformResource

GROUP, OWNERS, TAGS = "monitoring", ["team:mlops"], {"stage": "monitoring"}


class DriftConfig(dg.Config):
    """How traffic is cut into windows."""

    texts_per_window: int | None = Field(
        default=None, ge=10, description="Windows of so many stories instead of a week, to try things out; judged however few."
    )


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
    description="What was asked and answered in the last week against the weeks before: features, scores and texts; and each version's fit.",
)
def drift_report(config: DriftConfig, platform: PlatformResource) -> dg.MaterializeResult[Any]:
    report = measure_drift(platform.engine(), platform.now(), texts_per_window=config.texts_per_window)
    announce_drift(platform.settings().redis_url, report, platform.now())
    with platform.engine().connect() as connection:
        fit = read_fit(connection, report.version)
    map_of_tests = as_markdown(drift_heatmap_png(report.rows), "Drift by subject and test") if report.rows else report.note
    pictures = {one.subject: one for one in report.distributions if one.subject in (*report.drifted, *report.moved)}
    return dg.MaterializeResult(
        metadata={
            "summary": verdict(report),
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
            "words": ", ".join(report.words) or "none",
            "fit": fit.words,
            "heat_map": dg.MetadataValue.md(map_of_tests),
            "before_and_now": dg.MetadataValue.md(
                as_markdown(two_distributions_png(list(pictures.values())), "Before and now")
                if pictures
                else ("Nothing moved." if report.tested else verdict(report))
            ),
        },
        data_version=dg.DataVersion(report.report_id or "nothing measured"),
    )


@dg.asset(
    deps=["predictions", "deployment"],
    group_name=GROUP,
    owners=OWNERS,
    kinds={"python", "postgres"},
    tags=TAGS,
    description="How right every served version is on a random sample of its answers that people labelled; feedback beside it, which does not judge.",
)
def performance_report(platform: PlatformResource) -> dg.MaterializeResult[Any]:
    report = measure_performance(platform.engine(), platform.now(), anonymous=hears_anonymous(platform.settings()))
    unlabelled = estimate_and_store(platform.engine(), platform.now())
    with platform.engine().connect() as connection:
        watched, sample = watched_version(connection), sample_counts(connection, AUDIT_SET)
    version = None if isinstance(watched, str) else watched.version
    return dg.MaterializeResult(
        metadata={
            "summary": live_accuracy_in_words(report, version, sample),
            "dagster/row_count": sum(len(row.figures) for row in report.rows),
            "figures_added": report.added,
            "predictions": max((row.predictions for row in report.rows), default=0),
            **live_accuracy_numbers(report, version, sample, unlabelled),
            "estimated_accuracy": unlabelled.words,
            "anonymous_feedback": report.anonymous,
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
    outcome = decide_and_store(
        platform.engine(), platform.now(), run_id=context.run.run_id, anonymous=hears_anonymous(platform.settings())
    )
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


@dg.asset(
    deps=["predictions", "deployment"],
    group_name=GROUP,
    owners=OWNERS,
    kinds={"python", "postgres", "github"},
    tags=TAGS,
    pool="promotion",
    description="The first hour, or 1,000 answers, of a version that took another's place, against that one; it goes back where that answered better.",
)
def swap_watch(context: dg.AssetExecutionContext, platform: PlatformResource) -> dg.MaterializeResult[Any]:
    engine, access = platform.engine(), RegistryAccess(platform.settings())
    watched = watch(engine, platform.now(), rescore_with(engine, access))
    # One at a time: what went back is no longer what the next one was judged against.
    reason = next((one for one in watched if one.reason), None)
    rolled_back = respond(engine, access, reason, holder=context.run.run_id, now=platform.now) if reason else None
    return dg.MaterializeResult(
        metadata={
            "summary": " ".join(one.words() for one in watched) or NOTHING_WATCHED,
            "watched": len(watched),
            "answers": sum(one.answers for one in watched),
            "rolled_back": rolled_back.tag if rolled_back else "nothing",
            "questions": dg.MetadataValue.md(swap_table(watched)),
            **({"release": dg.MetadataValue.url(rolled_back.url)} if rolled_back else {}),
        },
        data_version=dg.DataVersion(rolled_back.tag if rolled_back else " ".join(one.words() for one in watched) or "nothing"),
    )
