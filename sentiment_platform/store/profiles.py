"""SQL that describes what each source delivered on each day, field by field: shares of missing values, lengths, delays."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True)
class SourceProfile:
    """The articles of one source published on one UTC day.

    `missing`: field -> share of articles without it, in [0, 1]. `sizes`: field -> mean size of what is there (characters, tickers,
    or, for `published_at`, hours from publication to fetch), absent where nothing is there.
    """

    source: str
    day: date
    articles: int
    missing: Mapping[str, float]
    sizes: Mapping[str, float]


MISSING = ("summary", "url", "outlet", "language", "tickers")
SIZES = ("title", "summary", "tickers", "published_at")
# An archive's articles count as available before they were fetched; their delay says when somebody imported them.
_PROFILES = text("""
    SELECT source, CAST(timezone('UTC', published_at) AS date) AS day, count(*),
        avg(CAST(summary IS NULL AS int)), avg(CAST(url IS NULL AS int)), avg(CAST(outlet IS NULL AS int)),
        avg(CAST(language IS NULL OR language_detected AS int)), avg(CAST(tickers = '{}' AS int)),
        avg(length(title)), avg(length(summary)), avg(cardinality(tickers)) FILTER (WHERE tickers <> '{}'),
        avg(extract(epoch FROM fetched_at - published_at)) FILTER (WHERE available_at >= fetched_at) / 3600
    FROM platform.raw_data
    WHERE published_at >= :start AND published_at < :end
    GROUP BY source, day
    ORDER BY source, day""")


def source_profiles(connection: Connection, start: datetime, end: datetime) -> list[SourceProfile]:
    """A profile for each source and UTC day of publication in [start, end), by source, then day."""
    profiles: list[SourceProfile] = []
    for source, day, articles, *values in connection.execute(_PROFILES, {"start": start, "end": end}):
        numbers = [None if value is None else float(value) for value in values]
        missing = {name: value or 0.0 for name, value in zip(MISSING, numbers[: len(MISSING)], strict=True)}
        sizes = {name: value for name, value in zip(SIZES, numbers[len(MISSING) :], strict=True) if value is not None}
        profiles.append(SourceProfile(source, day, articles, missing, sizes))
    return profiles
