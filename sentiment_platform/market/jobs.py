"""The job of prices: the bars of a range of days, and what they say of the articles of these days."""

import dagster as dg

market_job = dg.define_asset_job(
    "market_job",
    selection=dg.AssetSelection.assets("market_prices", "outcomes"),
    executor_def=dg.in_process_executor,
    description="Fetch the daily bars of a range of days, note the revised ones, and compute the outcomes of the articles of these days.",
    tags={"stage": "collection"},
)
