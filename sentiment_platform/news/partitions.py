"""The days of news. An article belongs to the UTC day of its `published_at`."""

import dagster as dg

daily = dg.DailyPartitionsDefinition(start_date="2018-01-01", timezone="UTC", end_offset=1)
"""One partition a UTC day; `end_offset=1`: today has a partition while it is still going on."""
