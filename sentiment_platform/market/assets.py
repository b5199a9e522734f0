"""The assets of the market: prices, and what symbols did after articles. What they do is in `market.prices` and `market.outcomes`."""

from collections import Counter
from typing import Any

import dagster as dg

from sentiment_platform.markdown_tables import markdown_table
from sentiment_platform.market.markdown import coverage_table, fetched_table, questions_list, reasons_told
from sentiment_platform.market.outcomes import HORIZONS, OUTCOME_RULE, REASONS, update_outcomes
from sentiment_platform.market.partitions import daily
from sentiment_platform.market.prices import collect_prices, range_of
from sentiment_platform.store.market import coverage
from sentiment_platform.store.outcomes import outcome_counts
from sentiment_platform.store.resources import PlatformResource
from sentiment_platform.store.splits import questions_open


@dg.asset(
    partitions_def=daily,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="market",
    owners=["team:data-engineering"],
    kinds={"python", "postgres"},
    tags={"stage": "collection"},
    pool="prices",
    description=(
        "Daily bars, one a symbol and session, adjusted as their source does. A partition is the day of the exchange session: "
        "2026-03-02 holds what was traded that Monday, and 2026-03-07, a Saturday, holds only what trades always. The day is the date at "
        "the symbol's exchange. A bar is fetched once its session is over there. A bar that its source changes is kept as a revision; one that breaks the contract is in quarantine with the rule."
    ),
)
def market_prices(context: dg.AssetExecutionContext, platform: PlatformResource) -> dg.MaterializeResult[Any]:
    first, last = range_of(*context.partition_time_window)
    collected = collect_prices(platform.engine(), platform.settings(), first, last, run_id=context.run.run_id, now=platform.now())
    for one in collected.fetched:
        if one.failure:
            context.log.warning("%s: %s", one.name, one.failure)
    with platform.engine().connect() as connection:
        everything, asked = coverage(connection), questions_open(connection)
    sessions = len({bar.session for bar in collected.bars})
    return dg.MaterializeResult(
        metadata={
            "summary": f"{len(collected.bars):,} bars of {sessions:,} sessions are stored for these days. {collected.note or ''}".strip(),
            "dagster/partition_row_count": len(collected.bars),
            "sessions": sessions,
            "revised": sum(one.written.revised for one in collected.fetched),
            "quarantined": sum(one.refused for one in collected.fetched),
            "fetched": dg.MetadataValue.md(fetched_table(collected.fetched, collected.note)),
            "open_questions": dg.MetadataValue.md(questions_list(asked)),
            "coverage": dg.MetadataValue.md(coverage_table(everything)),
        },
        data_version=dg.DataVersion(collected.digest),
    )


LONGEST_DAYS = 21


@dg.asset(
    partitions_def=daily,
    backfill_policy=dg.BackfillPolicy.single_run(),
    deps=[
        "articles",
        dg.AssetDep(
            "market_prices",
            # The bars from the article's day to the end of the longest horizon, weekends and holidays between them.
            partition_mapping=dg.TimeWindowPartitionMapping(
                start_offset=0, end_offset=LONGEST_DAYS, allow_nonexistent_upstream_partitions=True
            ),
        ),
    ],
    group_name="market",
    owners=["team:data-science"],
    kinds={"postgres"},
    tags={"stage": "collection", "label_kind": "outcome"},
    description=(
        "What symbols did after articles, less the market: returns over 1 and 5 sessions from the first opening of the symbol's exchange "
        "after the article was available. A partition is the UTC day of publication of the article, not the day of the return: an article of Monday "
        "2026-03-02, 22:00 UTC, is in 2026-03-02, and its return begins with the opening of 2026-03-03. "
        "A late and noisy kind of label (kind `outcome`); no model is trained on it."
    ),
)
def outcomes(context: dg.AssetExecutionContext, platform: PlatformResource) -> dg.MaterializeResult[Any]:
    span = context.partition_time_window
    settings, run_id = platform.settings(), context.run.run_id
    updated = update_outcomes(platform.engine(), span.start, span.end, platform.now(), settings.market_symbol, run_id=run_id)
    with platform.engine().connect() as connection:
        counts = outcome_counts(connection)
    without = Counter(record.reason for record in updated.records if record.reason is not None)
    reasons = "\n".join(f"- `{reason}`: {meaning}" for reason, meaning in REASONS.items())
    return dg.MaterializeResult(
        metadata={
            "summary": f"{len(updated.records):,} pairs of article and horizon, {without.total():,} of them without an outcome; {updated.changed:,} changed.{reasons_told(without)}",
            "dagster/partition_row_count": len(updated.records),
            "changed": updated.changed,
            "quarantined": updated.refused,
            "without_outcome": without.total(),
            "rule": f"{OUTCOME_RULE}; neutral within {', '.join(f'{band:.1%} over {n}' for n, band in HORIZONS.items())} sessions",
            "market": settings.market_symbol or "mean of the other symbols of the exchange",
            "all_outcomes": dg.MetadataValue.md(
                markdown_table(("sessions", "label or reason", "rows"), counts, "No outcomes yet.")
            ),
            "reasons": dg.MetadataValue.md(reasons),
        },
        data_version=dg.DataVersion(updated.digest),
    )
