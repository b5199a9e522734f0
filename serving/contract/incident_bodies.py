"""Bodies of the routes under /monitoring/alerts: what is wrong, what was, and who knows of it."""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from serving.contract.values import WITHOUT_NUL, Details, Moment


class Acknowledgement(Struct, frozen=True, kw_only=True):
    """Somebody knows of an incident. It stays open; nobody is reminded of it, until it gets worse than `severity`."""

    at: Moment
    by: str
    note: str | None
    severity: Annotated[Literal["warning", "critical"], Meta(description="How bad it was then.")]


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
    acknowledgement: Annotated[Acknowledgement, Meta(description="Null while nobody acknowledged it as bad as it is.")] | None


class OpenIncidents(Struct, frozen=True):
    """How many are open, on this page or not; `acknowledged` of them are known to somebody."""

    critical: int
    warning: int
    acknowledged: int


class AlertsAnswer(Struct, frozen=True):
    """One page of incidents, read at `as_of`: what is open first, then what was resolved, the newest of each first."""

    as_of: Moment
    open: OpenIncidents
    incidents: list[IncidentShown]


class AcknowledgeRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Say that you know of an open alert."""

    note: (
        Annotated[
            str,
            Meta(
                max_length=1000,
                pattern=WITHOUT_NUL,
                description="What you say of it, without NUL; shown beside it, and kept in the audit trail.",
            ),
        ]
        | None
    ) = None
    dry_run: Annotated[bool, Meta(description="Say what would stand, but change nothing.")] = False


class AcknowledgementAnswer(Struct, frozen=True, kw_only=True):
    """The alert as it stands now (or would stand, `dry_run`). `changed` is false where you said the same before."""

    incident: IncidentShown
    changed: bool
    dry_run: bool
