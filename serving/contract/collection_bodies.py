"""Bodies of GET /monitoring/sources and GET /monitoring/quality: how news comes in, what is refused, how fresh everything is."""

from datetime import date

from msgspec import Struct

from serving.contract.values import Moment


class Validators(Struct, frozen=True):
    """What the source gave us to ask "only if changed"; `broken`: it said "unchanged" although it had changed, so it is asked without."""

    etag: str | None
    last_modified: str | None
    broken: bool


class LastCollection(Struct, frozen=True, kw_only=True):
    """The newest turn of a source: fetched = stored + duplicate + quarantined."""

    finished_at: Moment
    outcome: str
    detail: str | None
    fetched: int
    stored: int
    duplicate: int
    quarantined: int


class SourceDay(Struct, frozen=True, kw_only=True):
    """What a source brought on one UTC day."""

    day: date
    collections: int
    failed: int
    fetched: int
    stored: int
    duplicate: int
    quarantined: int


class SourceStatus(Struct, frozen=True, kw_only=True):
    """Where one source stands. `requests_today`: of this UTC day, which `quota_per_day` limits (null: nothing does); `items_seen`: ever.

    `retry_after`: not to be asked before. `more_waits`: the last collection was cut off and goes on there.
    """

    source: str
    last_success_at: Moment | None
    last_failure_at: Moment | None
    last_failure: str | None
    consecutive_failures: int
    items_seen: int
    requests_today: int
    quota_per_day: int | None
    retry_after: Moment | None
    more_waits: bool
    validators: Validators
    last_collection: LastCollection | None
    days: list[SourceDay]


class SourceList(Struct, frozen=True):
    """Every source that was ever asked, by name, with its last seven days; one that was configured and never asked is not here."""

    as_of: Moment
    sources: list[SourceStatus]


class RefusedRows(Struct, frozen=True, kw_only=True):
    """Rows that broke `rule` at a boundary: still in quarantine, and released of late after a fix."""

    boundary: str
    source: str
    rule: str
    waiting: int
    released: int


class NewsDay(Struct, frozen=True, kw_only=True):
    """What came on one UTC day, and what of it waits in quarantine."""

    day: date
    stored: int
    waiting_items: int
    waiting_articles: int


class FeedbackDay(Struct, frozen=True, kw_only=True):
    """How much feedback came on one UTC day: with an API key, and anonymous, which is counted and nothing more."""

    day: date
    voiced: int
    anonymous: int


class Freshness(Struct, frozen=True, kw_only=True):
    """The newest moment of each kind of row; null where there is none. Vectors: those of the schema that answers, or of the first one."""

    article_available_at: Moment | None
    vector_as_of: Moment | None
    label_inserted_at: Moment | None
    price_available_at: Moment | None
    prediction_at: Moment | None
    feedback_at: Moment | None
    drift_report_at: Moment | None


class LabelSetQuality(Struct, frozen=True, kw_only=True):
    """A set of labels: how many of each, under which licence, and how far its annotators agreed.

    `agreement`: mean share of annotators behind the labels that several gave (`agreement_n` of them); null where none was stored.
    """

    name: str
    kind: str
    licence: str
    commercial_use: bool | None
    labels: dict[str, int]
    agreement: float | None
    agreement_n: int


class QualityReport(Struct, frozen=True, kw_only=True):
    """Refused rows, most waiting first; the days of the last two weeks on which news and feedback came; freshness; label sets."""

    as_of: Moment
    refused: list[RefusedRows]
    days: list[NewsDay]
    feedback: list[FeedbackDay]
    freshness: Freshness
    label_sets: list[LabelSetQuality]
