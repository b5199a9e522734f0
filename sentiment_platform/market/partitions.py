"""The days of prices: one partition a UTC day, as for news, so that one range of days names both."""

import dagster as dg

from sentiment_platform.setting_values.first_day import first_day

daily = dg.DailyPartitionsDefinition(start_date=first_day().isoformat(), timezone="UTC", end_offset=1)
"""A session belongs to the day whose date it carries at its exchange; a weekend's partition holds no bar."""
