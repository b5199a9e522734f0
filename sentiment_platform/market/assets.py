"""The asset of prices. What it does is in `market.prices`; what it shows is in `market.tables`."""

from typing import Any

import dagster as dg

from sentiment_platform.market.markdown import coverage_table, fetched_table
from sentiment_platform.market.partitions import daily
from sentiment_platform.market.prices import collect_prices, range_of
from sentiment_platform.store.market import coverage
from sentiment_platform.store.resources import PlatformResource


@dg.asset(
    partitions_def=daily,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="market",
    owners=["team:data-engineering"],
    kinds={"python", "postgres"},
    tags={"stage": "collection"},
    pool="prices",
    description=(
        "Daily bars by symbol and exchange session, adjusted as their source does, fetched once the session is over. A bar that its "
        "source changes is kept as a revision; a bar that breaks the contract is in quarantine with the rule."
    ),
)
def market_prices(context: dg.AssetExecutionContext, platform: PlatformResource) -> dg.MaterializeResult[Any]:
    first, last = range_of(*context.partition_time_window)
    found = collect_prices(platform.engine(), platform.settings(), first, last, run_id=context.run.run_id, now=platform.now())
    for one in found.fetched:
        if one.failure:
            context.log.warning("%s: %s", one.name, one.failure)
    with platform.engine().connect() as connection:
        everything = coverage(connection)
    return dg.MaterializeResult(
        metadata={
            "dagster/partition_row_count": len(found.bars),
            "sessions": len({bar.session for bar in found.bars}),
            "revised": sum(one.written.revised for one in found.fetched),
            "quarantined": sum(one.refused for one in found.fetched),
            "fetched": dg.MetadataValue.md(fetched_table(found.fetched, found.note)),
            "coverage": dg.MetadataValue.md(coverage_table(everything)),
        },
        data_version=dg.DataVersion(found.digest),
    )
