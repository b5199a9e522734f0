"""Body of GET /monitoring/drift: how far what is asked has moved from what the live versions were made from."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

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
