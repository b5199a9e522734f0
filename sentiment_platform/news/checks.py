"""Checks of collection: read, evaluate (`news.evaluation`), convert."""

import dagster as dg

from sentiment_platform.news.assets import articles, raw_news
from sentiment_platform.news.collect.days import past_part
from sentiment_platform.news.evaluation import (
    ERROR_SHARE,
    WARN_SHARE,
    Accounting,
    Answers,
    Freshness,
    QuarantineShare,
    evaluate_accounting,
    evaluate_answers,
    evaluate_freshness,
    evaluate_quarantine,
)
from sentiment_platform.news.jobs import asks_sources
from sentiment_platform.news.markdown import nothing_for_these_days
from sentiment_platform.news.profiles import HISTORY, SchemaDrift, evaluate_schema
from sentiment_platform.news.sources.configured import configured_sources
from sentiment_platform.news.sources.protocol import Window
from sentiment_platform.store.articles import stored_by_source, stored_rows_of_run
from sentiment_platform.store.collection_reports import collections_of_run, empty_days, latest_collections
from sentiment_platform.store.profiles import source_profiles
from sentiment_platform.store.quarantine import articles_and_refused, refused_rows_of_run
from sentiment_platform.store.resources import PlatformResource
from sentiment_platform.store.sources import read_source_state


def accounting_result(accounting: Accounting) -> dg.AssetCheckResult:
    """Red when one item is unaccounted for; the value is how many sources have such items."""
    astray = sorted({*accounting.unbalanced, *accounting.missing})
    return dg.AssetCheckResult(
        passed=accounting.holds,
        description="Items of these sources have no fate, or more than one: " + ", ".join(astray) + "."
        if astray
        else f"Each item of {accounting.collections} collections was stored, known or refused.",
        metadata={
            "value": len(astray),
            "bound": 0,
            "collections": accounting.collections,
            "unbalanced": ", ".join(accounting.unbalanced) or "none",
            "missing_in_database": ", ".join(accounting.missing) or "none",
        },
    )


def answers_result(answers: Answers) -> dg.AssetCheckResult:
    """Red when nothing could be collected, with the reason; the value is how many sources work, at least 1."""
    return dg.AssetCheckResult(
        passed=answers.problem is None,
        description=answers.problem or f"{answers.working} of {answers.meant} sources that were meant for these days work.",
        metadata={
            "value": answers.working,
            "bound": 1 if answers.meant or answers.problem else 0,
            "sources_meant": answers.meant,
        },
    )


def quarantine_result(quarantine: QuarantineShare) -> dg.AssetCheckResult:
    """A warning first, an error when a large part is refused; the value is the share of refused items, at most the bound."""
    large = f"; of {', '.join(quarantine.bad_sources)} more than {ERROR_SHARE:.0%}" if quarantine.bad_sources else ""
    return dg.AssetCheckResult(
        passed=quarantine.is_low,
        severity=dg.AssetCheckSeverity.ERROR if quarantine.is_alarming else dg.AssetCheckSeverity.WARN,
        description=f"{quarantine.share:.1%} of {quarantine.fetched:,} items are refused, at most {WARN_SHARE:.0%} may be{large}.",
        metadata={
            "value": quarantine.share,
            "bound": WARN_SHARE,
            "fetched": quarantine.fetched,
            "quarantined": quarantine.quarantined,
            "sources_with_large_share": ", ".join(quarantine.bad_sources) or "none",
        },
    )


def schema_result(drift: SchemaDrift) -> dg.AssetCheckResult:
    """A warning for a jump, an error for a large one; each with its source, day and field."""
    jumps = "\n".join(f"- {jump.source}, {jump.day}: `{jump.field}` {jump.detail}" for jump in drift.jumps)
    return dg.AssetCheckResult(
        passed=not drift.jumps,
        severity=dg.AssetCheckSeverity.ERROR if drift.is_alarming else dg.AssetCheckSeverity.WARN,
        description=f"{len(drift.jumps)} jumps of a field in {drift.compared:,} days of sources that were compared; none may be.",
        metadata={
            "value": len(drift.jumps),
            "bound": 0,
            "source_days_compared": drift.compared,
            "jumps": dg.MetadataValue.md(jumps or "none"),
        },
    )


def freshness_result(freshness: Freshness) -> dg.AssetCheckResult:
    """A warning that names every stale source with the reason."""
    reasons = "\n".join(f"- {source}: {reason}" for source, reason in freshness.stale.items())
    return dg.AssetCheckResult(
        passed=not freshness.stale,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{len(freshness.stale)} of {freshness.sources} sources are stale: {', '.join(freshness.stale) or 'none'}.",
        metadata={
            "value": len(freshness.stale),
            "bound": 0,
            "sources": freshness.sources,
            "stale": dg.MetadataValue.md(reasons or "none"),
        },
    )


@dg.asset_check(asset=raw_news, blocking=True, description="fetched = stored + duplicate + quarantined, and the rows are there.")
def every_fetched_item_is_accounted_for(
    context: dg.AssetCheckExecutionContext, platform: PlatformResource
) -> dg.AssetCheckResult:
    with platform.engine().connect() as connection:
        reports = collections_of_run(connection, context.run.run_id)
        stored = stored_rows_of_run(connection, context.run.run_id)
        refused = refused_rows_of_run(connection, "raw_news", context.run.run_id, {report.finished_at for report in reports})
    return accounting_result(evaluate_accounting(reports, stored, refused))


@dg.asset_check(
    asset=raw_news,
    blocking=True,
    description="At most 5 % of the fetched items are refused, and at most 25 % of a source's; above 25 % of all nothing goes downstream.",
)
def quarantine_share_is_low(context: dg.AssetCheckExecutionContext, platform: PlatformResource) -> dg.AssetCheckResult:
    with platform.engine().connect() as connection:
        reports = collections_of_run(connection, context.run.run_id) or latest_collections(connection)
    return quarantine_result(evaluate_quarantine(reports))


@dg.asset_check(
    asset=raw_news,
    description="Something could be collected: a source is on, and not every one that was asked failed. Nothing new is no failure.",
)
def a_source_answers(context: dg.AssetCheckExecutionContext, platform: PlatformResource) -> dg.AssetCheckResult:
    sources = configured_sources(platform.settings(), platform.environment())
    days = Window(*context.partition_time_window)
    with platform.engine().connect() as connection:
        reports = collections_of_run(connection, context.run.run_id)
        stored = stored_by_source(connection, days.start, days.end)
    # Days that an archive has filled need nobody to be asked; today does.
    is_past = past_part(days, platform.now()) is not None
    needless = not asks_sources(context.run.run_config) or (is_past and bool(stored))
    nobody = None if needless else nothing_for_these_days(sources)
    return answers_result(evaluate_answers(reports, {source.name for source in sources if source.off}, nobody=nobody))


@dg.asset_check(
    asset=raw_news,
    description="No configured source failed when last asked, each succeeded within 24 hours, and none fell silent for 4 days.",
)
def sources_are_fresh(platform: PlatformResource) -> dg.AssetCheckResult:
    sources = configured_sources(platform.settings(), platform.environment())
    names = [source.name for source in sources if source.source.live and source.off is None]
    with platform.engine().connect() as connection:
        reports = latest_collections(connection)
        states = {name: read_source_state(connection, name) for name in names}
        empty = empty_days(connection, names, platform.now())
    return freshness_result(evaluate_freshness(names, reports, states, platform.now(), empty))


@dg.asset_check(
    asset=raw_news,
    blocking=True,
    description="Sources deliver the fields that they used to: no renamed field, changed unit or surge of missing values against 28 days.",
)
def sources_deliver_what_they_used_to(context: dg.AssetCheckExecutionContext, platform: PlatformResource) -> dg.AssetCheckResult:
    days = context.partition_time_window
    with platform.engine().connect() as connection:
        profiles = source_profiles(connection, days.start - HISTORY, days.end)
    return schema_result(evaluate_schema(profiles, days.start.date(), days.end.date()))


@dg.asset_check(
    asset=articles,
    blocking=True,
    description="Articles keep their contract; above 25 % of a run's days refused nothing goes downstream.",
)
def articles_keep_their_contract(context: dg.AssetCheckExecutionContext, platform: PlatformResource) -> dg.AssetCheckResult:
    days = context.partition_time_window
    with platform.engine().connect() as connection:
        quarantine = QuarantineShare(*articles_and_refused(connection, days.start, days.end))
    return quarantine_result(quarantine)
