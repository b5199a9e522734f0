"""Bodies of GET /monitoring/drift and GET /monitoring/drift-reports: how what is asked differs from the weeks before."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from sentiment_platform.monitoring.severity import Severity
from serving.contract.values import Moment

DriftTest = Literal["ks", "psi", "auc"]


class DriftTestResult(Struct, frozen=True, kw_only=True):
    """One test of one subject in the newest report on a version; a figure is null where the test says nothing of it."""

    report_id: Annotated[str, Meta(description="Names the report; the same inputs make the same report.")]
    subject: Annotated[str, Meta(description="A feature, a score of the version, or `text` for all texts together.")]
    test: Annotated[
        DriftTest,
        Meta(
            description="Kolmogorov-Smirnov, the population stability index, or how well the texts can be told apart (area under the curve)."
        ),
    ]
    window_start: Annotated[Moment, Meta(description="The first moment of the answers that were tested.")]
    window_end: Annotated[Moment, Meta(description="The moment after the last of them.")]
    reference: Annotated[
        str, Meta(description="`version:earlier` for the weeks before, else the part of its training set that was compared with.")
    ]
    n_reference: Annotated[int, Meta(ge=0, description="Number of texts in the reference.")]
    n_current: Annotated[int, Meta(ge=0, description="Number of texts in the window.")]
    statistic: (
        Annotated[float, Meta(description="Size of the difference: KS from 0 to 1, PSI from 0 up, the area from 0.5 to 1.")]
        | None
    )
    p_value: Annotated[float, Meta(ge=0, le=1)] | None
    adjusted_p_value: Annotated[float, Meta(ge=0, le=1, description="Of all tests of the report together, after Holm.")] | None
    effect_size: Annotated[float, Meta(description="Shift of the mean in standard deviations, of KS alone.")] | None
    threshold: Annotated[float, Meta(description="From this statistic on the difference matters.")]
    drifted: Annotated[bool, Meta(description="Whether it differs now, and the subject did in another of the three windows too.")]
    windows_moved: (
        Annotated[
            int,
            Meta(
                ge=0, le=3, description="In how many of the three windows the subject differs; null in a fit and in old reports."
            ),
        ]
        | None
    )
    created_at: Annotated[Moment, Meta(description="When the report was written.")]


class FitAnswer(Struct, frozen=True, kw_only=True):
    """How far what is asked is from what a version was trained on: measured once a version, no alarm. `told_at` is null before."""

    version: str
    told_at: Moment | None
    texts: Annotated[int, Meta(ge=0, description="Number of stories that were asked about.")]
    differs: Annotated[list[str], Meta(description="Subjects that differ.")]
    words: Annotated[str, Meta(description="The fit in one sentence.")]


class DriftAnswer(Struct, frozen=True):
    """The newest report of each version that runs here, read at `as_of`, and the fit of each; no tests before the first report."""

    as_of: Moment
    live_versions: list[str]
    tests: list[DriftTestResult]
    fits: list[FitAnswer]


class DriftCell(Struct, frozen=True, kw_only=True):
    """One test of one subject, for a map of many reports; `statistic` is null where it could not be tested."""

    subject: str
    test: DriftTest
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
