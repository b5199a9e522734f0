"""SENTIMENT_FIRST_DAY, the only setting that is read at import: the days of news and prices are part of the graph's definition."""

import os
from collections.abc import Mapping
from datetime import date

from sentiment_platform.errors import SettingsError
from sentiment_platform.times.own import own_day

DEFAULT_FIRST_DAY = "2018-01-01"


def first_day(environ: Mapping[str, str] | None = None) -> date:
    """The first day that has a partition.

    Raises:
        SettingsError: it is no date.
    """
    written = (os.environ if environ is None else environ).get("SENTIMENT_FIRST_DAY", "").strip() or DEFAULT_FIRST_DAY
    try:
        return own_day(written)
    except ValueError as error:
        raise SettingsError(f"SENTIMENT_FIRST_DAY={written!r} is no date.", remedy="Write it such as 2026-01-31.") from error
