"""Bodies of GET /monitoring/drift and GET /monitoring/drift-reports: how far what is asked has moved from what versions were made from."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from sentiment_platform.monitoring.severity import Severity
from serving.contract.values import Moment


class DriftTestResult(Struct, frozen=True, kw_only=True):
    """One test of one subject in the newest report on a version; a figure is null where the test says nothing of it."""

    report_id: Annotated[str, Meta(description="Names the report; the same inputs make the same report.")]
    subject: Annotated[str, Meta(description="A feature, or a score of the version.")]
    test: Annotated[Literal["ks", "psi"], Meta(description="Kolmogorov-Smirnov, or the population stability index.")]
    window_start: Annotated[Moment, Meta(description="The first moment of the answers that were tested.")]
    window_end: Annotated[Moment, Meta(description="The moment after the last of them.")]
    reference: Annotated[str, Meta(description="`version:part`: what was compared with.")]
    n_reference: Annotated[int, Meta(ge=0, description="Number of texts in the reference.")]
    n_current: Annotated[int, Meta(ge=0, description="Number of texts in the window.")]
    statistic: Annotated[float, Meta(description="Size of the difference: KS from 0 to 1, PSI from 0 up.")] | None
    p_value: Annotated[float, Meta(ge=0, le=1)] | None
    adjusted_p_value: Annotated[float, Meta(ge=0, le=1, description="Of all tests of the report together, after Holm.")] | None
    effect_size: (
        Annotated[float, Meta(description="Shift of the mean in standard deviations (ks), or change of the missing share (psi).")]
        | None
    )
    threshold: Annotated[float, Meta(description="From this statistic on the difference matters.")]
    drifted: bool
    created_at: Annotated[Moment, Meta(description="When the report was written.")]


class DriftAnswer(Struct, frozen=True):
    """The newest report of each version that runs here, read at `as_of`; empty before the first report."""

    as_of: Moment
    live_versions: list[str]
    tests: list[DriftTestResult]


class DriftCell(Struct, frozen=True, kw_only=True):
    """One test of one subject, for a map of many reports; `statistic` is null where it could not be tested."""

    subject: str
    test: Literal["ks", "psi"]
    statistic: float | None
    threshold: float
    drifted: bool


class DriftReportSummary(Struct, frozen=True, kw_only=True):
    """A report as one column of a map: `texts` answered in the window, the word for all of it, each test."""

    report_id: str
    version: str
    window_start: Moment
    window_end: Moment
    texts: int
    severity: Severity
    created_at: Moment
    tests: list[DriftCell]


class DriftReportList(Struct, frozen=True):
    """Reports, newest first; empty before the first one."""

    as_of: Moment
    reports: list[DriftReportSummary]


class DriftDistribution(Struct, frozen=True, kw_only=True):
    """One subject in both samples: counts of the values from `edges[i]` on, below `edges[i + 1]`; the outer bins take all beyond.
    The samples differ in size: compare shares. Where there are few different values, each has a bin of its own.
    """

    subject: str
    edges: list[float]
    reference: list[int]
    current: list[int]
    reference_missing: int
    current_missing: int


class DriftReportAnswer(Struct, frozen=True, kw_only=True):
    """One report with every figure; `distributions` is empty where they were not kept."""

    report_id: str
    version: str
    window_start: Moment
    window_end: Moment
    texts: int
    severity: Severity
    created_at: Moment
    tests: list[DriftTestResult]
    distributions: list[DriftDistribution]
