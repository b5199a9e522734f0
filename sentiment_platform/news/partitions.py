"""The days of news. An article belongs to the UTC day of its `published_at`."""

import dagster as dg

from sentiment_platform.setting_values.first_day import first_day

daily = dg.DailyPartitionsDefinition(start_date=first_day().isoformat(), timezone="UTC", end_offset=1)
"""One partition a UTC day; `end_offset=1`: today has a partition while it is still going on."""
