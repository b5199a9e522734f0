"""Body of GET /models/performance: how right the versions are, as far as anybody knows."""

from typing import Annotated

from msgspec import Meta, Struct

from serving.contract.values import Moment

Share = Annotated[float, Meta(ge=0, le=1)]


class PerformanceFigure(Struct, frozen=True, kw_only=True):
    """One metric of one version over one window; the newest revision of it."""

    version: Annotated[str, Meta(description="The tag of the version's release.")]
    window: Annotated[
        str,
        Meta(
            description="What was measured on: a holdout; the random sample of served answers that people labelled, `audit:7d`; what users said, `feedback:7d`; answers without labels, `estimated:7d`."
        ),
    ]
    metric: Annotated[str, Meta(description="Such as `accuracy`, `macro_f1` or `ece`, from 0 to 1; `utility` is from -1 to 1.")]
    revision: Annotated[int, Meta(ge=1, description="Counts the changes of this figure: late labels make a new one.")]
    value: float
    low: Annotated[float, Meta(description="Lower end of the 95 % interval, in the unit of `value`.")] | None
    high: Annotated[float, Meta(description="Upper end of the 95 % interval, in the unit of `value`.")] | None
    n: Annotated[
        int,
        Meta(
            ge=0, description="Number of texts behind it; of an audit the effective one, in which repetitions of a text are one."
        ),
    ]
    label_coverage: Annotated[Share, Meta(description="Share of the window's answers that have a label.")]
    in_sample: Annotated[bool, Meta(description="Whether the version may have learned from these texts; then it is no evidence.")]
    as_of: Annotated[Moment, Meta(description="When it was measured.")]
    note: Annotated[str, Meta(description="What must be known of it, such as `self-selected, not judged`; empty where nothing.")]


class PerformanceAnswer(Struct, frozen=True):
    """The figures of every version, read at `as_of`; `live_versions` names what runs here."""

    as_of: Moment
    live_versions: list[str]
    figures: list[PerformanceFigure]
