"""GET /monitoring/sources and GET /monitoring/quality: how news comes in, what is refused, how fresh everything is."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from sentiment_platform.features.schema import V1
from serving.contract.collection_bodies import (
    FeedbackDay,
    Freshness,
    LabelSetQuality,
    LastCollection,
    NewsDay,
    QualityReport,
    RefusedRows,
    SourceDay,
    SourceList,
    SourceStatus,
    Validators,
)
from serving.edge.openapi import problem_responses
from serving.services import Services

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from sentiment_platform.store.collection_reports import CollectedDay, CollectionReport
    from sentiment_platform.store.sources import SourceState

T = TypeVar("T")
TAGS = ["monitoring"]
DAYS_OF_A_SOURCE, DAYS_OF_NEWS = timedelta(days=7), timedelta(days=14)
MOST_REFUSED = 500


@get("/monitoring/sources", tags=TAGS, responses=problem_responses(503), summary="How each news source fares")
async def sources(services: NamedDependency[Services]) -> SourceList:
    """Last success and failure, requests of today, validators, the last collection, and what came on each of the last seven days."""

    def read(connection: "Connection") -> SourceList:
        from sentiment_platform.store.collection_reports import collected_days, latest_collections
        from sentiment_platform.store.sources import SourceState, read_source_states

        now = services.clock()
        states = read_source_states(connection)
        latest = {report.source: report for report in latest_collections(connection)}
        names = sorted(states.keys() | latest.keys())
        days: defaultdict[str, list[CollectedDay]] = defaultdict(list)
        for day in collected_days(connection, names, _midnight(now) - DAYS_OF_A_SOURCE + timedelta(days=1)):
            days[day.source].append(day)
        rows = [_status(states.get(name, SourceState(source=name)), latest.get(name), days[name], now) for name in names]
        return SourceList(now, rows)

    return await services.recent.get("sources", lambda: services.database.call(read))


@get("/monitoring/quality", tags=TAGS, responses=problem_responses(503), summary="What is refused, and how fresh everything is")
async def quality(services: NamedDependency[Services]) -> QualityReport:
    """Refused rows by boundary, source and rule; news by day; the newest row of each kind; label sets with their stored agreement."""
    live = services.live.current
    schema = live.models[live.default_family].schema.version if live else V1.version

    def read(connection: "Connection") -> QualityReport:
        from sentiment_platform.store.freshness import newest_rows
        from sentiment_platform.store.predictions import feedback_by_day
        from sentiment_platform.store.quarantine import days_of_news, quarantine_totals

        now = services.clock()
        first_day = _midnight(now) - DAYS_OF_NEWS + timedelta(days=1)
        return QualityReport(
            as_of=now,
            refused=[_as(RefusedRows, count) for count in islice(quarantine_totals(connection), MOST_REFUSED)],
            days=[_as(NewsDay, day) for day in days_of_news(connection, first_day)],
            feedback=[_as(FeedbackDay, day) for day in feedback_by_day(connection, first_day)],
            freshness=_as(Freshness, newest_rows(connection, schema)),
            label_sets=_label_sets(connection),
        )

    return await services.recent.get(("quality", schema), lambda: services.database.call(read))


def _midnight(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _status(
    state: "SourceState", latest: "CollectionReport | None", days: "Sequence[CollectedDay]", now: datetime
) -> SourceStatus:
    return SourceStatus(
        source=state.source,
        last_success_at=state.last_success_at,
        last_failure_at=state.last_failure_at,
        last_failure=state.last_failure,
        consecutive_failures=state.consecutive_failures,
        items_seen=state.items_seen,
        requests_today=state.quota_used if state.quota_day == _midnight(now).date() else 0,
        quota_per_day=state.quota_per_day,
        retry_after=state.retry_after if state.retry_after and state.retry_after > now else None,
        more_waits=state.cursor is not None,
        validators=Validators(state.etag, state.last_modified, state.validators_broken),
        last_collection=_as(LastCollection, latest) if latest else None,
        days=[_as(SourceDay, day) for day in days],
    )


def _label_sets(connection: "Connection") -> list[LabelSetQuality]:
    from sentiment_platform.store.label_sets import label_counts, label_sets, stored_agreement

    counts: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for name, label, number in label_counts(connection):
        counts[name][label] = number
    agreement = stored_agreement(connection)
    return [
        LabelSetQuality(
            name=name,
            kind=label_set.kind,
            licence=label_set.licence,
            commercial_use=label_set.commercial_use,
            labels=counts[name],
            agreement=agreement[name][1] if name in agreement else None,
            agreement_n=agreement[name][0] if name in agreement else 0,
        )
        for name, label_set in label_sets(connection).items()
    ]


def _as(kind: type[T], row: object) -> T:
    """The row of the database as a struct with fields of the same names."""
    return msgspec.convert(row, kind, from_attributes=True)


def routes() -> list[HTTPRouteHandler]:
    """Both routes."""
    return [sources, quality]
