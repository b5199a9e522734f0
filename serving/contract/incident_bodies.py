"""Body of GET /monitoring/alerts: what is wrong, and what was."""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from serving.contract.values import Details, Moment


class IncidentShown(Struct, frozen=True, kw_only=True):
    """A condition that somebody must hear of, from opening to resolution."""

    id: str
    fingerprint: Annotated[str, Meta(description="Names the condition and its subject; at most one incident of it is open.")]
    category: Literal["performance", "system", "data_quality", "deployment"] = field(name="class")
    severity: Literal["warning", "critical"]
    source: Annotated[str, Meta(description="The check that found it.")]
    summary: Annotated[str, Meta(description="One sentence for a person.")]
    remedy: Annotated[str, Meta(description="What to do, in a sentence; the runbook says more.")]
    detail: Annotated[Details, Meta(description="The figures behind it; which there are depends on `source`.")]
    opened_at: Moment
    last_seen_at: Annotated[Moment, Meta(description="When it was last found to be so.")]
    resolved_at: Annotated[Moment, Meta(description="Null while it is open.")] | None


class OpenIncidents(Struct, frozen=True):
    """How many are open, on this page or not."""

    critical: int
    warning: int


class AlertsAnswer(Struct, frozen=True):
    """One page of incidents, read at `as_of`: what is open first, then what was resolved, the newest of each first."""

    as_of: Moment
    open: OpenIncidents
    incidents: list[IncidentShown]
