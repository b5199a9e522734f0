"""The routes of drift: the newest report of what runs, reports over time, and one report with the distributions behind it."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter, QueryParameter

from sentiment_platform.monitoring.severity import severity_of
from sentiment_platform.registry.versions import VERSION_PATTERN
from serving.contract.drift_bodies import (
    DriftAnswer,
    DriftCell,
    DriftDistribution,
    DriftReportAnswer,
    DriftReportList,
    DriftReportSummary,
    DriftTestResult,
    FitAnswer,
)
from serving.contract.problems import Problem
from serving.edge.openapi import problem_responses
from serving.handlers.paging import Limit
from serving.services import Services

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from sentiment_platform.store.drift import StoredDistribution, StoredDriftRow

TAGS = ["monitoring"]
VersionAsked = Annotated[str | None, QueryParameter(pattern=VERSION_PATTERN, description="Only reports on this version.")]
ReportId = Annotated[
    str, PathParameter(pattern=r"^[0-9a-f]{32}(?![\s\S])", description="The `report_id` of a report, 32 of 0-9 and a-f.")
]


@get("/monitoring/drift", tags=TAGS, responses=problem_responses(503), summary="The newest drift report of each live version")
async def drift(services: NamedDependency[Services]) -> DriftAnswer:
    """One entry a test: subject (a feature, a score or the texts), statistic, adjusted p, effect size, threshold, decision; and each version's fit."""
    live = services.live.current
    versions = sorted(live.versions.values()) if live else []

    def read(connection: "Connection") -> tuple[list[DriftTestResult], list[FitAnswer]]:
        from sentiment_platform.monitoring.fit_words import read_fit
        from sentiment_platform.store.drift import newest_drift_rows

        tests = [DriftTestResult(**asdict(row)) for version in versions for row in newest_drift_rows(connection, version)]
        fits = [msgspec.convert(read_fit(connection, version), FitAnswer, from_attributes=True) for version in versions]
        return tests, fits

    tests, fits = await services.database.call(read)
    return DriftAnswer(services.clock(), versions, tests, fits)


@get("/monitoring/drift-reports", tags=TAGS, responses=problem_responses(400, 503), summary="Drift over time")
async def reports(services: NamedDependency[Services], version: VersionAsked = None, limit: Limit = 30) -> DriftReportList:
    """Reports, newest first, each with its severity and every test in short: a map of subjects by window."""

    def read(connection: "Connection") -> list[DriftReportSummary]:
        from sentiment_platform.store.drift import newest_reports

        return [_summary(rows) for rows in newest_reports(connection, version, limit)]

    return DriftReportList(services.clock(), await services.database.call(read))


@get(
    "/monitoring/drift-reports/{report_id:str}",
    tags=TAGS,
    responses=problem_responses(400, 404, 503),
    summary="One drift report, with the distributions behind it",
)
async def report(report_id: ReportId, services: NamedDependency[Services]) -> DriftReportAnswer:
    """Every test with its figures, and of every subject the two distributions that were compared."""

    def read(connection: "Connection") -> "tuple[list[StoredDriftRow], list[StoredDistribution]]":
        from sentiment_platform.store.drift import distributions_of, report_rows

        return report_rows(connection, report_id), distributions_of(connection, report_id)

    rows, distributions = await services.database.call(read)
    if not rows:
        raise Problem(
            404,
            "unknown_report",
            f"There is no drift report {report_id}; GET /monitoring/drift-reports lists them.",
            field="report_id",
        )
    return DriftReportAnswer(
        **_head(rows),
        tests=[DriftTestResult(**asdict(row)) for row in rows],
        distributions=msgspec.convert(distributions, list[DriftDistribution], from_attributes=True),
    )


def _summary(rows: "Sequence[StoredDriftRow]") -> DriftReportSummary:
    return DriftReportSummary(**_head(rows), tests=msgspec.convert(rows, list[DriftCell], from_attributes=True))


def _head(rows: "Sequence[StoredDriftRow]") -> dict[str, Any]:
    """What all rows of a report share."""
    first = rows[0]
    shared = {name: getattr(first, name) for name in ("report_id", "version", "window_start", "window_end", "created_at")}
    return {**shared, "texts": max(row.n_current for row in rows), "severity": severity_of(rows)}


def routes() -> list[HTTPRouteHandler]:
    """All drift routes."""
    return [drift, reports, report]
